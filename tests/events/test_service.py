"""The life of an event: draft, published, changed, cancelled, duplicated."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from eventreg.audit import Actor, AuditEntry
from eventreg.db import db, write_transaction
from eventreg.errors import EventStateError, InvalidField, NotFound
from eventreg.events import queries, service
from eventreg.events.models import Event
from eventreg.events.values import EventValues, values_of

OLGA = Actor("organizer", 1, "Olga Ortega")


def values(now, **given) -> EventValues:
    starts = now + timedelta(days=14)
    return EventValues(
        **{
            "title": "Anniversary celebration",
            "starts_at": starts,
            "ends_at": starts + timedelta(hours=3),
            "timezone": "America/New_York",
            "audience": ("alumni", "staff"),
            "category": "Talks & Lectures",
            **given,
        }
    )


def create(session, organizer_id: int, now, **given) -> Event:
    with write_transaction(session):
        return service.create(
            session,
            values=values(now, **given),
            organizer_id=organizer_id,
            actor=OLGA,
            now=now,
            host="events.example.org",
        )


@pytest.fixture
def olga_id(make_organizer) -> int:
    return make_organizer().id


def test_created_event_is_a_draft_with_the_first_question(session, olga_id, now) -> None:
    event = create(session, olga_id, now)
    assert (event.status, event.slug, event.sequence, event.seats_taken) == ("draft", "anniversary-celebration", 0, 0)
    assert event.uid.endswith("@events.example.org")
    assert (event.category_key, event.audience, event.audience_keys) == (
        "talks-lectures",
        "alumni, staff",
        "|alumni|staff|",
    )
    assert [one.label for one in queries.questions(session, event.id)] == ["Dietary or access needs"]


def test_addresses_stay_unique_and_never_hide_a_page_of_the_desk(session, olga_id, now) -> None:
    slugs = [
        create(session, olga_id, now, title=title).slug
        for title in ("A b", "A: b", "a b", "New", "李", "🎉", "x" * 200)
    ]
    assert slugs == ["a-b", "a-b-2", "a-b-3", "new-2", "event", "event-2", "x" * 80]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"title": "  "}, "title"),
        ({"ends_at": datetime(2020, 1, 1, tzinfo=UTC)}, "ends_at"),
        ({"capacity": 0}, "capacity"),
        ({"max_party_size": 0}, "max_party_size"),
        ({"visibility": "secret"}, "visibility"),
        ({"waitlist_rule": "lottery"}, "waitlist_rule"),
        ({"online_url": "javascript:alert(1)"}, "online_url"),
        ({"registration_closes_at": datetime(2036, 1, 1, tzinfo=UTC)}, "registration_closes_at"),
        ({"registration_opens_at": datetime(2036, 1, 1, tzinfo=UTC)}, "registration_opens_at"),
    ],
)
def test_value_that_breaks_a_rule_names_its_field(session, olga_id, now, given, field) -> None:
    with pytest.raises(InvalidField) as refused:
        create(session, olga_id, now, **given)
    assert refused.value.field == field


def test_sequence_rises_with_time_place_title_text_and_status_and_only_then(session, olga_id, now) -> None:
    event = create(session, olga_id, now)
    event_id = event.id

    def after(**changed) -> tuple[int, int]:
        wanted = replace(values_of(session.get(Event, event_id)), **changed)
        with write_transaction(session):
            service.update(session, event_id=event_id, values=wanted, actor=OLGA, now=now)
        found = session.get(Event, event_id)
        return found.sequence, found.significant_sequence

    assert after(title="The anniversary") == (1, 0)
    assert after(description="More") == (2, 0)
    assert after(location_name="TMEC") == (3, 3)
    assert after(directions="Left") == (4, 3)
    assert after(capacity=10, max_party_size=3, category="Talk", visibility="unlisted") == (4, 3)
    assert after(ends_at=event.ends_at + timedelta(hours=1)) == (5, 5)
    with write_transaction(session):
        service.publish(session, event_id=event_id, actor=OLGA, now=now)
    with write_transaction(session):
        service.publish(session, event_id=event_id, actor=OLGA, now=now)
    assert session.get(Event, event_id).sequence == 6
    with write_transaction(session):
        assert service.cancel(session, event_id=event_id, actor=OLGA, now=now) is True
    with write_transaction(session):
        assert service.cancel(session, event_id=event_id, actor=OLGA, now=now) is False
    assert (session.get(Event, event_id).sequence, session.get(Event, event_id).significant_sequence) == (7, 7)


def test_second_change_within_one_second_is_a_second_later(session, olga_id, now) -> None:
    event = create(session, olga_id, now)
    seen = [event.updated_at]
    for title in ("One", "Two", "Two"):
        with write_transaction(session):
            wanted = replace(values_of(session.get(Event, event.id)), title=title)
            service.update(session, event_id=event.id, values=wanted, actor=OLGA, now=now)
        seen.append(session.get(Event, event.id).updated_at)
    assert seen == [now, now + timedelta(seconds=1), now + timedelta(seconds=2), now + timedelta(seconds=2)]


def test_every_change_leaves_an_audit_entry_with_old_and_new(session, olga_id, now) -> None:
    event = create(session, olga_id, now)
    wanted = replace(values_of(event), capacity=30, title="Renamed")
    with write_transaction(session):
        service.update(session, event_id=event.id, values=wanted, actor=OLGA, now=now)
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "event.changed")).one()
    assert (entry.actor_name, entry.event_id, entry.changes) == (
        "Olga Ortega",
        event.id,
        {"capacity": [None, 30], "title": ["Anniversary celebration", "Renamed"]},
    )


def test_draft_that_is_over_cannot_be_published_and_a_draft_not_cancelled(session, olga_id, now) -> None:
    event = create(session, olga_id, now)
    with pytest.raises(EventStateError, match="nobody has seen it"), write_transaction(session):
        service.cancel(session, event_id=event.id, actor=OLGA, now=now)
    with pytest.raises(EventStateError, match="has passed"), write_transaction(session):
        service.publish(session, event_id=event.id, actor=OLGA, now=now + timedelta(days=30))


def test_unknown_event_is_not_found(session, now) -> None:
    with pytest.raises(NotFound), write_transaction(session):
        service.publish(session, event_id=7, actor=OLGA, now=now)


def test_duplicate_is_a_draft_with_the_form_and_no_people(make_event, make_registration, session, now) -> None:
    original = make_event(
        title="Reflection",
        starts_at=now + timedelta(days=23),
        capacity=9,
        registration_closes_at=now + timedelta(days=3),
        questions=[{"label": "Food"}, {"label": "Old", "retired_at": now}],
    )
    make_registration(original)
    before = values_of(original)
    with write_transaction(session):
        copy = service.duplicate(
            session, event_id=original.id, organizer_id=original.organizer_id, actor=OLGA, now=now, host="x.example.org"
        )
    assert (copy.status, copy.slug, copy.seats_taken, copy.capacity, copy.registration_closes_at) == (
        "draft",
        "reflection-2",
        0,
        9,
        None,
    )
    assert copy.uid != original.uid
    assert copy.starts_at == original.starts_at + timedelta(weeks=1, hours=1), "the same hour across the clock change"
    assert [one.label for one in queries.questions(session, copy.id, include_retired=True)] == ["Food"]
    assert values_of(session.get(Event, original.id)) == before


def test_two_events_of_one_title_made_at_the_same_moment_get_two_addresses(app, session, olga_id, now) -> None:
    def elsewhere() -> str:
        with app.app_context():
            return create(db.session(), olga_id, now).slug

    with ThreadPoolExecutor(1) as pool:
        with write_transaction(session):
            given = {"values": values(now), "organizer_id": olga_id, "actor": OLGA, "now": now, "host": "example.org"}
            first = service.create(session, **given).slug
            second = pool.submit(elsewhere)
            time.sleep(0.3)  # it has chosen the same address by now, and waits for us
        assert (first, second.result(timeout=600)) == ("anniversary-celebration", "anniversary-celebration-2")
