"""Finding an event and what it asks."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from eventreg.events.models import Event, Question
from eventreg.events.spans import LISTED


def by_slug(session: Session, slug: str) -> Event | None:
    """The event at that address, whatever its status."""
    return session.scalar(select(Event).where(Event.slug == slug))


def by_id(session: Session, event_id: int) -> Event | None:
    """The event with that id, whatever its status."""
    return session.get(Event, event_id)


def open_to_public(session: Session, slug: str) -> Event | None:
    """The event at that address when anybody may open it: published or cancelled, public or unlisted."""
    event = by_slug(session, slug)
    if event is None or event.status == "draft" or event.visibility == "private":
        return None
    return event


def questions(session: Session, event_id: int, *, include_retired: bool = False) -> Sequence[Question]:
    """What the event asks, in the order of its form."""
    query = select(Question).where(Question.event_id == event_id).order_by(Question.position, Question.id)
    if not include_retired:
        query = query.where(Question.retired_at.is_(None))
    return session.scalars(query).all()


def questions_of(session: Session, event_ids: Iterable[int]) -> dict[int, list[Question]]:
    """{event id: what it asks and ever asked, in the order of its form} in one statement."""
    query = select(Question).where(Question.event_id.in_(list(event_ids))).order_by(Question.position, Question.id)
    found: dict[int, list[Question]] = {}
    for question in session.scalars(query):
        found.setdefault(question.event_id, []).append(question)
    return found


def listed_addresses(session: Session, *, limit: int) -> Sequence[Row[str, datetime]]:
    """(slug, last change) of every listed event, the latest first."""
    query = select(Event.slug, Event.updated_at).where(LISTED).order_by(Event.starts_at.desc(), Event.id)
    return session.execute(query.limit(limit)).all()
