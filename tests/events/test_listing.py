from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from eventreg.events import listing
from eventreg.events.listing import Choice, EventFilter
from eventreg.events.models import Event
from tests.support.queries import query_counter

ZONE = "America/New_York"
MakeEvent = Callable[..., Event]


def titles(session: Session, now: datetime, **wanted: Any) -> list[str]:
    return [event.title for event in listing.find(session, EventFilter(**wanted), now=now, timezone=ZONE).events]


def test_list_holds_public_events_to_come_in_order_and_no_other(
    session: Session, make_event: MakeEvent, now: datetime
) -> None:
    make_event(title="Later", starts_at=now + timedelta(days=2))
    make_event(title="Sooner", starts_at=now + timedelta(days=1))
    make_event(title="Under way", starts_at=now - timedelta(hours=1))
    make_event(title="Called off", starts_at=now + timedelta(days=3), status="cancelled")
    make_event(title="Draft", status="draft")
    make_event(title="Unlisted", visibility="unlisted")
    make_event(title="Private", visibility="private")
    make_event(title="Over", starts_at=now - timedelta(days=1))
    make_event(title="Called off and over", starts_at=now - timedelta(days=1), status="cancelled")
    assert titles(session, now) == ["Under way", "Sooner", "Later", "Called off"]
    assert titles(session, now, past=True) == ["Over"]


def test_past_events_come_latest_first(session: Session, make_event: MakeEvent, now: datetime) -> None:
    make_event(title="Long ago", starts_at=now - timedelta(days=300))
    make_event(title="Yesterday", starts_at=now - timedelta(days=1))
    assert titles(session, now, past=True) == ["Yesterday", "Long ago"]


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("cafe", ["Café & Ideas"]),
        ("CAFÉ  ideas", ["Café & Ideas"]),
        ("ideas tea", []),
        ("100%", ["100% sure_thing"]),
        ("%", ["100% sure_thing"]),
        ("_", ["100% sure_thing"]),
        ("\\", []),
        ("longwood", ["100% sure_thing", "Café & Ideas"]),
        ("\x00", ["100% sure_thing", "Café & Ideas"]),
        ("x" * 5000, []),
        ("\ud800", ["100% sure_thing", "Café & Ideas"]),
    ],
)
def test_search_finds_words_whatever_their_accents_and_takes_wildcards_at_their_word(
    session: Session, make_event: MakeEvent, now: datetime, q: str, found: list[str]
) -> None:
    make_event(title="Café & Ideas")
    make_event(title="100% sure_thing")
    assert sorted(titles(session, now, q=q)) == found


def test_filters_combine(session: Session, make_event: MakeEvent, now: datetime) -> None:
    common = {"category": "Talks", "audience": ("Faculty", "Students"), "starts_at": now + timedelta(days=4)}
    make_event(title="Tea talk", **common)
    make_event(title="Tea party", **common | {"category": "Parties"})
    make_event(title="Tea for staff", **common | {"audience": ("Staff",)})
    make_event(title="Tea too late", **common | {"starts_at": now + timedelta(days=40)})
    make_event(title="Coffee talk", **common)
    wanted = {
        "q": "tea",
        "category": "talks",
        "audience": "students",
        "from_on": date(2026, 10, 6),
        "to_on": date(2026, 10, 12),
    }
    assert titles(session, now, **wanted) == ["Tea talk"]
    assert titles(session, now, **wanted | {"audience": "student"}) == []


def test_dates_are_days_of_the_site_and_keep_what_touches_them(
    session: Session, make_event: MakeEvent, now: datetime
) -> None:
    evening = datetime(2026, 10, 20, 2, 0, tzinfo=UTC)  # October 19, 10 PM in New York
    make_event(title="Evening", starts_at=evening, ends_at=evening + timedelta(hours=1))
    midnight = datetime(2026, 10, 17, 4, 0, tzinfo=UTC)
    make_event(title="Two days", starts_at=midnight, ends_at=midnight + timedelta(days=2), all_day=True)
    days = {day: titles(session, now, from_on=day, to_on=day) for day in (date(2026, 10, n) for n in range(16, 21))}
    assert days == {
        date(2026, 10, 16): [],
        date(2026, 10, 17): ["Two days"],
        date(2026, 10, 18): ["Two days"],
        date(2026, 10, 19): ["Evening"],
        date(2026, 10, 20): [],
    }


def test_a_first_day_in_the_past_is_taken_at_its_word(session: Session, make_event: MakeEvent, now: datetime) -> None:
    make_event(title="Over", starts_at=now - timedelta(days=3))
    make_event(title="To come")
    assert titles(session, now, from_on=now.date() - timedelta(days=5)) == ["Over", "To come"]
    assert titles(session, now, from_on=now.date() - timedelta(days=5), past=True) == ["Over"]


def test_pages_hold_twenty_each_and_a_page_beyond_them_none(
    session: Session, make_event: MakeEvent, now: datetime
) -> None:
    for number in range(45):
        make_event(title=f"Event {number:02}", starts_at=now + timedelta(days=1, minutes=number))
    seen: list[str] = []
    for number in (1, 2, 3, 4, 1_000_000):
        page = listing.find(session, EventFilter(page=number), now=now, timezone=ZONE)
        assert (page.total, page.pages, page.number) == (45, 3, number)
        seen += [event.title for event in page.events]
    assert seen == [f"Event {number:02}" for number in range(45)]


def test_month_shows_days_of_an_event_that_lie_in_it(session: Session, make_event: MakeEvent, now: datetime) -> None:
    start = datetime(2026, 9, 29, 4, 0, tzinfo=UTC)
    make_event(title="Over the edge", starts_at=start, ends_at=start + timedelta(days=4), all_day=True)
    make_event(title="Called off and over", starts_at=now - timedelta(days=2), status="cancelled")
    make_event(title="In November", starts_at=datetime(2026, 11, 1, 4, 0, tzinfo=UTC))
    first = date(2026, 10, 1)
    found = listing.month(session, EventFilter(), first=first, now=now, timezone=ZONE)
    days = listing.by_day(found, first=first, last=listing.month_end(first))
    assert {day: [event.title for event in events] for day, events in days.items()} == {
        date(2026, 10, 1): ["Over the edge"],
        date(2026, 10, 2): ["Over the edge"],
    }


def test_event_of_another_zone_is_in_the_month_of_its_own_calendar(
    session: Session, make_event: MakeEvent, now: datetime
) -> None:
    # 8:00 on November 1 in Tokyo, when it is still October at the site.
    make_event(title="In Tokyo", starts_at=datetime(2026, 10, 31, 23, 0, tzinfo=UTC), timezone="Asia/Tokyo")
    shown = {}
    for first in (date(2026, 10, 1), date(2026, 11, 1)):
        found = listing.month(session, EventFilter(), first=first, now=now, timezone=ZONE)
        shown |= listing.by_day(found, first=first, last=listing.month_end(first))
    assert {day: [event.title for event in events] for day, events in shown.items()} == {
        date(2026, 11, 1): ["In Tokyo"]
    }


def test_choices_name_what_listed_events_name(session: Session, make_event: MakeEvent, now: datetime) -> None:
    make_event(category="Talks", audience=("Staff", "Alumni"))
    make_event(category="Walks", audience=("Staff",), starts_at=now - timedelta(days=9))
    make_event(category="Hidden", audience=("Nobody",), visibility="unlisted")
    assert listing.choices(session, now=now) == listing.Choices(
        categories=(
            Choice("talks", "Talks", upcoming=True, past=False),
            Choice("walks", "Walks", upcoming=False, past=True),
        ),
        audiences=(
            Choice("alumni", "Alumni", upcoming=True, past=False),
            Choice("staff", "Staff", upcoming=True, past=True),
        ),
    )


def test_finding_costs_two_statements_however_much_is_found(
    session: Session, make_event: MakeEvent, now: datetime
) -> None:
    counts = []
    for _ in range(2):
        for _number in range(12):
            make_event()
        session.expire_all()
        with query_counter() as queries:
            page = listing.find(session, EventFilter(q="day"), now=now, timezone=ZONE)
            assert [event.title for event in page.events]
        counts.append(queries.count)
    assert counts == [2, 2]


@pytest.mark.sqlite_only
def test_list_is_served_by_the_index_of_listed_events(session: Session, make_event: MakeEvent) -> None:
    make_event()
    query = f"SELECT id FROM events WHERE {listing.LISTED} ORDER BY starts_at, id"
    assert "ix_events_listed" in str(session.execute(text(f"EXPLAIN QUERY PLAN {query}")).all())


def test_narrowed_is_whatever_leaves_something_out() -> None:
    assert not EventFilter(page=3).is_narrowed
    assert replace(EventFilter(), past=True).is_narrowed
