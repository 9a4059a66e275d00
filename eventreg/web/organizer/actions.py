"""Publishing, cancelling and duplicating an event."""

from flask import current_app, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from eventreg import mail, tasks
from eventreg.db import db, write_transaction
from eventreg.errors import EventStateError
from eventreg.events import service
from eventreg.events.models import Event
from eventreg.registrations import event_changes
from eventreg.web.access import event_editor, me
from eventreg.web.moment import request_now
from eventreg.web.organizer import actor, blueprint, states, words


def host() -> str:
    """The right side of new calendar UIDs."""
    name: str = current_app.extensions["eventreg.links"].host
    return name


def mail_is_sent() -> bool:
    """Whether mail leaves this machine."""
    return mail.destination(current_app) == "server"


@blueprint.post("/events/<slug>/publish")
@event_editor
def event_publish(event: Event) -> Response:
    """From now on people can find it and answer."""
    slug, event_id = event.slug, event.id
    try:
        with write_transaction(db.session()):
            states.check_event(service.load(db.session(), event_id))
            promoted = event_changes.publish(db.session(), event_id=event_id, actor=actor(), now=request_now())
    except EventStateError as error:
        flash(str(error), "danger")
    else:
        tasks.nudge()
        flash(words.published(promoted), "success")
    return redirect(url_for("organizer.event_show", slug=slug))


@blueprint.get("/events/<slug>/cancel")
@event_editor
def event_cancel_ask(event: Event) -> str:
    """What cancelling will do, and to how many people; the button is here."""
    return render_template(
        "organizer/event_cancel.html",
        event=event,
        status=words.status_of_event(event, request_now()),
        people=event_changes.people_to_tell(db.session(), event.id),
    )


@blueprint.post("/events/<slug>/cancel")
@event_editor
def event_cancel(event: Event) -> Response:
    """Calls it off and owes everybody registered a mail."""
    slug, event_id = event.slug, event.id
    try:
        with write_transaction(db.session()):
            states.check_event(service.load(db.session(), event_id))
            told = event_changes.call_off(db.session(), event_id=event_id, actor=actor(), now=request_now())
    except EventStateError as error:
        flash(str(error), "danger")
    else:
        tasks.nudge()
        flash(_("The event is cancelled. %(mails)s", mails=words.mails_queued(told, is_sent=mail_is_sent())), "success")
    return redirect(url_for("organizer.event_show", slug=slug))


@blueprint.post("/events/<slug>/duplicate")
@event_editor
def event_duplicate(event: Event) -> Response:
    """A draft like it, opened for editing."""
    event_id, owner_id = event.id, me().id
    with write_transaction(db.session()):
        copy = service.duplicate(
            db.session(), event_id=event_id, organizer_id=owner_id, actor=actor(), now=request_now(), host=host()
        )
        slug = copy.slug
    flash(
        _(
            "This is a copy, a draft that nobody sees yet. Copied: words, place, limits and questions. Not copied: "
            "registrations, picture, and when registration opens and closes. Check the date below."
        ),
        "info",
    )
    return redirect(url_for("organizer.event_edit", slug=slug))
