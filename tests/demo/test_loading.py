"""The demo calendar holds what people need to see, on every day of the year."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from eventreg import demo
from eventreg.db import write_transaction
from eventreg.demo import dates
from eventreg.events.models import Event
from eventreg.events.rules import Door, availability, is_past
from eventreg.organizers import service as organizers
from eventreg.outbox.models import Message
from eventreg.registrations import seats
from eventreg.registrations.models import Registration
from eventreg.timezones import to_wall


@pytest.fixture
def loaded(app, session, now) -> Session:
    with write_transaction(session):
        demo.load(session, now=now, links=app.extensions["eventreg.links"])
    return session


def by_title(session, beginning: str) -> Event:
    return session.scalars(sa.select(Event).where(Event.title.startswith(beginning))).one()


@pytest.mark.sqlite_only
def test_demo_loaded_owes_no_reminder_from_before(loaded, now) -> None:
    owed = loaded.scalars(sa.select(Event.slug).where(Event.remind_at <= now)).all()
    later = loaded.scalars(sa.select(Event.slug).where(Event.remind_at > now)).all()
    assert (owed, len(later) > 0) == ([], True)


@pytest.mark.sqlite_only
def test_demo_loaded_holds_one_of_each_kind_people_must_see(loaded, now) -> None:
    every = list(loaded.scalars(sa.select(Event)))
    doors = Counter(availability(event, now).door for event in every if event.status != "draft")
    assert len(every) >= 27
    assert {
        "drafts": sum(event.status == "draft" for event in every),
        "cancelled": doors[Door.CANCELLED],
        "full with a waitlist": doors[Door.WAITLIST],
        "not open yet": doors[Door.NOT_OPEN],
        "unlisted": sum(event.visibility == "unlisted" for event in every),
        "two days": sum(
            event.all_day and timedelta(hours=47) <= event.ends_at - event.starts_at <= timedelta(hours=49)
            for event in every
        ),
        "several past": doors[Door.PAST] >= 3,
        "without a limit": sum(event.capacity is None for event in every) >= 3,
        "online with a link": sum(bool(event.online_url) and not event.location_name for event in every),
    } == {
        "drafts": 1,
        "cancelled": 1,
        "full with a waitlist": 1,
        "not open yet": 1,
        "unlisted": 1,
        "two days": 1,
        "several past": True,
        "without a limit": True,
        "online with a link": 1,
    }
    named = {name for event in every for name in event.audience.split(", ")}
    assert named == {"Alumni", "Faculty", "Trainees", "Students", "Staff"}


@pytest.mark.sqlite_only
def test_celebration_is_an_upcoming_monday_afternoon_at_the_tmec(loaded, now) -> None:
    event = by_title(loaded, "Diversity Initiative Anniversary")
    starts, ends = to_wall(event.starts_at, event.timezone), to_wall(event.ends_at, event.timezone)
    assert (starts.strftime("%A %H:%M"), ends.strftime("%H:%M")) == ("Monday 15:00", "18:00")
    assert event.starts_at > now
    assert event.location_address.startswith("260 Longwood Ave, Boston MA")
    assert "TMEC" in event.location_name


@pytest.mark.parametrize("days", range(0, 730, 7))
def test_celebration_on_any_day_is_upcoming_on_a_monday_and_in_october_when_that_is_near(days: int) -> None:
    today = date(2026, 1, 1) + timedelta(days=days)
    when = {"october": True, "weeks": 5, "weekday": "monday"}
    found = dates.day(when, today)
    assert found.weekday() == 0
    assert timedelta(days=7) < found - today <= timedelta(weeks=10)
    if date(today.year, 8, 15) <= today <= date(today.year, 10, 10):
        assert found.month == 10


@pytest.mark.sqlite_only
def test_hostile_event_keeps_every_character(loaded) -> None:
    event = by_title(loaded, "Tea, ")
    for character in (",", ";", "\\", '"', "é", "李", "🎉"):
        assert character in event.title
        assert character in event.location_name + event.location_address
    assert "\n" in event.description


@pytest.mark.sqlite_only
def test_full_event_has_people_waiting_in_order(loaded) -> None:
    event = by_title(loaded, "Grand Rounds: listening")
    waiting = loaded.scalars(
        sa.select(Registration.party_size)
        .where(Registration.event_id == event.id, Registration.status == "waitlisted")
        .order_by(Registration.waitlisted_at)
    ).all()
    assert (event.seats_taken, event.capacity, waiting) == (40, 40, [1, 2, 1, 1])


@pytest.mark.sqlite_only
def test_event_that_approves_has_people_coming_and_people_asking(loaded) -> None:
    event = by_title(loaded, "Mentors' Supper")
    asking = loaded.scalars(
        sa.select(Registration.party_size)
        .where(Registration.event_id == event.id, Registration.status == "pending")
        .order_by(Registration.id)
    ).all()
    assert (event.needs_approval, event.seats_taken, asking) == (True, 17, [1, 2, 1])


def test_demo_counts_are_true_and_its_mail_is_never_sent(loaded) -> None:
    assert seats.recount(loaded) == []
    assert set(loaded.scalars(sa.select(Message.state).distinct())) == {"aborted"}
    assert all(email.endswith("@example.org") for email in loaded.scalars(sa.select(Registration.email)))


def test_demo_refuses_a_database_that_has_events(app, session, now, make_event) -> None:
    make_event()
    with pytest.raises(demo.DatabaseNotEmptyError), write_transaction(session):
        demo.load(session, now=now, links=app.extensions["eventreg.links"])
    assert session.scalar(sa.select(sa.func.count()).select_from(Event)) == 1


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    "moment",
    [
        datetime(2027, 2, 28, 5, 0, tzinfo=UTC),
        datetime(2027, 3, 14, 7, 30, tzinfo=UTC),  # the hour the clocks skip
        datetime(2027, 11, 7, 5, 30, tzinfo=UTC),  # the hour they repeat
        datetime(2028, 12, 31, 23, 59, tzinfo=UTC),
    ],
)
def test_demo_loads_on_awkward_days(app, session, moment) -> None:
    with write_transaction(session):
        demo.load(session, now=moment, links=app.extensions["eventreg.links"])
    upcoming = [event for event in session.scalars(sa.select(Event)) if not is_past(event, moment)]
    assert len(upcoming) >= 24


def test_account_made_for_the_demo_opens_the_desk_until_its_password_changes(app, session, now, instance) -> None:
    with write_transaction(session):
        account = demo.load(session, now=now, links=app.extensions["eventreg.links"])
    demo.account.keep(instance, account)
    assert (instance / "demo_account.json").stat().st_mode & 0o777 == 0o600
    assert demo.account.kept(session, instance) == account
    organizers.set_password(session, email=account.email, password="another good sentence", now=now)
    assert demo.account.kept(session, instance) is None
