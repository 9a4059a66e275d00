"""What every event asks to begin with. Its organizer changes it like any other question."""

from collections.abc import Sequence

from flask_babel import gettext as _
from sqlalchemy import insert
from sqlalchemy.orm import Session

from eventreg.events.models import Question


def ask(session: Session, event_ids: Sequence[int]) -> None:
    """Gives it to events that this transaction has made, in one statement past the objects: they have no page yet."""
    question = {
        "position": 1,
        "label": _("Dietary or access needs"),
        "hint": _("Anything we should know so that you can eat, hear, see and get in."),
        "kind": "paragraph",
    }
    session.execute(insert(Question), [{**question, "event_id": event_id} for event_id in event_ids])
