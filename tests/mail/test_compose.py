import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from eventreg.mail import compose, gather
from eventreg.outbox.models import Message
from tests.support.calendars import LINKS, amira, celebration, entry, parsed
from tests.support.letters import (
    GOLDEN,
    KEY,
    calendar_of,
    html_of,
    read,
    row,
    site,
    structure,
    templates_app,
    text_of,
    write,
)

BEFORE = {
    "title": "A day of reflection",
    "starts_at": "2026-10-26T18:00:00+00:00",
    "ends_at": "2026-10-26T20:00:00+00:00",
    "all_day": False,
    "timezone": "America/New_York",
    "location_name": "Gordon Hall",
    "location_address": "25 Shattuck St, Boston MA",
    "online_url": "",
}
MOVED = {"changes": {"starts_at": ["…", "…"], "location_name": ["…", "…"]}, "previous_event": BEFORE}
WITH_DIRECTIONS = {
    "directions": "Take the M2 to Longwood.\nDoor B, then up.",
    "online_url": "https://meet.example.org/j/1",
}
CANCELLED = {"status": "cancelled", "sequence": 3}
LEFT = {"status": "cancelled"}
OFFERED = {"status": "waitlisted", "offer_expires_at": "2026-10-06T16:00:00+00:00"}
REGISTRATION_MAILS: dict[str, tuple[Message, dict[str, Any]]] = {
    "confirmation": (row("confirmation"), {"event": celebration(**WITH_DIRECTIONS)}),
    "confirmation_without_mailbox": (row("confirmation"), {"reply_address": None}),
    "waitlisted": (row("waitlisted", status="waitlisted", position=3), {"event": celebration(**WITH_DIRECTIONS)}),
    "offer": (row("offer", **OFFERED), {"event": celebration(**WITH_DIRECTIONS)}),
    "offer_expired": (
        row("offer_expired", **LEFT, offer_expired_at=OFFERED["offer_expires_at"]),
        {"registration": amira(**LEFT)},
    ),
    "changed_while_offered": (row("changed", **OFFERED | {"party_size": 1}), {"event": celebration(**WITH_DIRECTIONS)}),
    "pending": (row("pending", status="pending"), {"event": celebration(**WITH_DIRECTIONS)}),
    "not_approved": (row("not_approved", **LEFT), {"registration": amira(**LEFT)}),
    "maybe": (row("answer", rsvp="maybe", party_size=1), {"registration": amira(rsvp="maybe")}),
    "no": (row("answer", rsvp="no", party_size=1), {"answers": []}),
    "promotion": (row("promotion", party_size=1), {}),
    "changed": (row("changed", party_size=1), {"is_in_calendar": True}),
    "changed_to_no": (row("changed", rsvp="no"), {"is_in_calendar": True}),
    "withdrawn": (row("withdrawn", **LEFT), {"is_in_calendar": True, "registration": amira(**LEFT)}),
    "withdrawn_from_waitlist": (row("withdrawn", **LEFT), {"registration": amira(**LEFT)}),
    "reminder": (row("reminder", starts_at="…"), {"is_in_calendar": True, "event": celebration(**WITH_DIRECTIONS)}),
    "reminder_of_a_maybe": (row("reminder", rsvp="maybe", starts_at="…"), {"registration": amira(rsvp="maybe")}),
    "update": (row("update", **MOVED), {"is_in_calendar": True}),
    "event_cancelled": (row("event_cancelled"), {"is_in_calendar": True, "event": celebration(**CANCELLED)}),
    "event_cancelled_for_waitlist": (row("event_cancelled", status="waitlisted"), {"event": celebration(**CANCELLED)}),
}
OTHER_MAILS = {
    "link": row("link"),
    "links": row("link"),
    "auth": Message(
        kind="auth",
        payload={"subject": "Choose a new password", "text": "Open\nhttps://e.example", "html": "<p>Open</p>"},
    ),
    "test": Message(kind="test", payload={}),
    "confirm_address": row("confirm_address", answer={"name": "Win a prize", "rsvp": "yes", "q-1": "cheap watches"}),
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    return templates_app(tmp_path_factory.mktemp("instance"))


def written(app: Flask, name: str) -> bytes:
    if name in REGISTRATION_MAILS:
        message, given = REGISTRATION_MAILS[name]
        return write(app, message, **given)
    message = OTHER_MAILS[name]
    message.message_key, message.recipient = KEY, "amira@example.org"
    message.created_at = datetime(2026, 10, 5, 16, 0, tzinfo=UTC)
    options: dict[str, Any] = {"site": site(), "templates": gather.templates_of(app)}
    with app.app_context():
        if message.kind == "confirm_address":
            return compose.about_address(message, celebration(**WITH_DIRECTIONS), **options).as_bytes()
        if message.kind != "link":
            return compose.plain(message, **options).as_bytes()
        own = [(celebration(), amira()), (celebration(title="Grand rounds"), amira(id=8, status="waitlisted"))]
        return compose.about_links(message, own[: 1 + (name == "links")], **options).as_bytes()


ALL = [*REGISTRATION_MAILS, *OTHER_MAILS]


@pytest.mark.parametrize("name", ALL)
def test_mail_is_byte_for_byte_what_it_was(app: Flask, name: str) -> None:
    """After a change on purpose, run with EVENTREG_WRITE_GOLDEN=1 and read the difference."""
    golden: Path = GOLDEN / f"{name}.eml"
    content = written(app, name)
    if os.environ.get("EVENTREG_WRITE_GOLDEN"):
        golden.write_bytes(content)
    assert content == golden.read_bytes()


@pytest.mark.parametrize("name", ALL)
def test_every_mail_is_what_mail_programs_and_filters_expect(app: Flask, name: str) -> None:
    content = written(app, name)
    mail = read(content)
    assert content.isascii()
    assert max(len(line) for line in content.split(b"\r\n")) <= 78
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert mail.defects == []
    assert [part.defects for part in mail.walk() if part.defects] == []
    assert mail["From"] == "Community events <events@example.org>"
    assert mail["To"] == "amira@example.org"
    assert mail["Message-ID"] == f"<{KEY}@example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime == datetime(2026, 10, 5, 16, 0, tzinfo=UTC)
    assert mail["Subject"].strip() == mail["Subject"] != ""
    text = text_of(mail)
    assert "<" not in text.replace("<https", "")
    assert "{{" not in text + html_of(mail)
    assert "\n\n\n" not in text


@pytest.mark.parametrize("name", ALL)
def test_html_needs_nothing_from_elsewhere_and_is_readable_in_dark(app: Flask, name: str) -> None:
    html = html_of(read(written(app, name)))
    assert '<meta name="color-scheme" content="light dark">' in html
    assert not re.search(r"<(img|script|link|iframe|object|form|input)\b|url\(|@import", html)
    # A colour is set only where its counterpart is, so nothing can turn white on white.
    assert set(re.findall(r"background(?:-color)?: ([^;]+);", html)) <= {"#a3123a", "#ffb3bd !important"}
    assert not re.search(r"<body[^>]*color:", html)


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("confirmation", "REQUEST"),
        ("confirmation_without_mailbox", "PUBLISH"),
        ("maybe", "REQUEST"),
        ("promotion", "REQUEST"),
        ("changed", "REQUEST"),
        ("changed_to_no", "CANCEL"),
        ("withdrawn", "CANCEL"),
        ("update", "REQUEST"),
        ("event_cancelled", "CANCEL"),
    ],
)
def test_calendar_part_stands_where_outlook_looks_and_once_more_as_a_file(app: Flask, name: str, method: str) -> None:
    mail = read(written(app, name))
    assert structure(mail) == [
        "multipart/mixed",
        "  multipart/alternative",
        "    text/plain",
        "    text/html",
        "    text/calendar",
        "  application/ics",
    ]
    invitation, attachment = list(mail.walk())[-2:]
    assert invitation["Content-Type"] == f'text/calendar; charset="UTF-8"; method="{method}"; component="VEVENT"'
    assert invitation["Content-Disposition"] is None
    assert attachment["Content-Type"] == 'application/ics; name="invite.ics"'
    assert attachment["Content-Disposition"] == 'attachment; filename="invite.ics"'
    content = calendar_of(mail)
    assert content == attachment.get_content()
    assert parsed(content)["METHOD"] == method


@pytest.mark.parametrize(
    "name",
    [
        "waitlisted",
        "offer",
        "offer_expired",
        "changed_while_offered",
        "pending",
        "not_approved",
        "no",
        "withdrawn_from_waitlist",
        "event_cancelled_for_waitlist",
        "link",
        "auth",
        "test",
    ],
)
def test_who_has_no_entry_gets_no_calendar_part(app: Flask, name: str) -> None:
    assert structure(read(written(app, name))) == ["multipart/alternative", "  text/plain", "  text/html"]


@pytest.mark.parametrize(
    ("name", "subject", "first"),
    [
        ("confirmation", "You are coming: A day of reflection", "You are coming, with one guest."),
        (
            "waitlisted",
            "You are on the waitlist: A day of reflection",
            "You are on the waitlist as a party of 2, number 3 in line.",
        ),
        ("maybe", "You said maybe: A day of reflection", "You said maybe. No place is held for you yet."),
        ("no", "You are not attending: A day of reflection", "You are not attending."),
        (
            "offer",
            "A place is yours if you accept it: A day of reflection",
            "2 places are yours if you accept them by Tuesday, October 6, 2026, 12:00 PM EDT.",
        ),
        (
            "offer_expired",
            "The offered place has gone to the next in line: A day of reflection",
            "You did not accept the offered place in time.",
        ),
        (
            "pending",
            "You have asked to come: A day of reflection",
            "You have asked to come, as a party of 2. An organizer decides.",
        ),
        (
            "not_approved",
            "Your request was not approved: A day of reflection",
            "Your request to come was not approved.",
        ),
        ("promotion", "You moved up from the waitlist: A day of reflection", "You are coming."),
        ("changed", "Your answer has changed: A day of reflection", "You are coming."),
        (
            "withdrawn",
            "Your registration is cancelled: A day of reflection",
            "Your registration is cancelled. You are not attending.",
        ),
        ("update", "Changed: A day of reflection", "A day of reflection has changed."),
        ("event_cancelled", "Cancelled: A day of reflection", "A day of reflection is cancelled."),
        ("link", "Your registration: A day of reflection", "Here is the link to your registration."),
        ("confirm_address", "Confirm your answer: A day of reflection", "Confirm your answer."),
        ("links", "Your registrations", "Here are the links to your 2 registrations."),
    ],
)
def test_first_comes_where_you_stand(app: Flask, name: str, subject: str, first: str) -> None:
    mail = read(written(app, name))
    assert mail["Subject"] == subject
    assert text_of(mail).splitlines()[0] == first
    assert re.findall(r"<h1[^>]*>([^<]+)</h1>", html_of(mail)) == [first]


def both(mail: EmailMessage) -> tuple[str, str]:
    return text_of(mail), html_of(mail)


def test_confirmation_holds_facts_answers_directions_and_one_link_in_both_parts(app: Flask) -> None:
    mail = read(written(app, "confirmation"))
    manage = LINKS.manage(7, 1)
    for part in both(mail):
        assert "Monday, October 19, 2026, 3:00-6:00 PM EDT" in part
        assert "TMEC Amphitheater, 260 Longwood Ave, Boston MA" in part
        assert "https://www.openstreetmap.org/search?query=260%20Longwood%20Ave%2C%20Boston%20MA" in part
        assert "https://meet.example.org/j/1" in part
        assert "Take the M2 to Longwood.\nDoor B, then up." in part
        assert "Vegetarian,\nno nuts" in part
        assert "Dietary or access needs" in part
        assert "olga@example.org" in part
        assert re.findall(r"https://events\.example\.org/r/[\w.-]+", part) == [manage]


@pytest.mark.parametrize(
    "name", ["waitlisted", "offer", "pending", "not_approved", "maybe", "no", "withdrawn", "event_cancelled"]
)
def test_join_link_and_directions_are_for_those_who_are_coming(app: Flask, name: str) -> None:
    message, given = REGISTRATION_MAILS[name]
    off = CANCELLED if name == "event_cancelled" else {}
    content = write(app, message, **given | {"event": celebration(**WITH_DIRECTIONS | off)})
    mail = read(content)
    everything = "\n".join([*both(mail), (calendar_of(mail) or b"").decode().replace("\r\n ", "")])
    assert "meet.example.org" not in everything
    assert "Door B" not in everything


def test_update_says_what_was_and_what_is_now(app: Flask) -> None:
    text = text_of(read(written(app, "update")))
    assert (
        "When\n"
        "  Was: Monday, October 26, 2026, 2:00-4:00 PM EDT\n"
        "  Now: Monday, October 19, 2026, 3:00-6:00 PM EDT\n"
        "Where\n"
        "  Was: Gordon Hall, 25 Shattuck St, Boston MA\n"
        "  Now: TMEC Amphitheater, 260 Longwood Ave, Boston MA\n"
    ) in text
    assert "You are coming, with one guest." in text


def test_update_of_the_join_link_shows_it_only_to_those_who_are_coming(app: Flask) -> None:
    moved = {"changes": {"online_url": ["…", "…"]}, "previous_event": BEFORE | {"online_url": "https://old.example/1"}}
    event = celebration(online_url="https://new.example/2")
    coming = text_of(read(write(app, row("update", **moved), event=event)))
    assert "  Was: https://old.example/1\n  Now: https://new.example/2\n" in coming
    waiting = text_of(read(write(app, row("update", status="waitlisted", **moved), event=event)))
    assert "old.example" not in waiting
    assert "new.example" not in waiting


def test_without_a_mailbox_the_mail_says_that_the_calendar_does_not_answer(app: Flask) -> None:
    sentence = "Accepting or declining it there does not change your RSVP; use the link."
    without, with_mailbox = (read(written(app, f"confirmation{end}")) for end in ("_without_mailbox", ""))
    assert all(sentence in part for part in both(without))
    assert not any(sentence in part for part in both(with_mailbox))
    assert without["Reply-To"] == "olga@example.org"
    assert with_mailbox["Reply-To"] == "rsvp+aaaaaaahahkdo5cnlowqjzhjbi@example.org"
    organizer = entry(calendar_of(with_mailbox) or b"")["ORGANIZER"]
    assert organizer == f"mailto:{with_mailbox['Reply-To']}"


@pytest.mark.parametrize(
    "contact", ["", "no address", "a@", "a@example.org, b@example.org", "a@example.org\nBcc: b@c.d"]
)
def test_an_event_without_a_contact_is_answered_by_the_site(app: Flask, contact: str) -> None:
    mail = read(write(app, row("confirmation"), event=celebration(contact_email=contact), reply_address=None))
    assert (mail["Reply-To"], mail["Bcc"]) == ("office@example.org", None)
    if not contact:
        assert "Questions? Write to office@example.org." in text_of(mail)


HOSTILE = '<b>Zoë</b>\r\nBcc: all@example.org, "李" 🎉 & =?utf-8?q?x?=\0 {{ 7*7 }} \ud800'


def test_hostile_title_and_answers_stay_text(app: Flask) -> None:
    event = celebration(title=HOSTILE, directions=HOSTILE, location_name=HOSTILE)
    person = amira(name="<script>alert(1)</script> http://evil.example/x")
    content = write(app, row("confirmation"), event=event, registration=person, answers=[("<i>Q</i>", HOSTILE)])
    mail = read(content)
    title = '<b>Zoë</b> Bcc: all@example.org, "李" 🎉 & =?utf-8?q?x?= {{ 7*7 }}'
    assert mail["Subject"] == f"You are coming: {title}"
    assert mail["Bcc"] is None
    text, html = both(mail)
    assert f"\n{title}\n" in text
    assert "&lt;b&gt;Zoë&lt;/b&gt;" in html
    assert not re.search(r"<(b|i|script)>", html)
    assert "49" not in html
    for part in (text, html):
        assert "evil.example" not in part
    assert mail.defects == []
    parsed(calendar_of(mail) or b"")


def test_links_in_a_mail_are_the_sites_the_maps_and_the_organizers(app: Flask) -> None:
    event = celebration(**WITH_DIRECTIONS)
    answers = [("Needs", 'javascript:alert(1) https://evil.example/ <a href="https://evil.example">x</a>')]
    html = html_of(read(write(app, row("confirmation"), event=event, answers=answers)))
    hosts = {re.sub(r"^(https://[^/]+).*", r"\1", address) for address in re.findall(r'href="([^"]+)"', html)}
    assert hosts == {"https://events.example.org", "https://www.openstreetmap.org", "https://meet.example.org"}


@pytest.mark.parametrize("length", [1, 60, 75, 120, 200])
@pytest.mark.parametrize("letter", ["a ", "é ", "李", "🎉 ", 'x, "y" <z> ', "日 a ; "])
def test_subject_of_any_length_and_script_arrives_as_it_was_written(app: Flask, letter: str, length: int) -> None:
    title = " ".join((letter * length)[:200].split())
    mail = read(write(app, row("confirmation"), event=celebration(title=title)))
    assert mail["Subject"] == f"You are coming: {title}"
    assert mail["From"].addresses[0].addr_spec == "events@example.org"


@pytest.mark.parametrize("name", ["Zoë’s, “Events”; 李 <x@evil.example>", 'A "b", c@d.example <e>', "Ünïcödé " * 20])
def test_any_site_name_leaves_one_sender(app: Flask, name: str) -> None:
    content = write(app, row("confirmation"), name=name)
    (sender,) = read(content)["From"].addresses
    assert sender.addr_spec == "events@example.org"
    # Python's newer reader puts a blank between encoded words of a name; its older one reads them as RFC 2047 says.
    words, _address = parseaddr(str(message_from_bytes(content)["From"]))
    assert str(make_header(decode_header(words))) == " ".join(name.split())


def test_a_name_in_the_recipients_address_cannot_add_another(app: Flask) -> None:
    message = row("confirmation")
    message.recipient = "amira@example.org, all@example.org"
    with pytest.raises(Exception, match=r"(?i)invalid|local|address"):
        write(app, message)


def test_the_same_row_gives_the_same_bytes_at_every_try(app: Flask, tmp_path: Path) -> None:
    assert written(app, "confirmation") == written(app, "confirmation")
    assert written(templates_app(tmp_path), "confirmation") == written(app, "confirmation")


@pytest.mark.parametrize("name", [name for name in REGISTRATION_MAILS if name not in {"reminder", "link"}])
def test_no_mail_carries_a_strangers_letter(app: Flask, name: str) -> None:
    """Whatever is typed into a form is mailed to whatever address is typed beside it."""
    message, given = REGISTRATION_MAILS[name]
    person = amira(name="Win a prize now " * 12, status=message.payload["status"], rsvp=message.payload["rsvp"])
    letter = [(f"Question {number}", f"Prize {number} " + "spam " * 600) for number in range(3)]
    notes = [(f"Note {number}", "cheap watches " * 6) for number in range(20)]
    options = given | {"registration": person, "answers": [*letter, *notes, ("Needs", "No nuts")]}
    text, html = both(read(write(app, message, **options)))
    for part in (text, html):
        assert "spam" not in part
        assert part.count("Win a prize") <= 5
        assert part.count("cheap watches") <= 24
    if "What you told us" in text:
        assert "Longer answers: on the page of your registration" in text
        assert "Needs: No nuts" in text
