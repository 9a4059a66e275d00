"""The attendee list as one header and rows, read as they are needed.

Two statements whatever the size: the questions, and the registrations joined with their answers.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Row as Record
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from eventreg import timezones
from eventreg.events import queries as events
from eventreg.events.models import Event, Question
from eventreg.exports.cells import clean
from eventreg.registrations.models import Answer, Registration
from eventreg.registrations.queries import AttendeeFilter, narrowed, ordered
from eventreg.registrations.seats import IN_LINE

Cell = str | int | None
BATCH = 500
"""Records fetched at a time."""


@dataclass(frozen=True, slots=True)
class Table:
    """`keys` and `titles` name the registration's own columns and, after them, one column per question.

    `keys` holds only the former; the cells of each row are in the order of `titles`. None is an empty cell.
    """

    keys: tuple[str, ...]
    titles: tuple[str, ...]
    rows: Iterator[list[Cell]]


def attendees(session: Session, event: Event, filters: AttendeeFilter) -> Table:
    """Everybody on the event's list who meets the filter, in its order. Times are ISO 8601 in the event's zone."""
    own = _own_columns()
    questions = events.questions(session, event.id, include_retired=True)
    titles = _distinct([*own.values(), *(clean(question.label) for question in questions)])
    return Table(tuple(own), titles, _rows(session, event, filters, questions))


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
    session: Session, event: Event, filters: AttendeeFilter, questions: Sequence[Question]
) -> Iterator[list[Cell]]:
    order = [question.id for question in questions]
    timezone = event.timezone
    records = session.execute(_query(event.id, filters).execution_options(yield_per=BATCH))
    for _id, group in groupby(records, key=attrgetter("id")):
        yield _row(list(group), order, timezone)


def _query(event_id: int, filters: AttendeeFilter) -> Any:
    """Registrations in the list's order, one record per answer."""
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
            Registration.id,
            Registration.name,
            Registration.email,
            Registration.rsvp,
            Registration.status,
            Registration.party_size,
            waiting.c.position,
            Registration.offer_expires_at,
            Registration.created_at,
            Registration.updated_at,
            Registration.checked_in_at,
            Registration.source,
            Registration.note,
            Answer.question_id,
            Answer.value,
        )
        .outerjoin(waiting, waiting.c.id == Registration.id)
        .outerjoin(Answer, Answer.registration_id == Registration.id)
        .where(Registration.event_id == event_id)
    )
    return ordered(narrowed(query, filters), filters)


def _row(records: Sequence[Record[Any]], questions: Iterable[int], timezone: str) -> list[Cell]:
    first = records[0]
    answers = {record.question_id: clean(record.value) for record in records if record.question_id is not None}
    return [
        clean(first.name),
        clean(first.email),
        first.rsvp,
        first.status,
        first.party_size,
        first.position,
        _local(first.offer_expires_at, timezone),
        _local(first.created_at, timezone),
        _local(first.updated_at, timezone),
        _local(first.checked_in_at, timezone),
        first.source,
        clean(first.note) or None,
        *(answers.get(question) for question in questions),
    ]


def _local(moment: datetime | None, timezone: str) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(timezones.zone(timezone)).isoformat(timespec="seconds")
