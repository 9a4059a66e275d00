"""How the audit trail names an answer: by the question's words as they were, whatever becomes of the question."""

import re
from collections.abc import Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from eventreg.events.models import Question

_NAME = re.compile(r"answer ([0-9]{1,10})(?:: (.+))?", re.DOTALL)


def name(question_id: int, label: str) -> str:
    """The key of a change, unique and readable by itself: `answer 7: Which meal?`."""
    return f"answer {question_id}: {label}"


def label(key: str, labels: Mapping[int, str]) -> str | None:
    """The question's words; None when the key names no answer. `labels` serve older entries, which hold the id alone.

    >>> label("answer 7: Which meal?", {}), label("answer 7", {7: "Meal"}), label("answer 7", {}), label("rsvp", {})
    ('Which meal?', 'Meal', '', None)
    """
    found = _NAME.fullmatch(key)
    return None if found is None else found[2] or labels.get(int(found[1]), "")


def labels_of(session: Session, question_ids: Iterable[int]) -> dict[int, str]:
    """{question id: its words} in one statement, none for no ids."""
    ids = sorted(question_ids)
    if not ids:
        return {}
    return {
        row.id: row.label for row in session.execute(select(Question.id, Question.label).where(Question.id.in_(ids)))
    }


def unnamed(keys: Iterable[str]) -> set[int]:
    """The questions that entries name by their id alone."""
    return {int(found[1]) for key in keys if (found := _NAME.fullmatch(key)) and not found[2]}
