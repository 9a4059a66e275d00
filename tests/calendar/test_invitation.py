from pathlib import Path
from typing import Any

import pytest

from eventreg.calendar import entry_text, invitation
from eventreg.registrations.models import Registration
from tests.support.calendars import LINKS, MAILBOX, SITE, STAMP, amira, celebration, entry, parsed, unfolded, values

GOLDEN = Path(__file__).parent / "golden"
OWN_ADDRESS = "mailto:rsvp+aaaaaaahahkdo5cnlowqjzhjbi@example.org"


def request(event: Any = None, registration: Registration | None = None, **options: Any) -> bytes:
    given = {"reply_address": MAILBOX, "stamp_at": STAMP, "links": LINKS, **SITE} | options
    return invitation.request(event or celebration(), registration or amira(), **given)


def cancel(event: Any = None, **options: Any) -> bytes:
    given = {"reply_address": MAILBOX, "stamp_at": STAMP, "links": LINKS, **SITE} | options
    return invitation.cancel(event or celebration(), amira(), **given)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("request", request()),
        ("publish", request(reply_address=None)),
        ("cancel_registration", cancel()),
        ("cancel_event", cancel(celebration(status="cancelled", sequence=3))),
        ("event_file", entry_text.event_file(celebration(), links=LINKS, **SITE)),
    ],
)
def test_message_is_byte_for_byte_what_it_was(name: str, content: bytes) -> None:
    assert content == (GOLDEN / f"{name}.ics").read_bytes()
    parsed(content)


@pytest.mark.parametrize(("rsvp", "partstat"), [("yes", "ACCEPTED"), ("maybe", "TENTATIVE"), ("no", "DECLINED")])
def test_request_has_the_recipient_as_its_only_attendee_with_their_answer(rsvp: str, partstat: str) -> None:
    attendee = entry(request(registration=amira(rsvp=rsvp)))["ATTENDEE"]
    assert str(attendee) == "mailto:amira@example.org"
    assert dict(attendee.params) == {
        "CN": "Amira Haddad",
        "CUTYPE": "INDIVIDUAL",
        "PARTSTAT": partstat,
        "ROLE": "REQ-PARTICIPANT",
        "RSVP": "TRUE",
    }


def test_organizer_is_the_same_own_address_in_every_message_of_a_registration() -> None:
    moved = celebration(sequence=9, title="Moved")
    contents = [request(), request(moved), request(registration=amira(rsvp="maybe")), cancel(), cancel(moved)]
    assert {str(entry(content)["ORGANIZER"]) for content in contents} == {OWN_ADDRESS}
    assert str(entry(request(registration=amira(id=8)))["ORGANIZER"]) != OWN_ADDRESS
    local_part = OWN_ADDRESS.removeprefix("mailto:").partition("@")[0]
    assert len(local_part.encode()) <= 64
    assert local_part == local_part.lower()


def test_mailbox_given_with_a_name_is_plus_addressed_too() -> None:
    assert str(entry(request(reply_address="Answers <rsvp@example.org>"))["ORGANIZER"]) == OWN_ADDRESS


def test_without_a_mailbox_for_answers_the_request_is_a_publication() -> None:
    content = request(reply_address=None)
    assert (parsed(content)["METHOD"], invitation.request_method(None)) == ("PUBLISH", "PUBLISH")
    assert "ATTENDEE" not in entry(content)
    assert str(entry(content)["ORGANIZER"]) == "mailto:olga@example.org"


def test_site_contact_stands_in_for_an_event_without_its_own() -> None:
    content = entry_text.event_file(celebration(contact_email=""), links=LINKS, **SITE)
    assert str(entry(content)["ORGANIZER"]) == "mailto:events@example.org"


def test_update_keeps_uid_and_raises_sequence_and_cancellation_too() -> None:
    first, moved = request(), request(celebration(sequence=3))
    off = cancel(celebration(sequence=4, status="cancelled"))
    assert [parsed(content)["METHOD"] for content in (first, moved, off)] == ["REQUEST", "REQUEST", "CANCEL"]
    assert len({entry(content)["UID"] for content in (first, moved, off)}) == 1
    assert [entry(content)["SEQUENCE"] for content in (first, moved, off)] == [2, 3, 4]
    assert entry(off)["STATUS"] == "CANCELLED"


def test_withdrawal_cancels_without_a_status_and_without_an_answer() -> None:
    only = entry(cancel())
    assert "STATUS" not in only
    assert "PARTSTAT" not in only["ATTENDEE"].params


@pytest.mark.parametrize(
    ("rsvp", "status", "shows"),
    [
        ("yes", "confirmed", True),
        ("maybe", "confirmed", False),
        ("no", "confirmed", False),
        ("yes", "waitlisted", False),
        ("yes", "pending", False),
        ("yes", "cancelled", False),
    ],
)
def test_join_link_is_shown_to_a_confirmed_yes_alone(rsvp: str, status: str, shows: bool) -> None:
    event = celebration(online_url="https://meet.example/j/1")
    person = amira(rsvp=rsvp, status=status)
    own = invitation.own_file(event, person, links=LINKS, **SITE)
    assert ("meet.example" in unfolded(own)) is shows
    assert ("meet.example" in unfolded(request(event, person))) is shows
    assert "meet.example" not in unfolded(cancel(event))
    assert "meet.example" not in unfolded(entry_text.event_file(event, links=LINKS, **SITE))


def test_join_link_is_gone_once_the_event_is_cancelled() -> None:
    event = celebration(online_url="https://meet.example/j/1", status="cancelled")
    assert "meet.example" not in unfolded(invitation.own_file(event, amira(), links=LINKS, **SITE))


@pytest.mark.parametrize(
    ("rsvp", "status", "method", "shown"),
    [
        ("yes", "confirmed", "PUBLISH", "CONFIRMED"),
        ("maybe", "confirmed", "PUBLISH", "TENTATIVE"),
        ("yes", "waitlisted", "PUBLISH", "TENTATIVE"),
        ("no", "confirmed", "CANCEL", None),
        ("yes", "cancelled", "CANCEL", None),
    ],
)
def test_own_file_says_where_the_person_stands(rsvp: str, status: str, method: str, shown: str | None) -> None:
    content = invitation.own_file(celebration(), amira(rsvp=rsvp, status=status), links=LINKS, **SITE)
    assert parsed(content)["METHOD"] == method
    assert entry(content).get("STATUS") == shown
    assert "ATTENDEE" not in entry(content)


def test_own_file_is_as_new_as_the_answer() -> None:
    own = values(entry(invitation.own_file(celebration(), amira(), links=LINKS, **SITE)))
    assert (own["DTSTAMP"], own["LAST-MODIFIED"]) == ("20261005T160000Z", "20261005T160000Z")


def test_hostile_name_and_address_stay_inside_the_attendee() -> None:
    person = amira(name='A "B"; C\\D\r\nX-EVIL:1', email="a;b\r\nX-EVIL:2@example.org")
    only = entry(request(registration=person))
    assert only["ATTENDEE"].params["CN"] == 'A "B"; C/D X-EVIL:1'
    assert str(only["ATTENDEE"]) == "mailto:a%3Bb%20X-EVIL%3A2@example.org"
    assert "X-EVIL" not in only
