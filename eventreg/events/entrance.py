"""What a form must know of its event to take an answer: one statement, put together once, and no object."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import and_, bindparam, select
from sqlalchemy.orm import Session

from eventreg.db import table_of
from eventreg.events.models import Event, Question


class Asked(NamedTuple):
    """A question as the form shows it."""

    id: int
    kind: str
    label: str
    hint: str
    choices: str
    required: bool


class Entrance(NamedTuple):
    """An event that anybody may open, and what it asks, in the order of its form.

    `uid` and `revision` tell whether it is still so: every change of the event or its questions raises the latter.
    """

    event_id: int
    uid: str
    revision: int
    max_party_size: int
    confirm_address: bool
    asked: tuple[Asked, ...]


def entrance(session: Session, slug: str) -> Entrance | None:
    """That of the event at this address, None when it is not for everybody (`rules.has_page`)."""
    rows = session.connection().execute(_ENTRANCE, {"at": slug}).all()
    if not rows:
        return None
    event_id, uid, revision, most, confirms = rows[0][:OWN]
    asked = tuple(Asked._make(row[OWN:]) for row in rows if row[OWN] is not None)
    return Entrance(event_id, uid, revision, most, confirms, asked)


def as_asked(questions: Iterable[Question]) -> tuple[Asked, ...]:
    """The same questions as values."""
    return tuple(Asked(*(getattr(question, name) for name in Asked._fields)) for question in questions)


_EVENTS, _QUESTIONS = table_of(Event), table_of(Question)
_COLUMNS: Sequence[str] = Asked._fields
OWN = len(Entrance._fields) - 1
"""Columns of the event, before those of a question."""
_ENTRANCE = (
    select(
        _EVENTS.c.id,
        _EVENTS.c.uid,
        _EVENTS.c.revision,
        _EVENTS.c.max_party_size,
        _EVENTS.c.confirm_address,
        *(_QUESTIONS.c[name] for name in _COLUMNS),
    )
    .outerjoin_from(_EVENTS, _QUESTIONS, and_(_QUESTIONS.c.event_id == _EVENTS.c.id, _QUESTIONS.c.retired_at.is_(None)))
    .where(
        _EVENTS.c.slug == bindparam("at", type_=_EVENTS.c.slug.type),
        _EVENTS.c.status != "draft",
        _EVENTS.c.visibility != "private",
    )
    .order_by(_QUESTIONS.c.position, _QUESTIONS.c.id)
)
