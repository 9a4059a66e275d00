"""The organizers' desk: events, the people who answered, what is asked of them. Everything needs an account."""

from flask import Blueprint, render_template, request
from flask_babel import gettext as _

from eventreg.audit import Actor
from eventreg.errors import EventStateError
from eventreg.organizers.access import can_organize
from eventreg.web.access import me
from eventreg.web.organizer.ways import page_of_button
from eventreg.web.versions import ChangedMeanwhileError

CONFLICT = 409

blueprint = Blueprint("organizer", __name__, url_prefix="/organize")


def actor() -> Actor:
    """Whoever is signed in, for the audit trail."""
    organizer = me()
    return Actor("organizer", organizer.id, organizer.name or organizer.email)


@blueprint.app_context_processor
def _desk_words() -> dict[str, object]:
    """What the desk's base template asks; functions only, so that other pages pay nothing."""
    return {
        "can_organize": can_organize,
        "written_by": lambda: me().id,
        "event_version": states.event_version,
        "person_version": states.person_version,
        "question_version": states.question_version,
        "picture_version": states.picture_version,
        "calendar_version": states.calendar_version,
    }


@blueprint.before_request
def _refuse_text_of_another_account() -> None:
    """What one account typed and could not send is not shown to the next one that signs in at this browser."""
    author = request.form.get("written_by") if request.method == "POST" else None
    if author and me().is_authenticated and author != str(me().id):
        raise EventStateError(
            _("Another account typed this, so it is not shown here. Sign in with that account to go on with it.")
        )


@blueprint.errorhandler(ChangedMeanwhileError)
def _changed_meanwhile(error: ChangedMeanwhileError) -> tuple[str, int]:
    """A button whose page is out of date: what is so now, and one press to do it all the same."""
    kept = [
        (name, value) for name, value in request.form.items(multi=True) if name not in {"csrf_token", *error.fields}
    ]
    page = render_template("organizer/changed_meanwhile.html", error=error, kept=kept, back=page_of_button())
    return page, CONFLICT


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
    states,
)
