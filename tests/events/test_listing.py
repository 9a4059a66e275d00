from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from eventreg.events import listing
from eventreg.events.listing import EventFilter, Place
from eventreg.events.models import Event
from eventreg.events.spans import LISTED
from tests.support.queries import Queries, query_counter

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
    days = listing.month(session, EventFilter(), first=first, now=now, timezone=ZONE)
    assert {day: [session.get_one(Event, one).title for one in ids] for day, ids in days.items()} == {
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
        shown |= listing.month(session, EventFilter(), first=first, now=now, timezone=ZONE)
    assert {day: [session.get_one(Event, one).title for one in ids] for day, ids in shown.items()} == {
        date(2026, 11, 1): ["In Tokyo"]
    }


def test_finding_costs_the_same_statements_however_much_is_found(
    session: Session, make_event: MakeEvent, now: datetime
) -> None:
    counts = []
    for _ in range(2):
        for _number in range(12):
            make_event()
        session.expire_all()
        with query_counter() as queries:
            page = listing.find(session, EventFilter(), now=now, timezone=ZONE)
            assert [event.title for event in page.events]
        counts.append(queries.count)
    assert counts == [3, 3]


def test_pages_follow_each_other_from_where_the_last_one_ended_both_ways(
    session: Session, make_event: MakeEvent, now: datetime
) -> None:
    for number in range(70):
        # Several begin at once, so that the place in the order needs more than the time.
        make_event(title=f"Event {number:02}", starts_at=now + timedelta(days=1, minutes=number // 3))
    for past in (False, True):
        at = now + timedelta(days=9 if past else 0)
        counted = [_page(session, at, past=past, page=number) for number in (1, 2, 3, 4)]
        assert [page.has_next for page in counted] == [True, True, True, False]
        walked = [counted[0]]
        for number in (2, 3, 4):
            walked.append(_page(session, at, past=past, page=number, after=Place.read(walked[-1].last)))
        assert [_titles(page) for page in walked] == [_titles(page) for page in counted]
        back = [walked[3]]
        for number in (3, 2):
            back.append(_page(session, at, past=past, page=number, before=Place.read(back[-1].first)))
        assert [_titles(page) for page in back] == [_titles(counted[index]) for index in (3, 2, 1)]


def _page(session: Session, now: datetime, *, after: Any = None, before: Any = None, **wanted: Any) -> listing.Page:
    return listing.find(session, EventFilter(**wanted), now=now, timezone=ZONE, after=after, before=before)


def _titles(page: listing.Page) -> list[str]:
    return [event.title for event in page.events]


@pytest.mark.parametrize(
    "given",
    ["", "x", "1", "1.2.3", "1e9.1", "99999999999999999999.1", "1.99999999999999", "1.2147483648", "-.1", "１.1"],
)
def test_place_that_is_none_is_left_out(given: str) -> None:
    assert Place.read(given) is None


def test_list_that_is_long_is_not_counted_to_its_end(
    session: Session, make_event: MakeEvent, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "MOST_COUNTED", 25)
    for number in range(30):
        make_event(starts_at=now + timedelta(days=1, minutes=number))
    page = _page(session, now)
    assert (page.total, page.is_counted, page.has_next) == (26, False, True)


@pytest.mark.parametrize("days", [6, 7, 8, 400])
def test_event_that_began_long_ago_is_under_way_until_it_ends(
    session: Session, make_event: MakeEvent, now: datetime, days: int
) -> None:
    make_event(title="Exhibition", starts_at=now - timedelta(days=days), ends_at=now + timedelta(seconds=1))
    make_event(title="Talk", starts_at=now + timedelta(days=1))
    assert titles(session, now) == ["Exhibition", "Talk"]
    assert titles(session, now, from_on=now.date(), to_on=now.date()) == ["Exhibition"]
    assert titles(session, now + timedelta(seconds=1)) == ["Talk"]
    assert titles(session, now + timedelta(seconds=1), past=True) == ["Exhibition"]


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        ({}, "ix_events_listed"),
        ({"page": 40}, "ix_events_listed"),
        ({"past": True}, "ix_events_listed"),
        ({"category": "talks"}, "ix_events_listed_category"),
        ({"from_on": date(2026, 10, 8), "to_on": date(2026, 10, 9)}, "ix_events_listed"),
        ({}, "ix_events_long"),
    ],
)
def test_list_is_read_from_an_index(
    session: Session, make_event: MakeEvent, now: datetime, wanted: dict[str, Any], index: str
) -> None:
    make_event()
    many(session, now)
    with query_counter() as queries:
        _page(session, now, **wanted)
    for statement in queries.statements[:2]:
        planned = plan(session, statement, queries)
        # PostgreSQL may prefer another index while the table is small, but never has to read it whole.
        assert index in planned if session.get_bind().dialect.name == "sqlite" else "Seq Scan on" not in planned


def test_rare_word_is_found_by_the_index_of_words(session: Session, make_event: MakeEvent, now: datetime) -> None:
    make_event(title="Singular")
    many(session, now)
    with query_counter() as queries:
        assert titles(session, now, q="singular") == ["Singular"]
        session.execute(select(Event.id).where(LISTED, Event.search_text.contains("singular")))
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    if not is_sqlite:
        session.execute(text("SET LOCAL enable_indexscan = off"))
    planned = plan(session, queries.statements[0 if is_sqlite else -1], queries)
    assert ("VIRTUAL TABLE" if is_sqlite else "ix_events_search_text_trgm") in planned


def many(session: Session, now: datetime) -> None:
    """A thousand events behind, and as many ahead, so that reading all of them is worse than an index."""
    organizer_id = session.scalar(text("SELECT min(id) FROM organizers"))
    session.execute(
        insert(Event),
        [
            {
                "uid": f"{number}@many", "slug": f"many-{number}", "organizer_id": organizer_id, "title": "Day",
                "search_text": f"a day like any other, the {number}th of them", "status": "published",
                "starts_at": now + timedelta(hours=number), "ends_at": now + timedelta(hours=number + 1),
                "timezone": "UTC", "category_key": f"kind-{number % 50}", "created_at": now, "updated_at": now,
            }
            for number in range(-1000, 1000)
        ],
    )  # fmt: skip
    if session.get_bind().dialect.name == "postgresql":
        # New rows wait in a list before the index of words; until the next vacuum all of it is read, at its cost.
        session.execute(text("SELECT gin_clean_pending_list('ix_events_search_text_trgm')"))
    session.commit()
    session.execute(text("ANALYZE events"))
    session.commit()


def plan(session: Session, statement: str, queries: Queries) -> str:
    """How the database would answer a statement it has been sent."""
    given = queries.parameters[queries.statements.index(statement)]
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    if not is_sqlite:  # which reads a table of a thousand rows whole where it may
        session.execute(text("SET LOCAL enable_seqscan = off"))
    rows = session.connection().exec_driver_sql(f"EXPLAIN {'QUERY PLAN ' * is_sqlite}{statement}", given).all()
    return "\n".join(str(row) for row in rows)


def test_narrowed_is_whatever_leaves_something_out() -> None:
    assert not EventFilter(page=3).is_narrowed
    assert replace(EventFilter(), past=True).is_narrowed
