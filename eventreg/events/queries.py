"""Finding an event and what it asks."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from eventreg.events.models import Event, Question


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
