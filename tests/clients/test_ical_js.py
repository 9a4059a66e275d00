"""ical.js, the parser of Thunderbird and Nextcloud, reads everything the service emits."""

import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from eventreg.calendar import invitation
from eventreg.events.models import Event
from eventreg.links import Links
from eventreg.registrations.models import Registration
from tests.support import needs
from tests.support.calendars import LINKS, MAILBOX, SITE, STAMP, amira, celebration

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "calendar" / "golden"
HOSTILE = 'Zoë’s talk; art, \\ "play" \\Nature é 李 🎉'

pytestmark = [pytest.mark.clients]


@pytest.fixture(autouse=True)
def _needs_ical_js() -> None:
    needs.require("ical.js")


def run(*paths: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["node", "read.mjs", *map(str, paths)], cwd=HERE, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    def read_all(*contents: bytes) -> list[dict[str, Any]]:
        paths = [tmp_path / f"{number}.ics" for number in range(len(contents))]
        for path, content in zip(paths, contents, strict=True):
            path.write_bytes(content)
        done = run(*paths)
        assert done.returncode == 0, done.stderr
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found

    return read_all


def test_every_kept_sample_is_read() -> None:
    done = run(*sorted(GOLDEN.glob("*.ics")))
    assert done.returncode == 0, done.stderr
    assert [len(calendar["events"]) for calendar in json.loads(done.stdout)] == [1, 1, 1, 2, 1, 1]


def test_invitation_update_and_cancellation_are_one_event_to_it(read: Callable[..., list[dict[str, Any]]]) -> None:
    given: dict[str, Any] = {"reply_address": MAILBOX, "stamp_at": STAMP, "links": LINKS, **SITE}
    first = invitation.request(celebration(), amira(), **given)
    moved = invitation.request(celebration(title=HOSTILE, sequence=3), amira(name=HOSTILE), **given)
    off = invitation.cancel(celebration(status="cancelled", sequence=4), amira(), **given)
    calendars = read(first, moved, off)
    events = [calendar["events"][0] for calendar in calendars]
    assert [calendar["method"] for calendar in calendars] == ["REQUEST", "REQUEST", "CANCEL"]
    assert len({event["uid"] for event in events}) == 1
    assert len({event["organizer"] for event in events}) == 1
    assert [event["sequence"] for event in events] == [2, 3, 4]
    assert [event["status"] for event in events] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]
    assert events[0]["attendees"] == [["mailto:amira@example.org", "Amira Haddad", "ACCEPTED"]]
    assert events[1]["summary"] == HOSTILE
    assert events[1]["attendees"] == [["mailto:amira@example.org", HOSTILE.replace("\\", "/"), "ACCEPTED"]]
    assert events[0]["start"] == "2026-10-19T19:00:00.000Z"


@pytest.mark.sqlite_only
def test_feeds_and_files_as_served_are_read(
    app: Flask,
    client: FlaskClient,
    make_event: Callable[..., Event],
    make_registration: Callable[..., Registration],
    read: Callable[..., list[dict[str, Any]]],
) -> None:
    links: Links = app.extensions["eventreg.links"]
    hostile = make_event(
        title=HOSTILE, location_name=HOSTILE, location_address="", summary="first\r\nsecond\x07\u2028third"
    )
    days = {"starts_at": datetime(2026, 10, 31, 4, tzinfo=UTC), "ends_at": datetime(2026, 11, 2, 5, tzinfo=UTC)}
    make_event(title="Two days", all_day=True, slug="two-days", **days)
    make_event(title="Off", status="cancelled")
    registration = make_registration(hostile)
    manage = links.manage_token(registration.id, registration.link_generation)
    personal = links.personal_feed(registration.id, registration.link_generation, 1).removeprefix(links.base_url)
    paths = ["/calendar.ics", "/calendar.ics?category=none", "/events/two-days.ics", f"/r/{manage}.ics", personal]
    feed, empty, file, own, mine = read(*(client.get(path).data for path in paths))
    assert empty["events"] == []
    assert [calendar["method"] for calendar in (feed, empty, file, own, mine)] == [
        None,
        None,
        "PUBLISH",
        "PUBLISH",
        None,
    ]
    two_days, *others = feed["events"]
    assert (two_days["start"], two_days["end"]) == ("2026-10-31", "2026-11-02")
    assert {(event["summary"], event["status"]) for event in others} == {
        (HOSTILE, "CONFIRMED"),
        ("Cancelled: Off", "CANCELLED"),
    }
    for calendar in (own, mine):
        (event,) = calendar["events"]
        assert (event["summary"], event["location"]) == (HOSTILE, HOSTILE)
        assert event["description"].startswith("first\nsecond\nthird\n\n")


@pytest.mark.parametrize(
    "broken",
    [
        b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nSUMMARY no colon\r\nEND:VCALENDAR\r\n",
        b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\n",
        b"",
    ],
)
def test_broken_calendar_is_refused_so_the_others_mean_something(tmp_path: Path, broken: bytes) -> None:
    path = tmp_path / "broken.ics"
    path.write_bytes(broken)
    assert run(path).returncode == 1
