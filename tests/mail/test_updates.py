"""What a mail about a changed event says, old and new, and where it leads when the event has no page for everybody."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask

from tests.support.calendars import LINKS, amira, celebration, entry, unfolded
from tests.support.letters import GOLDEN, calendar_of, read, row, templates_app, text_of, write

BEFORE = {
    "title": "Anniversary",
    "summary": "",
    "starts_at": "2026-10-19T19:00:00+00:00",
    "ends_at": "2026-10-19T21:00:00+00:00",
    "all_day": False,
    "timezone": "America/New_York",
    "location_name": "Gordon Hall",
    "location_address": "25 Shattuck St, Boston MA",
    "online_url": "https://meet.example.org/old",
}
EVERYTHING = {
    "changes": {name: ["…", "…"] for name in BEFORE if name != "all_day"}
    | {"description": ["", ""], "directions": ["", ""]},
    "previous_event": BEFORE,
}
NOW: dict[str, Any] = {
    "starts_at": datetime(2026, 10, 20, 13, tzinfo=UTC),
    "ends_at": datetime(2026, 10, 20, 15, tzinfo=UTC),
    "timezone": "Europe/Berlin",
    "online_url": "https://meet.example.org/new",
    "directions": "Door B, then up.",
    "sequence": 3,
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    return templates_app(tmp_path_factory.mktemp("instance"))


def changes_in(text: str) -> str:
    """The lines between the first sentence and where the person stands."""
    return text.partition("has changed.\n\n")[2].partition("\n\n\n")[0].partition("\n\nYou ")[0].strip()


def test_update_of_everything_is_byte_for_byte_what_it_was(app: Flask) -> None:
    content = write(app, row("update", **EVERYTHING), event=celebration(**NOW), is_in_calendar=True)
    assert content == (GOLDEN / "update_of_everything.eml").read_bytes()


def test_update_names_everything_that_changed_as_it_was_and_as_it_is(app: Flask) -> None:
    mail = read(write(app, row("update", **EVERYTHING), event=celebration(**NOW), is_in_calendar=True))
    assert changes_in(text_of(mail)).splitlines() == [
        "Title",
        "  Was: Anniversary",
        "  Now: A day of reflection",
        "When",
        "  Was: Monday, October 19, 2026, 3:00-5:00 PM EDT",
        "  Now: Tuesday, October 20, 2026, 3:00-5:00 PM CEST",
        "Where",
        "  Was: Gordon Hall, 25 Shattuck St, Boston MA, and online",
        "  Now: TMEC Amphitheater, 260 Longwood Ave, Boston MA, and online",
        "Join link",
        "  Was: https://meet.example.org/old",
        "  Now: https://meet.example.org/new",
        "Summary",
        "  Was: none",
        "  Now: Twenty years, and what comes next.",
        "Description",
        "  Was: as you may have read it",
        "  Now: changed; the event's page has it",
        "How to get there",
        "  Was: as you may have read it",
        "  Now: changed; you find them below",
    ]
    assert "Door B, then up." in text_of(mail)


def test_update_keeps_link_and_directions_from_who_is_not_coming_yet(app: Flask) -> None:
    message = row("update", **EVERYTHING, rsvp="maybe")
    text = text_of(read(write(app, message, event=celebration(**NOW), registration=amira(rsvp="maybe"))))
    assert "meet.example.org" not in text
    assert "Door B" not in text
    assert "How to get there\n  Was: as you may have read it\n  Now: changed\n" in text


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("confirmation", {}),
        ("update", {"changes": {"description": ["", ""]}, "previous_event": BEFORE}),
        ("withdrawn", {"status": "cancelled"}),
        ("event_cancelled", {}),
    ],
)
@pytest.mark.parametrize("hidden", [{"visibility": "private"}, {"status": "draft"}])
def test_mail_of_an_event_without_a_public_page_leads_to_the_persons_own(
    app: Flask, kind: str, given: dict[str, Any], hidden: dict[str, str]
) -> None:
    off = {"status": "cancelled", "visibility": "private"}
    event = celebration(**off if kind == "event_cancelled" else hidden)
    registration = amira(status=given.get("status", "confirmed"))
    mail = read(write(app, row(kind, **given), event=event, registration=registration, is_in_calendar=True))
    own = LINKS.manage(7, 1)
    content = calendar_of(mail)
    assert content is not None
    assert str(entry(content)["URL"]) == own
    assert unfolded(content).count(own) == 2
    for text in (mail.as_string(), text_of(mail), unfolded(content)):
        assert "/events/a-day-of-reflection" not in text
    assert own in text_of(mail)
    if kind == "update":
        assert "changed; your own page has it" in text_of(mail)


def test_who_declined_in_their_calendar_is_sent_no_removal(app: Flask) -> None:
    message = row("changed", rsvp="no", declined_in_calendar=True)
    assert calendar_of(read(write(app, message, registration=amira(rsvp="no"), is_in_calendar=True))) is None
    without = row("changed", rsvp="no")
    assert calendar_of(read(write(app, without, registration=amira(rsvp="no"), is_in_calendar=True))) is not None
