"""Finding registrations: the attendee list, head counts, one person's links."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, and_, case, false, func, select
from sqlalchemy.orm import Session

from eventreg import collation, keyset
from eventreg.events import search
from eventreg.events.models import Event
from eventreg.keyset import At
from eventreg.registrations.models import Answer, FeedReset, Registration
from eventreg.registrations.outcome import Outcome

SelectT = TypeVar("SelectT", bound=Select[*tuple[Any, ...]])

PER_PAGE = 50
GROUPS = ("attending", "waitlisted", "offered", "maybe", "no", "pending", "cancelled")
"""How a registration is called on lists, from answer and status together."""
SORTS = ("answered", "name", "email", "status", "party", "changed")


@dataclass(frozen=True, slots=True, kw_only=True)
class AttendeeFilter:
    """What the attendee list shows; `status` is one of GROUPS or "confirmed", whatever was answered.

    No status means all of them, an unknown one nobody; an unknown `sort` means "answered".
    """

    q: str = ""
    status: str = ""
    sort: str = "answered"
    direction: str = "asc"
    page: int = 1
    after: int | None = None
    before: int | None = None
    """With `page`: the registration it begins after, or ends before; see `keyset`."""


@dataclass(frozen=True, slots=True)
class AttendeePage:
    """One page of the attendee list; `total` counts registrations."""

    rows: Sequence[Registration]
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class Counts:
    """Heads by what became of the answers, and when the last answer came in."""

    attending: int = 0
    waitlisted: int = 0
    offered: int = 0
    maybe: int = 0
    no: int = 0
    pending: int = 0
    cancelled: int = 0
    last_answer_at: datetime | None = None


group_column: ColumnElement[str] = case(
    (Registration.status == "cancelled", "cancelled"),
    (and_(Registration.status == "waitlisted", Registration.offer_expires_at.is_not(None)), "offered"),
    (Registration.status == "waitlisted", "waitlisted"),
    (Registration.status == "pending", "pending"),
    (Registration.rsvp == "yes", "attending"),
    else_=Registration.rsvp,
)


def group(answer: Registration | Outcome) -> str:
    """The one of GROUPS an answer belongs to; the same rule as group_column has in SQL."""
    if answer.is_offered:
        return "offered"
    if answer.status != "confirmed":
        return answer.status
    return "attending" if answer.rsvp == "yes" else answer.rsvp


def narrowed(query: SelectT, filters: AttendeeFilter) -> SelectT:
    """The query with the list's search and status filter; shared by the page and the exports."""
    for word in search.fold(filters.q).split():
        query = query.where(Registration.search_text.contains(word, autoescape=True))
    if filters.status in GROUPS:
        query = query.where(group_column == filters.status)
    elif filters.status:
        query = query.where(Registration.status == "confirmed" if filters.status == "confirmed" else false())
    return query


def ordered(query: SelectT, filters: AttendeeFilter) -> SelectT:
    """The query in the list's order, ties in order of arrival."""
    return query.order_by(
        *(column.desc() if filters.direction == "desc" else column.asc() for column in _order(filters))
    )


def _order(filters: AttendeeFilter) -> list[Any]:
    """Columns to sort by; the id tells rows apart that have all else in common."""
    columns: dict[str, Any] = {
        "name": collation.sort_key(Registration.name),
        "email": Registration.email_key,
        "status": group_column,
        "party": Registration.party_size,
        "changed": Registration.updated_at,
    }
    return [columns[filters.sort], Registration.id] if filters.sort in columns else [Registration.id]


def attendees(session: Session, event_id: int, filters: AttendeeFilter) -> AttendeePage:
    """One page of an event's registrations."""
    total = count_attendees(session, event_id, filters)
    pages = max(1, -(-total // PER_PAGE))
    at = At(page=min(max(filters.page, 1), pages), after=filters.after, before=filters.before)
    query = narrowed(select(Registration).where(Registration.event_id == event_id), filters)
    rows = keyset.rows(session, query, _order(filters), at=at, size=PER_PAGE, descending=filters.direction == "desc")
    return AttendeePage(rows, total, at.page, pages)


def count_attendees(session: Session, event_id: int, filters: AttendeeFilter) -> int:
    """Registrations of an event that meet the filter."""
    query = select(func.count()).select_from(Registration).where(Registration.event_id == event_id)
    return session.scalar(narrowed(query, filters)) or 0


def counts(session: Session, event_ids: Iterable[int]) -> dict[int, Counts]:
    """Heads by group for each of these events, in one statement."""
    query = (
        select(
            Registration.event_id,
            group_column,
            func.sum(Registration.party_size),
            func.max(Registration.created_at),
        )
        .where(Registration.event_id.in_(list(event_ids)))
        .group_by(Registration.event_id, group_column)
    )
    heads: dict[int, dict[str, int]] = defaultdict(dict)
    last: dict[int, datetime] = {}
    for event_id, name, people, newest in session.execute(query):
        heads[event_id][name] = int(people)
        last[event_id] = max(last.get(event_id, newest), newest)
    return {event_id: Counts(**found, last_answer_at=last[event_id]) for event_id, found in heads.items()}


def answers_of(session: Session, registration_ids: Iterable[int]) -> dict[int, dict[int, str]]:
    """{registration id: {question id: answer}} in one statement."""
    query = select(Answer).where(Answer.registration_id.in_(list(registration_ids)))
    found: dict[int, dict[int, str]] = defaultdict(dict)
    for answer in session.scalars(query):
        found[answer.registration_id][answer.question_id] = answer.value
    return dict(found)


def names_of(session: Session, registration_ids: Iterable[int]) -> dict[int, str]:
    """{registration id: name} in one statement."""
    query = select(Registration.id, Registration.name).where(Registration.id.in_(list(registration_ids)))
    return {row.id: row.name for row in session.execute(query)}


def by_id(session: Session, registration_id: int) -> Registration | None:
    """One registration, whatever its status."""
    return session.get(Registration, registration_id)


def by_link(session: Session, numbers: tuple[int, ...] | None) -> tuple[Registration, Event] | None:
    """The registration a signed link opens, with its event; None when the link is wrong or was reset."""
    if numbers is None:
        return None
    registration_id, generation = numbers
    query = (
        select(Registration, Event)
        .join(Event, Event.id == Registration.event_id)
        .where(Registration.id == registration_id, Registration.link_generation == generation)
    )
    row = session.execute(query).first()
    return None if row is None else (row[0], row[1])


def upcoming_of(session: Session, email_key: str, now: datetime) -> list[Registration]:
    """A person's live registrations for events that are not over, soonest first."""
    query = (
        select(Registration)
        .join(Event, Event.id == Registration.event_id)
        .where(Registration.email_key == email_key, Registration.status != "cancelled", Event.ends_at > now)
        .order_by(Event.starts_at, Registration.id)
        .limit(50)
    )
    return list(session.scalars(query))


def feed_generation(session: Session, email_key: str) -> int:
    """How often that person's personal feed has been reset, counting from 1."""
    return session.scalar(select(FeedReset.generation).where(FeedReset.email_key == email_key)) or 1
