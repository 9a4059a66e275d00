"""The organizers' desk: events, the people who answered, what is asked of them. Everything needs an account."""

from flask import Blueprint

from eventreg.audit import Actor
from eventreg.organizers.access import can_organize
from eventreg.web.access import me

blueprint = Blueprint("organizer", __name__, url_prefix="/organize")


def actor() -> Actor:
    """Whoever is signed in, for the audit trail."""
    organizer = me()
    return Actor("organizer", organizer.id, organizer.name or organizer.email)


@blueprint.app_context_processor
def _desk_words() -> dict[str, object]:
    """What the desk's base template asks; functions only, so that other pages pay nothing."""
    return {"can_organize": can_organize}


from eventreg.web.organizer import (  # noqa: E402, F401 - they add routes
    actions,
    attendees,
    dashboard,
    deciding,
    editing,
    exports,
    feed,
    following,
    importing,
    overview,
    people,
    pictures,
    questions,
    replies,
)
