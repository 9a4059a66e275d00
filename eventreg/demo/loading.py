"""Loading the calendar file through the services: events, the people who answered, who waits, what was cancelled."""

import tomllib
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from eventreg.audit import Actor
from eventreg.demo import account as demo_account
from eventreg.demo import dates
from eventreg.demo.account import Account
from eventreg.errors import EventRegError
from eventreg.events import queries, schedule, search
from eventreg.events import service as events
from eventreg.events.models import Event
from eventreg.events.values import EventValues
from eventreg.links import Links
from eventreg.organizers import service as organizers
from eventreg.outbox.models import Message
from eventreg.registrations import approval, event_changes
from eventreg.registrations import service as registrations
from eventreg.registrations.service import AnswerForm
from eventreg.timezones import local_date

FOLDER = Path(__file__).resolve().parent
ACTOR = Actor.system("demo")
ANNOUNCED_BEFORE = timedelta(days=45)
"""How long before the first of now and its start an event was put up."""
PARTIES = (1, 2, 1, 1, 3, 1, 2, 1)
"""Sizes of the parties that answer, in turn."""


class DatabaseNotEmptyError(EventRegError):
    """The database already has events, which the demo must not be mixed with."""


def has_events(session: Session) -> bool:
    """Whether there is any event at all."""
    return session.scalar(select(Event.id).limit(1)) is not None


def load(session: Session, *, now: datetime, links: Links) -> Account:
    """Fills an empty database and returns the account of its organizer.

    Raises: DatabaseNotEmptyError.
    """
    if has_events(session):
        raise DatabaseNotEmptyError(_("This database already has events, so the demo was not loaded into it."))
    account = demo_account.new()
    organizer = organizers.find(session, account.email)
    if organizer is None:
        organizer = organizers.add(
            session, email=account.email, name="Olga Ortega", password=account.password, now=now, actor=ACTOR
        )
    else:
        organizers.set_password(session, email=account.email, password=account.password, now=now)
    calendar = _read("calendar.toml")
    people = _People(_read("people.toml"))
    for entry in calendar["events"]:
        _add_event(session, calendar["defaults"] | entry, people, organizer_id=organizer.id, now=now, host=links.host)
    # Written last: whatever the services queued is for addresses that do not exist, and nobody is reminded late.
    session.execute(update(Message).values(state="aborted", server_reply=_("Part of the demo, never sent.")))
    session.execute(update(Event).where(Event.remind_at <= now).values(remind_at=None))
    session.flush()
    return account


def _add_event(
    session: Session, entry: Mapping[str, Any], people: "_People", *, organizer_id: int, now: datetime, host: str
) -> None:
    values = _values(entry, today=local_date(now, entry["timezone"]))
    announced_at = min(now, values.starts_at) - ANNOUNCED_BEFORE
    event = events.create(session, values=values, organizer_id=organizer_id, actor=ACTOR, now=announced_at, host=host)
    state = entry.get("state", "published")
    if state == "draft":
        return
    events.publish(session, event_id=event.id, actor=ACTOR, now=announced_at + timedelta(hours=1))
    last = min(now, values.registration_closes_at or values.starts_at)
    _register(session, event, entry, people, first=announced_at + timedelta(hours=2), last=last)
    if state == "cancelled":
        event_changes.call_off(session, event_id=event.id, actor=ACTOR, now=now)


def _values(entry: Mapping[str, Any], *, today: date) -> EventValues:
    timezone, when = entry["timezone"], entry["when"]
    starts, ends = dates.span(when, today)
    starts_at, ends_at = schedule.instants(starts, ends, timezone=timezone, all_day=when.get("all_day", False))
    window = entry.get("registration", {})
    kept = {name: entry[name] for name in EventValues.__dataclass_fields__ if name in entry}
    return EventValues(
        **kept
        | {
            "description": entry["description"].strip(),
            "directions": " ".join(entry.get("directions", "").split()),
            "audience": tuple(entry["audience"]),
            "all_day": when.get("all_day", False),
            "starts_at": starts_at,
            "ends_at": ends_at,
            "registration_opens_at": _instant(window.get("opens"), today, timezone),
            "registration_closes_at": _instant(window.get("closes"), today, timezone),
        }
    )


def _instant(when: Mapping[str, Any] | None, today: date, timezone: str) -> datetime | None:
    if when is None:
        return None
    return schedule.instant(dates.clock_time(dates.day(when, today), when["at"]), timezone, field="starts_at")


def _register(
    session: Session, event: Event, entry: Mapping[str, Any], people: "_People", *, first: datetime, last: datetime
) -> None:
    """Answers spread evenly between two instants; exactly `taken` seats are taken, then the others come."""
    coming = list(_parties(entry.get("taken", 0), event.max_party_size))
    parties = coming + entry.get("waiting", []) + entry.get("asking", [])
    if not parties:
        return
    needs_question = queries.questions(session, event.id)[0].id
    for number, (size, (name, email, needs)) in enumerate(zip(parties, people.some(len(parties)), strict=True)):
        at = first + (last - first) * number / len(parties)
        form = AnswerForm(name=name, email=email, rsvp="yes", party_size=size, answers={needs_question: needs})
        now = at.replace(microsecond=0)
        made = registrations.register(session, event_id=event.id, form=form, now=now)
        if made.status == "pending" and number < len(coming):
            approval.approve(session, registration_id=made.registration_id, actor=ACTOR, now=now)


def _parties(seats: int, largest: int) -> Iterator[int]:
    """Sizes of parties that fill exactly that many seats.

    >>> list(_parties(6, 2))
    [1, 2, 1, 1, 1]
    """
    for size in cycle(PARTIES):
        if seats <= 0:
            return
        party = min(size, largest, seats)
        seats -= party
        yield party


class _People:
    """The demo's people in turn, so that nobody answers the same event twice."""

    def __init__(self, listed: Mapping[str, list[str]]) -> None:
        self._names = listed["names"]
        self._everybody = cycle(zip(self._names, map(_address, self._names), strict=True))
        self._needs = cycle(listed["needs"])

    def some(self, count: int) -> Iterator[tuple[str, str, str]]:
        """The next people as (name, address, needs); at most as many as there are."""
        if count > len(self._names):
            raise ValueError(f"{count} parties, but the demo has {len(self._names)} people")
        for name, email in islice(self._everybody, count):
            yield name, email, next(self._needs)


def _address(name: str) -> str:
    return f"{search.key(name).replace('-', '.')}@example.org"


def _read(name: str) -> dict[str, Any]:
    with (FOLDER / name).open("rb") as file:
        return tomllib.load(file)
