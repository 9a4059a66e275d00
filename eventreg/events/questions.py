"""What an event asks the people who register. Questions are retired, never deleted: their answers stay."""

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from eventreg import audit
from eventreg.errors import InvalidField, NotFound
from eventreg.events.models import QUESTION_KINDS, Question
from eventreg.events.service import load
from eventreg.text import is_blank

MOST = 30


def add(
    session: Session,
    *,
    event_id: int,
    label: str,
    hint: str = "",
    kind: str = "text",
    choices: str = "",
    required: bool = False,
    actor: audit.Actor,
    now: datetime,
) -> Question:
    """A new question at the end of the form. Raises: NotFound, InvalidField."""
    load(session, event_id)
    if kind not in QUESTION_KINDS:
        raise InvalidField("kind", _("Choose one of the four kinds of answer."))
    asked = _asked(session, event_id)
    if len(asked) >= MOST:
        raise InvalidField("label", _("An event asks at most %(most)s questions.", most=MOST))
    question = Question(
        event_id=event_id,
        position=max((one.position for one in asked), default=0) + 1,
        label=label,
        hint=hint,
        kind=kind,
        choices=_choices(kind, choices),
        required=required,
    )
    session.add(question)
    session.flush()
    _note(session, question, "question.added", {"label": (None, label)}, actor, now)
    return question


def change(
    session: Session,
    *,
    event_id: int,
    question_id: int,
    label: str,
    hint: str,
    choices: str,
    required: bool,
    actor: audit.Actor,
    now: datetime,
) -> Question:
    """New words for the same question; answers already given stay as they are. Raises: NotFound, InvalidField."""
    question = _one(session, event_id, question_id)
    wanted = {"label": label, "hint": hint, "choices": _choices(question.kind, choices), "required": required}
    changes = {name: (getattr(question, name), value) for name, value in wanted.items()}
    changes = {name: pair for name, pair in changes.items() if pair[0] != pair[1]}
    for name, (_old, new) in changes.items():
        setattr(question, name, new)
    if changes:
        session.flush()
        _note(session, question, "question.changed", {"label": (question.label, question.label)} | changes, actor, now)
    return question


def move(
    session: Session, *, event_id: int, question_id: int, down: bool, actor: audit.Actor, now: datetime
) -> Question:
    """One place up or down on the form; at its end nothing happens. Raises: NotFound."""
    question = _one(session, event_id, question_id)
    asked = _asked(session, event_id)
    if question not in asked:
        return question
    place = asked.index(question)
    other = place + (1 if down else -1)
    if not 0 <= other < len(asked):
        return question
    asked[place], asked[other] = asked[other], asked[place]
    for position, one in enumerate(asked, start=1):
        one.position = position
    session.flush()
    _note(session, question, "question.moved", {"position": (place + 1, other + 1)}, actor, now)
    return question


def set_retired(
    session: Session, *, event_id: int, question_id: int, retired: bool, actor: audit.Actor, now: datetime
) -> Question:
    """Takes a question off the form, or puts it back at the end of it; its answers are kept. Raises: NotFound."""
    question = _one(session, event_id, question_id)
    if (question.retired_at is not None) == retired:
        return question
    if not retired:
        question.position = max((one.position for one in _asked(session, event_id)), default=0) + 1
    question.retired_at = now if retired else None
    session.flush()
    action = "question.retired" if retired else "question.restored"
    _note(session, question, action, {"label": (question.label, question.label)}, actor, now)
    return question


def _one(session: Session, event_id: int, question_id: int) -> Question:
    load(session, event_id)
    question = session.get(Question, question_id, populate_existing=True)
    if question is None or question.event_id != event_id:
        raise NotFound(_("This event has no such question."))
    return question


def _asked(session: Session, event_id: int) -> list[Question]:
    query = select(Question).where(Question.event_id == event_id, Question.retired_at.is_(None))
    return list(session.scalars(query.order_by(Question.position, Question.id)))


def _choices(kind: str, text: str) -> str:
    """One choice a line, each once. Raises: InvalidField when a choice question has fewer than two."""
    if kind != "choice":
        return ""
    choices = list(dict.fromkeys(one.strip() for one in text.splitlines() if not is_blank(one)))
    if len(choices) < 2:  # noqa: PLR2004 - one choice is none
        raise InvalidField("choices", _("Write at least two choices, one on each line."))
    return "\n".join(choices)


def _note(
    session: Session,
    question: Question,
    action: str,
    changes: dict[str, tuple[object, object]],
    actor: audit.Actor,
    now: datetime,
) -> None:
    audit.record(session, actor=actor, action=action, now=now, event_id=question.event_id, changes=changes)
