"""The attendee list as one header and rows, read as they are needed.

Two statements whatever the size: the questions, and the registrations with their answers.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import chain
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import DateTime, func, select, type_coerce
from sqlalchemy.orm import Session

from eventreg import timezones
from eventreg.events import queries as events
from eventreg.events.models import Event, Question
from eventreg.exports.cells import clean
from eventreg.registrations.models import Answer, Registration
from eventreg.registrations.queries import AttendeeFilter, narrowed, ordered
from eventreg.registrations.seats import IN_LINE

Cell = str | int | datetime | None
BATCH = 500
"""Records fetched at a time."""
DAYS = 1000
"""Days whose offset from UTC is remembered while a list is written."""
DATES = frozenset({"offered_until", "registered_at", "changed_at", "checked_in_at"})
OURS = DATES | {"rsvp", "status", "party_size", "waitlist_position"}
"""Columns in which nobody's own words stand: numbers, instants, and what a CHECK allows."""


@dataclass(frozen=True, slots=True)
class Table:
    """`keys` and `titles` name the registration's own columns and, after them, one column per question.

    `keys` holds only the former; the cells of each row are in the order of `titles`. None is an empty cell.
    `timezone` is the event's, in which instants are told.
    """

    keys: tuple[str, ...]
    titles: tuple[str, ...]
    rows: Iterator[list[Cell]]
    timezone: str = "UTC"


def attendees(session: Session, event: Event, filters: AttendeeFilter, *, as_dates: bool = False) -> Table:
    """Everybody on the event's list who meets the filter, in its order.

    Instants are ISO 8601 in the event's zone; `as_dates` gives wall clocks of that zone, naive, instead.
    """
    own = _own_columns()
    questions = events.questions(session, event.id, include_retired=True)
    titles = _distinct([*own.values(), *(clean(question.label) for question in questions)])
    local = _wall_clock(event.timezone) if as_dates else _in_zone(event.timezone)
    return Table(tuple(own), titles, _rows(session, event, filters, questions, local), event.timezone)


def _own_columns() -> dict[str, str]:
    return {
        "name": _("Name"),
        "email": _("Email"),
        "rsvp": _("RSVP"),
        "status": _("Status"),
        "party_size": _("Party size"),
        "waitlist_position": _("Waitlist position"),
        "offered_until": _("Offered until"),
        "registered_at": _("Registered at"),
        "changed_at": _("Changed at"),
        "checked_in_at": _("Checked in at"),
        "source": _("Source"),
        "note": _("Note"),
    }


def _distinct(titles: Sequence[str]) -> tuple[str, ...]:
    """The same titles, a repeated one numbered, so that every column can be named."""
    seen: set[str] = set()
    made: list[str] = []
    for title in titles:
        name, number = title, 2
        while name in seen:
            name, number = f"{title} ({number})", number + 1
        seen.add(name)
        made.append(name)
    return tuple(made)


def _rows(
    session: Session,
    event: Event,
    filters: AttendeeFilter,
    questions: Sequence[Question],
    local: Callable[[datetime], str | datetime],
) -> Iterator[list[Cell]]:
    query = _query(event.id, filters, [question.id for question in questions])
    # Below the ORM, which takes longer over a row than everything else here; and `clean` is spared where it is idle.
    records = session.connection().execute(query, execution_options={"yield_per": BATCH})
    for record in chain.from_iterable(records.partitions()):
        name, email, rsvp, status, party_size, place, until, made, changed, came, source, note, *answers = record
        registered_at = local(made)
        yield [
            name if name.isprintable() else clean(name),
            email if email.isprintable() else clean(email),
            rsvp,
            status,
            party_size,
            place,
            until and local(until),
            registered_at,
            registered_at if changed == made else local(changed),
            came and local(came),
            source,
            (clean(note) or None) if note else None,
            *[answer if answer is None or answer.isprintable() else clean(answer) for answer in answers],
        ]


def _query(event_id: int, filters: AttendeeFilter, questions: Sequence[int]) -> Any:
    """Registrations in the list's order, one record each; instants as the driver gives them."""
    waiting = (
        select(
            Registration.id,
            func.row_number().over(order_by=(Registration.waitlisted_at, Registration.id)).label("position"),
        )
        .where(Registration.event_id == event_id, IN_LINE)
        .subquery()
    )
    query = (
        select(
            Registration.name,
            Registration.email,
            Registration.rsvp,
            Registration.status,
            Registration.party_size,
            waiting.c.position,
            type_coerce(Registration.offer_expires_at, DateTime()),
            type_coerce(Registration.created_at, DateTime()),
            type_coerce(Registration.updated_at, DateTime()),
            type_coerce(Registration.checked_in_at, DateTime()),
            Registration.source,
            Registration.note,
            *(_answer_to(question_id) for question_id in questions),
        )
        .outerjoin(waiting, waiting.c.id == Registration.id)
        .where(Registration.event_id == event_id)
    )
    return ordered(narrowed(query, filters), filters)


def _answer_to(question_id: int) -> Any:
    """By the primary key, and without an end to how many there may be, as joins have one in SQLite."""
    return (
        select(Answer.value)
        .where(Answer.registration_id == Registration.id, Answer.question_id == question_id)
        .scalar_subquery()
    )


def _wall_clock(timezone: str) -> Callable[[datetime], datetime]:
    """Instants as a spreadsheet knows them: without a zone, to the second."""
    zone = timezones.zone(timezone)

    def local(moment: datetime) -> datetime:
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        return moment.astimezone(zone).replace(tzinfo=None, microsecond=0)

    return local


def _in_zone(timezone: str) -> Callable[[datetime], str]:
    """Writes instants in that zone; SQLite's come without saying that they are UTC."""
    zone = timezones.zone(timezone)

    @lru_cache(maxsize=DAYS)
    def ahead_all(day: date) -> tuple[timedelta, str] | None:
        """How far ahead of UTC the zone is on that day of UTC, also as written; None when that changes on it."""
        first = datetime.combine(day, time(), UTC).astimezone(zone)
        ahead = first.utcoffset() or timedelta()
        same = (first.astimezone(UTC) + timedelta(days=1)).astimezone(zone).utcoffset() == ahead
        return (ahead, first.isoformat()[len("2026-10-19T15:00:00") :]) if same else None

    def local(moment: datetime) -> str:
        if moment.tzinfo is None:
            # A third of the work of `astimezone`, which would be most of the work of a row.
            if known := ahead_all(moment.date()):
                return (moment + known[0]).isoformat(timespec="seconds") + known[1]
            moment = moment.replace(tzinfo=UTC)
        return moment.astimezone(zone).isoformat(timespec="seconds")

    return local
