"""The organizers' desk: events, the people who answered, what is asked of them. Everything needs an account."""

from flask import Blueprint
from flask_security import current_user

from eventreg.audit import Actor
from eventreg.organizers.access import can_organize

blueprint = Blueprint("organizer", __name__, url_prefix="/organize")


def actor() -> Actor:
    """Whoever is signed in, for the audit trail."""
    return Actor("organizer", current_user.id, current_user.name or current_user.email)


@blueprint.app_context_processor
def _desk_words() -> dict[str, object]:
    """What the desk's base template asks; functions only, so that other pages pay nothing."""
    return {"can_organize": can_organize}


from eventreg.web.organizer import (  # noqa: E402, F401 - they add routes
    actions,
    attendees,
    dashboard,
    editing,
    exports,
    overview,
    people,
    pictures,
    questions,
)
