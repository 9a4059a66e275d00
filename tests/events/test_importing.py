"""Imported events: drafts, brought up to date as long as nobody has touched them."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from eventreg.audit import Actor, AuditEntry
from eventreg.calendar.reading import read
from eventreg.db import db, write_transaction
from eventreg.events import importing, service
from eventreg.events.importing import Item, Outcome
from eventreg.events.models import Event, Question
from eventreg.events.values import EventValues, values_of
from eventreg.organizers.models import Organizer
from tests.calendar import mutations
from tests.support.queries import query_counter
from tests.support.site import everything

ACTOR = Actor.system("test")
Take = Callable[..., Outcome]


@pytest.fixture
def item(now: datetime) -> Item:
    starts_at = now + timedelta(days=14)
    values = EventValues(
        title="Brown bag",
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=1),
        timezone="Europe/Berlin",
        description="Bring lunch",
    )
    return Item(uid="bag@google.com", values=values, sequence=4, stamp_at=now - timedelta(days=3))


@pytest.fixture
def take(session: Session, make_organizer: Callable[..., Organizer], now: datetime) -> Take:
    olga = make_organizer().id

    def take_one(item: Item, *, organizer_id: int = olga) -> Outcome:
        with write_transaction(session):
            (outcome,) = importing.take(session, [item], organizer_id=organizer_id, actor=ACTOR, now=now)
        return outcome

    return take_one


def only(session: Session) -> Event:
    session.expire_all()
    return session.scalars(sa.select(Event)).one()


def facts(outcome: Outcome) -> tuple[str, str]:
    return outcome.kind, outcome.why


def later(item: Item, *, sequence: int | None = None, **changed: Any) -> Item:
    assert item.stamp_at is not None
    number = item.sequence + 1 if sequence is None else sequence
    stamp_at = item.stamp_at + timedelta(hours=1)
    return replace(item, values=replace(item.values, **changed), sequence=number, stamp_at=stamp_at)


def test_item_becomes_a_draft_with_its_uid_and_numbers(take: Take, item: Item, session: Session) -> None:
    assert facts(take(item)) == ("taken", "")
    event = only(session)
    assert (event.uid, event.status, event.sequence, event.source_sequence, event.source_id) == (
        "bag@google.com",
        "draft",
        4,
        4,
        None,
    )
    assert values_of(event) == item.values
    assert b"\r\nSEQUENCE:4\r\n" in (event.ics_block or b"")
    assert session.scalars(sa.select(AuditEntry.action)).all() == ["event.imported"]


def test_value_that_is_none_on_purpose_stays_none(take: Take, item: Item, session: Session) -> None:
    take(replace(item, values=replace(item.values, reminder_hours=None)))
    assert only(session).reminder_hours is None


def test_item_with_a_page_names_it_in_its_description(take: Take, item: Item, session: Session) -> None:
    take(replace(item, url="https://example.org/bag"))
    assert only(session).description == "Bring lunch\n\nMore: <https://example.org/bag>"


def test_same_file_again_changes_nothing(take: Take, item: Item, session: Session) -> None:
    take(item)
    before = everything(session)
    assert facts(take(item)) == ("unchanged", "")
    assert everything(session) == before


def test_later_version_brings_an_untouched_draft_up_to_date(take: Take, item: Item, session: Session) -> None:
    take(item)
    assert facts(take(later(item, title="Brown bag lunch", sequence=9))) == ("changed", "")
    event = only(session)
    assert (event.title, event.uid, event.source_sequence, event.sequence) == (
        "Brown bag lunch",
        "bag@google.com",
        9,
        9,
    )
    assert facts(take(item)) == ("skipped", "The draft here is from a later version of the file.")


def test_sequence_rises_where_the_source_forgot_to_raise_its_own(take: Take, item: Item, session: Session) -> None:
    take(item)
    take(later(item, title="Brown bag lunch", sequence=4))
    assert (only(session).sequence, only(session).source_sequence) == (5, 4)


def test_what_was_edited_published_or_cancelled_here_stays(take: Take, item: Item, session: Session, now) -> None:
    take(item)
    event_id = only(session).id
    news = later(item, title="Other")

    def after(change: Callable[..., Any], **given: Any) -> str:
        with write_transaction(session):
            change(session, event_id=event_id, actor=ACTOR, now=now, **given)
        outcome = take(news)
        assert (outcome.kind, only(session).title, outcome.slug) == ("skipped", "Mine", "brown-bag")
        return outcome.why

    assert after(service.update, values=replace(item.values, title="Mine")) == (
        "It was edited here since it was imported."
    )
    assert after(service.publish) == "It is published here."
    assert after(service.cancel) == "It was cancelled here."


def test_uid_of_somebody_else_is_skipped_and_shows_nothing(
    take: Take, item: Item, session: Session, make_organizer
) -> None:
    other = make_organizer("other@example.org", name="Other").id
    take(item, organizer_id=other)
    before = everything(session)
    outcome = take(later(item, title="Mine now"))
    assert (facts(outcome), outcome.slug) == (("skipped", "An event of another organizer has its UID."), "")
    assert everything(session) == before


def test_cancelled_item_is_no_draft_and_cancels_none(take: Take, item: Item, session: Session) -> None:
    called_off = replace(item, is_cancelled=True)
    assert facts(take(called_off)) == ("skipped", "It is cancelled.")
    take(item)
    assert facts(take(called_off)) == ("skipped", "It is cancelled in the file; its draft is still here.")
    assert only(session).status == "draft"


def test_private_item_is_a_private_draft(take: Take, item: Item, session: Session) -> None:
    take(replace(item, is_private=True))
    assert only(session).visibility == "private"


def test_item_that_breaks_a_rule_loses_no_other(take: Take, item: Item, session: Session) -> None:
    bad = replace(item, uid="bad", values=replace(item.values, ends_at=item.values.starts_at))
    assert facts(take(bad)) == ("skipped", "The end must come after the start.")
    assert facts(take(item)) == ("taken", "")
    assert only(session).uid == "bag@google.com"


def take_all(session: Session, items: Sequence[Item], olga: int, now: datetime) -> list[tuple[str, str]]:
    with write_transaction(session):
        return [facts(one) for one in importing.take(session, items, organizer_id=olga, actor=ACTOR, now=now)]


def test_many_items_are_told_of_in_their_order(item: Item, session: Session, make_organizer, now) -> None:
    olga = make_organizer().id
    take_all(session, [replace(item, uid="known")], olga, now)
    no_time = replace(item.values, ends_at=item.values.starts_at)
    items = [
        replace(item, uid="first"),
        later(replace(item, uid="known"), title="Other"),
        replace(item, uid="bad", values=no_time),
        replace(item, uid="off", is_cancelled=True),
        replace(item, uid="last", is_private=True),
    ]
    assert take_all(session, items, olga, now) == [
        ("taken", ""),
        ("changed", ""),
        ("skipped", "The end must come after the start."),
        ("skipped", "It is cancelled."),
        ("taken", ""),
    ]
    found = session.execute(sa.select(Event.uid, Event.slug, Event.title, Event.visibility).order_by(Event.id)).all()
    assert found == [
        ("known", "brown-bag", "Other", "public"),
        ("first", "brown-bag-2", "Brown bag", "public"),
        ("last", "brown-bag-3", "Brown bag", "private"),
    ]
    asked = session.execute(sa.select(Question.event_id, Question.label).order_by(Question.event_id)).all()
    assert asked == [
        (number, "Dietary or access needs") for number in session.scalars(sa.select(Event.id).order_by(Event.id))
    ]


def test_uid_that_comes_twice_is_one_event(item: Item, session: Session, make_organizer, now) -> None:
    items = [replace(item, uid="a"), item, later(item, title="Newer"), replace(item, uid="z")]
    kinds = [kind for kind, _why in take_all(session, items, make_organizer().id, now)]
    assert kinds == ["taken", "taken", "changed", "taken"]
    assert session.scalars(sa.select(Event.title).order_by(Event.id)).all() == ["Brown bag", "Newer", "Brown bag"]


def test_item_that_somebody_adds_at_this_moment_loses_no_other(
    app: Flask, item: Item, session: Session, make_organizer, now
) -> None:
    olga = make_organizer().id
    items = [replace(item, uid="a"), item, replace(item, uid="z")]

    def elsewhere() -> list[tuple[str, str]]:
        with app.app_context():
            return take_all(db.session(), items, olga, now)

    with ThreadPoolExecutor(1) as pool:
        with write_transaction(session):
            importing.take(session, [item], organizer_id=olga, actor=ACTOR, now=now)
            second = pool.submit(elsewhere)
            time.sleep(0.3)  # it has seen no such event by now, and waits for us
        assert second.result(timeout=600) == [("taken", ""), ("unchanged", ""), ("taken", "")]
    assert session.scalars(sa.select(Event.slug).order_by(Event.id)).all() == [
        "brown-bag",
        "brown-bag-2",
        "brown-bag-3",
    ]


@pytest.mark.parametrize("title", ["Weekly", "Talk {}"])
def test_statements_do_not_grow_with_the_number_of_items(
    item: Item, session: Session, make_organizer, now, database_kind: str, title: str
) -> None:
    olga = make_organizer().id

    def items(count: int, version: int = 0) -> list[Item]:
        one = replace(item, stamp_at=now + timedelta(hours=version), sequence=4 + version)
        values = replace(item.values, description=f"{version}")
        return [
            replace(one, uid=f"{count}.{number}", values=replace(values, title=title.format(number)))
            for number in range(count)
        ]

    def cost(given: list[Item], kind: str) -> int:
        with query_counter() as queries:
            assert take_all(session, given, olga, now) == [(kind, "")] * len(given)
        return queries.count

    # UIDs, addresses, the events, their questions, the audit trail, the counter. SQLAlchemy gives SQLite the events
    # one by one, as that does not say which number is whose.
    one_by_one = int(database_kind == "sqlite")
    assert [cost(items(count), "taken") for count in (1, 8)] == [6, 6 + 7 * one_by_one]
    # UIDs, and who has worked on them.
    assert [cost(items(count), "unchanged") for count in (1, 8)] == [2, 2]
    # The same, each event and its entry in the audit trail, the counter.
    assert [cost(items(count, version=1), "changed") for count in (1, 8)] == [3 + 2, 3 + 2 * 8]


def test_hundreds_of_files_gone_wrong_change_no_other_event(
    take: Take, session: Session, make_event, make_organizer, now
) -> None:
    stranger = make_event(uid="4kq1s2g8@google.com", organizer=make_organizer("o@example.org"), title="Not yours")
    make_event(title="Mine", uid="8B1C2F7A-0001")
    taken = 0

    def others() -> list[Any]:
        return list(session.execute(sa.select(*Event.__table__.c).where(Event.title.in_(["Not yours", "Mine"]))))

    before = others()
    for data in mutations.mutated(7, 200):
        found = read(data, now=now, default_timezone="America/New_York", horizon=now + timedelta(days=20))
        taken += sum(take(one).kind in {"taken", "changed"} for one in found.items)
    assert (others(), taken > 30, stranger.title) == (before, True, "Not yours")
