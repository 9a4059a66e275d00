"""ical.js (Thunderbird), `ical` (Home Assistant, strict) and libical (Evolution) read everything the service emits."""

import sys
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from eventreg.calendar import entry_text, invitation
from eventreg.calendar.text import one_line
from eventreg.events.models import Event
from eventreg.links import Links
from eventreg.organizers.models import Organizer
from eventreg.registrations.models import Registration
from tests.support import checkers
from tests.support.calendars import LINKS, MAILBOX, SITE, STAMP, amira, celebration, entries, parsed, values

ROOT = Path(__file__).parents[1]
DAYS = {"starts_at": datetime(2026, 10, 31, 4, tzinfo=UTC), "ends_at": datetime(2026, 11, 2, 5, tzinfo=UTC)}

pytestmark = [pytest.mark.clients]
by_each = pytest.mark.parametrize("checker", sorted(checkers.COMMANDS))


def of_every_category() -> str:
    """Three characters of each Unicode category, lone surrogates and unassigned ones too."""
    found: dict[str, list[str]] = {}
    for number in range(sys.maxunicode + 1):
        kept = found.setdefault(unicodedata.category(chr(number)), [])
        if len(kept) < 3:
            kept.append(chr(number))
    assert len(found) == 30
    return "".join("".join(kept) for _name, kept in sorted(found.items()))


HOSTILE = {
    "marks": 'Zoë’s talk; art, \\ "play" \\Nature é 李 🎉 \\n',
    "every category": f"A{of_every_category()}Z",
    "10,000 characters": "Zoë’s 李🎉, " * 1000,
    "10,000 without a blank": "é" * 10_000,
    "control characters": "A" + "".join(map(chr, range(32))) + "".join(map(chr, range(0x7F, 0xA0))) + "Z",
    "lone surrogates": "A\ud800 \udfff\ud83c Z",
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈👍🏽 " * 20,
    "lines": "A\r\nB\nC\rD\u2028E\u2029F\x85G\x0bH\x0cI\r\nEND:VEVENT\r\nX-EVIL:1",
    "right to left": "\u202eabc\u2066 שלום \u200f",
    "colons": "BEGIN:VEVENT:;=,",
    "blanks at folds": ("x" * 66 + " " * 9) * 5,
}


@lru_cache(maxsize=1)
def messages() -> dict[str, bytes]:
    """Mail parts and files, of every kind."""
    given: dict[str, Any] = {"reply_address": MAILBOX, "stamp_at": STAMP, "links": LINKS, **SITE}
    silent = given | {"reply_address": None}
    off = celebration(status="cancelled", sequence=4)
    whole_days = celebration(all_day=True, **DAYS)
    made = {
        "request": invitation.request(celebration(), amira(), **given),
        "maybe": invitation.request(celebration(), amira(rsvp="maybe"), **given),
        "update": invitation.request(celebration(sequence=3, title="Moved"), amira(), **given),
        "publish": invitation.request(celebration(), amira(), **silent),
        "event cancelled": invitation.cancel(off, amira(), **given),
        "event cancelled, published": invitation.cancel(off, amira(), **silent),
        "withdrawn": invitation.cancel(celebration(), amira(), **given),
        "withdrawn, published": invitation.cancel(celebration(), amira(), **silent),
        "all day": invitation.request(whole_days, amira(), **given),
        "private": invitation.request(celebration(visibility="private"), amira(), **given),
        "file": entry_text.event_file(celebration(), links=LINKS, **SITE),
        "file, cancelled": entry_text.event_file(off, links=LINKS, **SITE),
        "my file": invitation.own_file(celebration(), amira(), links=LINKS, **SITE),
        "my file, withdrawn": invitation.own_file(celebration(), amira(status="cancelled"), links=LINKS, **SITE),
    }
    for name, text in HOSTILE.items():
        event = celebration(
            title=text, summary=text, description=text, directions=text, location_name=text, category=text
        )
        made[name] = invitation.request(event, amira(name=text), **given)
    return made


COMPARED = ("uid", "summary", "start", "end", "location", "description", "sequence", "status")


def ours(content: bytes) -> dict[str, Any]:
    """What icalendar finds, in the checkers' words."""
    calendar = parsed(content)
    rows = []
    for one in entries(content):
        written = values(one)
        rows.append(
            {
                "uid": str(one["UID"]),
                "summary": str(one["SUMMARY"]),
                "start": written["DTSTART"],
                "end": written["DTEND"],
                "location": str(one["LOCATION"]) if "LOCATION" in one else None,
                "description": str(one["DESCRIPTION"]),
                "sequence": one["SEQUENCE"],
                "status": str(one["STATUS"]) if "STATUS" in one else None,
            }
        )
    return {"method": str(calendar["METHOD"]) if "METHOD" in calendar else None, "events": rows}


def theirs(found: dict[str, Any]) -> dict[str, Any]:
    """The same from a checker; the order of a feed is compared elsewhere."""
    if "error" in found:
        return found
    rows = [{name: row[name] for name in COMPARED} for row in found["events"]]
    return {"method": found["method"] or None, "events": rows}


@by_each
def test_every_message_and_file_is_read_as_it_was_meant(checker: str, tmp_path: Path) -> None:
    made = messages()
    found = checkers.read(checker, made, tmp_path)
    assert {name: theirs(one) for name, one in found.items()} == {name: ours(one) for name, one in made.items()}
    for name, text in HOSTILE.items():
        assert found[name]["events"][0]["summary"] == one_line(text), name


@by_each
def test_every_kept_sample_is_read(checker: str, tmp_path: Path) -> None:
    kept = {path.name: path.read_bytes() for path in sorted(ROOT.glob("*/golden/*.ics"))}
    assert len(kept) >= 20
    assert not [name for name, content in kept.items() if b"VTIMEZONE" in content or b"TZID" in content]
    found = checkers.read(checker, kept, tmp_path)
    assert {name: theirs(one) for name, one in found.items()} == {name: ours(one) for name, one in kept.items()}


def test_invitation_update_and_cancellation_are_one_event_with_one_attendee(tmp_path: Path) -> None:
    made = messages()
    found = checkers.read("ical.js", {name: made[name] for name in ("request", "update", "withdrawn")}, tmp_path)
    (first,), (moved,), (left,) = (found[name]["events"] for name in ("request", "update", "withdrawn"))
    assert first["organizer"] == moved["organizer"] == left["organizer"]
    assert first["attendees"] == [["mailto:amira@example.org", "Amira Haddad", "ACCEPTED"]]
    assert left["attendees"] == [["mailto:amira@example.org", "Amira Haddad", None]]


@pytest.mark.sqlite_only
@by_each
def test_feeds_and_files_as_served_are_read(
    app: Flask,
    client: FlaskClient,
    make_event: Callable[..., Event],
    make_registration: Callable[..., Registration],
    make_organizer: Callable[..., Organizer],
    checker: str,
    tmp_path: Path,
) -> None:
    links: Links = app.extensions["eventreg.links"]
    marks = HOSTILE["marks"]
    hostile = make_event(title=marks, location_name=marks, location_address="", category=marks, capacity=5)
    make_event(title="Emoji", summary=HOSTILE["emoji"], description=HOSTILE["10,000 characters"])
    make_event(title="Two days", all_day=True, slug="two-days", **DAYS)
    make_event(title="Off", status="cancelled")
    make_event(title="Idea", status="draft")
    registration = make_registration(hostile)
    make_registration(hostile, email="wim@example.org", status="waitlisted")
    olga = make_organizer()
    manage = links.manage_token(registration.id, registration.link_generation)
    served = {
        path: client.get(path.removeprefix(links.base_url)).data
        for path in (
            "/calendar.ics",
            "/calendar.ics?category=zoe-s-talk-art-play-nature-e-n",
            "/calendar.ics?q=two+days&from=2026-10-30&to=2026-11-05",
            "/calendar.ics?category=none",
            "/events/two-days.ics",
            f"/r/{manage}.ics",
            links.personal_feed(registration.id, registration.link_generation, 1),
            links.desk_feed(olga.id, olga.feed_generation),
        )
    }
    found = checkers.read(checker, served, tmp_path)
    assert {name: theirs(one) for name, one in found.items()} == {name: ours(one) for name, one in served.items()}
    assert [len(one["events"]) for one in found.values()] == [4, 1, 1, 0, 1, 1, 1, 5]


GOOD = (ROOT / "calendar" / "golden" / "request.ics").read_bytes()
BROKEN = {
    "a property without a colon": GOOD.replace(b"SUMMARY:", b"SUMMARY "),
    "no end": GOOD.partition(b"END:VEVENT")[0],
    "nothing": b"",
    "a moment that is none": GOOD.replace(b"DTSTART:20261019T190000Z", b"DTSTART:20261399T990000Z"),
    "no PRODID and VERSION": GOOD.replace(b"VERSION:2.0\r\n", b"").replace(
        b"PRODID:-//eventreg//Community calendar//EN\r\n", b""
    ),
    "bytes that are no UTF-8": GOOD.replace(b"A day of", b"A \xff of"),
    "a title in two lines": GOOD.replace(b"A day of", b"A\r\nday of"),
    "no UID": b"".join(line for line in GOOD.splitlines(keepends=True) if not line.startswith(b"UID")),
    "no DTSTAMP": b"".join(line for line in GOOD.splitlines(keepends=True) if not line.startswith(b"DTSTAMP")),
    "a control character": GOOD.replace(b"A day of", b"A \x01 of"),
    "two UIDs": GOOD.replace(b"SEQUENCE:", b"UID:another\r\nSEQUENCE:"),
}
"""Each is a fault that the service could once have made."""
EACH = {"a property without a colon", "no end", "nothing", "bytes that are no UTF-8", "a title in two lines"}
REFUSED = {
    "ical.js": EACH | {"no PRODID and VERSION"},
    "ical": EACH | {"a moment that is none", "a control character", "two UIDs"},
    "libical": EACH | {"no PRODID and VERSION", "no UID", "no DTSTAMP", "two UIDs"},
}
"""What each of them bites on; together they know every one."""


@by_each
def test_broken_calendars_are_refused_so_the_others_mean_something(checker: str, tmp_path: Path) -> None:
    found = checkers.read(checker, {"good": GOOD} | BROKEN, tmp_path)
    assert "error" not in found["good"]
    assert {name for name in BROKEN if "error" in found[name]} == REFUSED[checker]


def test_every_fault_is_refused_by_one_of_them() -> None:
    assert set.union(*REFUSED.values()) == set(BROKEN)
