"""The life of an invitation, line by line: each mail as a real mail server receives it, its calendar part whole."""

import contextvars
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from icalendar import Event as VEvent

from eventreg.db import db
from eventreg.mail import batch
from tests.flows.test_rsvp_journey import manage_path, rsvp
from tests.support.calendars import MAILBOX, entry, parsed
from tests.support.html import Page
from tests.support.letters import calendar_of, structure
from tests.support.outbox import states
from tests.support.smtp import SmtpServer, settings_for

GOLDEN = Path(__file__).parent / "golden"
UID = "5f0c1f0e-3f0e-4c53-9a5e-6b1f9d1f7a10@events.example.org"
WITH_ENTRY = [
    "multipart/mixed",
    "  multipart/alternative",
    "    text/plain",
    "    text/html",
    "    text/calendar",
    "  application/ics",
]
WITHOUT = ["multipart/alternative", "  text/plain", "  text/html"]


class Life:
    """One installation with a mail server, Olga at its desk, and everybody who answers."""

    def __init__(self, app: Any, client: Any, olga: Any, clock: Any, server: SmtpServer) -> None:
        self.app, self.client, self.olga, self.clock, self.server = app, client, olga, clock, server
        self.links: dict[str, str] = {}
        self.read = 0

    def mails(self) -> list[EmailMessage]:
        """What has arrived since the last look; an hour passes."""

        def deliver() -> None:
            with self.app.app_context():
                while batch.deliver_due(self.app, now=self.clock.now).claimed:
                    pass
                db.session.remove()

        contextvars.Context().run(deliver)
        new = self.server.messages[self.read :]
        self.read = len(self.server.messages)
        self.clock.now += timedelta(hours=1)
        for mail in new:
            whose = address(mail)
            if "/r/" in str(mail.get_body(("plain",))):
                self.links[whose] = manage_path(mail)
        return new

    def mail(self) -> EmailMessage:
        """The only one."""
        (only,) = self.mails()
        return only

    def answers(self, slug: str, **values: str) -> None:
        given = {"name": "Amira Haddad", "email": "amira@example.org", "rsvp": "yes", "party_size": "1", **values}
        assert rsvp(self.client, slug, **given).status_code == 200

    def changes(self, whose: str = "amira@example.org", **values: str) -> None:
        page = Page.of(self.client.get(self.links[whose]))
        assert page.submit(self.client, page.form("rsvp").set(**values)).status_code == 303

    def withdraws(self, whose: str = "amira@example.org") -> None:
        page = Page.of(self.client.get(self.links[whose]))
        assert page.submit(self.client, page.form(action="/cancel")).status_code == 303

    def edits(self, slug: str, **values: Any) -> None:
        page = Page.of(self.olga.get(f"/organize/events/{slug}/edit"))
        assert page.submit(self.olga, page.form("title").set(**values), button="save").status_code == 302

    def calls_off(self, slug: str) -> None:
        page = Page.of(self.olga.get(f"/organize/events/{slug}/cancel"))
        assert page.submit(self.olga, page.form(action=f"/organize/events/{slug}/cancel")).status_code == 302


@pytest.fixture
def begin(
    make_app: Any, make_client: Any, make_organizer: Any, sign_in: Any, clock: Any, smtp_server: SmtpServer
) -> Callable[..., Life]:
    """Begins a life with that mailbox for answers; None for none."""

    def make(mailbox: str | None = MAILBOX) -> Life:
        app = make_app(**settings_for(smtp_server), REPLY_ADDRESS=mailbox, CONTACT_EMAIL="office@example.org")
        make_organizer()
        olga = make_client(app)
        sign_in(olga)
        return Life(app, make_client(app), olga, clock, smtp_server)

    return make


@pytest.fixture
def celebrate(make_event: Any) -> Callable[..., str]:
    """Makes the anniversary; its slug."""

    def make(**given: Any) -> str:
        return str(make_event(uid=UID, title="Anniversary", slug="anniversary", **given).slug)

    return make


def address(mail: EmailMessage) -> str:
    (to,) = mail["To"].addresses
    return str(to.addr_spec)


def kept(name: str, mail: EmailMessage) -> VEvent:
    """The mail's entry, once the mail is found to be built as Outlook, Gmail and Apple want it and its part as kept."""
    assert structure(mail) == WITH_ENTRY
    alternative, attachment = mail.iter_parts()
    part = list(alternative.iter_parts())[-1]
    content = calendar_of(mail)
    assert content is not None
    assert content == (GOLDEN / f"{name}.ics").read_bytes()
    assert attachment.get_payload(decode=True) == content
    assert (attachment.get_content_disposition(), attachment.get_filename()) == ("attachment", "invite.ics")
    calendar, only = parsed(content), entry(content)
    assert dict(part["Content-Type"].params) == {
        "charset": "UTF-8",
        "method": calendar["METHOD"],
        "component": "VEVENT",
    }
    assert part.get_content_disposition() is None
    assert [sender.addr_spec for sender in mail["From"].addresses] == ["events@example.org"]
    reply_to = [one.addr_spec for one in mail["Reply-To"].addresses]
    if "ATTENDEE" in only:
        assert str(only["ATTENDEE"]) == f"mailto:{address(mail)}"
        assert [str(only["ORGANIZER"])] == [f"mailto:{one}" for one in reply_to] != [str(only["ATTENDEE"])]
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].endswith("@example.org>")
    assert mail["List-Unsubscribe"] is None
    return only


def one_entry(entries: list[VEvent]) -> None:
    """What makes all of them one entry of a calendar: UID and ORGANIZER stay, DTSTAMP rises, SEQUENCE never falls."""
    assert {str(one["UID"]) for one in entries} == {UID}
    assert len({str(one["ORGANIZER"]) for one in entries}) == 1
    stamps = [one.decoded("DTSTAMP") for one in entries]
    assert stamps == sorted(set(stamps))
    sequences = [one["SEQUENCE"] for one in entries]
    assert sequences == sorted(sequences)


@pytest.mark.parametrize(("mailbox", "kind"), [(MAILBOX, "request"), (None, "publish")])
def test_register_move_cancel_come_back_and_call_off(
    begin: Callable[..., Life], celebrate: Callable[..., str], mailbox: str | None, kind: str
) -> None:
    life, slug = begin(mailbox), celebrate()
    life.answers(slug)
    first = life.mail()
    life.edits(slug, starts_at="2026-11-05T15:00", ends_at="2026-11-05T18:00", location_name="Room 7")
    moved = life.mail()
    life.withdraws()
    left = life.mail()
    life.answers(slug, party_size="2")
    back = life.mail()
    life.calls_off(slug)
    off = life.mail()
    names = ("1-registered", "2-moved", "3-withdrawn", "4-registered-again", "5-called-off")
    mails = [first, moved, left, back, off]
    entries = [kept(f"{kind}-{name}", mail) for name, mail in zip(names, mails, strict=True)]
    one_entry(entries)
    assert [one["SEQUENCE"] for one in entries] == [0, 1, 1, 1, 2]
    assert [one.get("STATUS") for one in entries] == ["CONFIRMED", "CONFIRMED", None, "CONFIRMED", "CANCELLED"]
    methods = [parsed(calendar_of(mail) or b"")["METHOD"] for mail in mails]
    answer = "REQUEST" if mailbox else "PUBLISH"
    assert methods == [answer, answer, "CANCEL", answer, "CANCEL"]
    assert len({mail["Message-ID"] for mail in mails}) == 5
    words = moved.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "Wednesday, November 4, 2026, 11:00 AM-1:00 PM EST" in words
    assert "Thursday, November 5, 2026, 3:00-6:00 PM EST" in words
    if not mailbox:
        assert "does not change your RSVP" in first.get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_promotion_and_change_of_party(begin: Callable[..., Life], celebrate: Callable[..., str]) -> None:
    life, slug = begin(), celebrate(capacity=2)
    life.answers(slug, name="Wim", email="wim@example.org", party_size="2")
    life.mail()
    life.answers(slug, party_size="2")
    waits = life.mail()
    assert structure(waits) == WITHOUT
    life.withdraws("wim@example.org")
    mails = {address(mail): mail for mail in life.mails()}
    assert sorted(mails) == ["amira@example.org", "wim@example.org"]
    promoted = kept("promotion-1-promoted", mails["amira@example.org"])
    assert str(entry(calendar_of(mails["wim@example.org"]) or b"")["ORGANIZER"]) != str(promoted["ORGANIZER"])
    life.changes(party_size="1")
    fewer = kept("promotion-2-party-of-one", life.mail())
    one_entry([promoted, fewer])


def test_yes_maybe_no_and_yes_again(begin: Callable[..., Life], celebrate: Callable[..., str]) -> None:
    life, slug = begin(), celebrate()
    life.answers(slug)
    entries = [kept("answers-1-yes", life.mail())]
    for number, rsvp_now in enumerate(("maybe", "no", "yes"), start=2):
        life.changes(rsvp=rsvp_now)
        entries.append(kept(f"answers-{number}-{rsvp_now}", life.mail()))
    one_entry(entries)
    said = [one["ATTENDEE"].params.get("PARTSTAT") for one in entries]
    assert said == ["ACCEPTED", "TENTATIVE", None, "ACCEPTED"]


def test_no_from_the_start_has_no_entry(begin: Callable[..., Life], celebrate: Callable[..., str]) -> None:
    life, slug = begin(), celebrate()
    life.answers(slug, rsvp="no")
    assert structure(life.mail()) == WITHOUT


def test_all_day_online_event_renamed_and_a_word_put_right_in_silence(
    begin: Callable[..., Life], celebrate: Callable[..., str], now: Any
) -> None:
    life = begin()
    slug = celebrate(
        all_day=True,
        starts_at=now.replace(day=31, hour=4),
        ends_at=now.replace(month=11, day=2, hour=5),
        location_name="",
        location_address="",
        online_url="https://meet.example/j/1?pwd=x",
        directions="Have your *camera* on.",
    )
    life.answers(slug)
    entries = [kept("all-day-1-registered", life.mail())]
    life.edits(slug, summary="Looking back", notify=[])
    assert life.mails() == []
    life.edits(slug, title="Anniversary, twenty years; Zoë’s 🎉")
    entries.append(kept("all-day-2-renamed", life.mail()))
    one_entry(entries)
    assert [one["SEQUENCE"] for one in entries] == [0, 2]


def test_everything_within_one_second_still_rises(begin: Callable[..., Life], celebrate: Callable[..., str]) -> None:
    life, slug = begin(), celebrate()
    still, entries = life.clock.now, []
    for step in (life.answers, life.edits, life.withdraws, life.answers, life.withdraws, life.answers):
        given = {life.edits: ((slug,), {"location_name": "Room 7"}), life.answers: ((slug,), {})}.get(step, ((), {}))
        step(*given[0], **given[1])
        entries.append(entry(calendar_of(life.mail()) or b""))
        life.clock.now = still
    one_entry(entries)
    assert [one["SEQUENCE"] for one in entries] == [0, 1, 1, 1, 1, 1]


def test_corrected_address_is_another_recipient_with_another_organizer(
    begin: Callable[..., Life], celebrate: Callable[..., str], session: Any
) -> None:
    life, slug = begin(), celebrate()
    life.answers(slug)
    wrong = entry(calendar_of(life.mail()) or b"")
    people = Page.of(life.olga.get(f"/organize/events/{slug}/attendees"))
    page = Page.of(life.olga.get(people.link("Amira Haddad")))
    assert page.submit(life.olga, page.form("email").set(email="amira@example.net")).status_code == 302
    right = life.mail()
    assert address(right) == "amira@example.net"
    assert str(entry(calendar_of(right) or b"")["ORGANIZER"]) != str(wrong["ORGANIZER"])


def test_cancellation_sent_again_takes_the_entry_out_again(
    begin: Callable[..., Life], celebrate: Callable[..., str]
) -> None:
    life, slug = begin(), celebrate()
    life.answers(slug)
    entries = [entry(calendar_of(life.mail()) or b"")]
    life.withdraws()
    entries.append(entry(calendar_of(life.mail()) or b""))
    for _again in range(2):
        page = Page.of(life.olga.get(f"/organize/events/{slug}/attendees/1"))
        assert page.submit(life.olga, page.form(action="/resend")).status_code == 302
        mail = life.mail()
        assert parsed(calendar_of(mail) or b"")["METHOD"] == "CANCEL"
        entries.append(entry(calendar_of(mail) or b""))
    one_entry(entries)


def test_cancellation_that_was_held_up_does_not_arrive_after_they_came_back(
    begin: Callable[..., Life], celebrate: Callable[..., str], session: Any
) -> None:
    life, slug = begin(), celebrate()
    life.answers(slug)
    life.mail()
    life.withdraws()
    life.server.reply = "451 Try again later"
    assert life.mails() == []
    life.server.reply = "250 OK"
    life.answers(slug)
    assert parsed(calendar_of(life.mail()) or b"")["METHOD"] == "REQUEST"
    assert life.mails() == []
    assert [state for kind, state in states(session) if kind == "withdrawn"] == ["aborted"]
