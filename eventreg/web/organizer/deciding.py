"""Deciding on several people at once who asked to come."""

from flask import flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from eventreg import tasks
from eventreg.db import db, write_transaction
from eventreg.errors import EventStateError
from eventreg.events.models import Event
from eventreg.registrations import approval
from eventreg.registrations.approval import Decided
from eventreg.web.access import event_editor
from eventreg.web.moment import request_now
from eventreg.web.organizer import actor, blueprint, states
from eventreg.web.organizer.people import LARGEST_ID

MOST_DIGITS = len(str(LARGEST_ID))


@blueprint.post("/events/<slug>/attendees/decide")
@event_editor
def attendee_decide(event: Event) -> Response:
    """Approves, or does not approve, everybody who was ticked, in order of arrival."""
    slug, event_id, ids = event.slug, event.id, _ticked()
    decide = approval.decline_all if request.form.get("decision") == "decline" else approval.approve_all
    if not ids:
        flash(_("Nobody was ticked, so nothing was decided."), "info")
    else:
        try:
            with write_transaction(db.session()):
                states.check_people(db.session(), event_id, ids)
                done = decide(db.session(), event_id=event_id, registration_ids=ids, actor=actor(), now=request_now())
        except EventStateError as error:
            flash(str(error), "danger")
        else:
            tasks.nudge()
            flash(_in_words(done), "warning" if done.left else "success")
    return redirect(url_for("organizer.attendee_list", slug=slug, status="pending"))


def _ticked() -> list[int]:
    """The registrations named in the form; what is no number is nobody."""
    given = request.form.getlist("registration")
    numbers = [int(text) for text in given if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS]
    return [number for number in numbers if number < LARGEST_ID]


def _in_words(done: Decided) -> str:
    parts = []
    if done.approved:
        parts.append(
            ngettext("%(num)s registration is approved.", "%(num)s registrations are approved.", done.approved)
        )
    if done.waitlisted:
        words = ngettext(
            "%(num)s is approved and waits for a place.", "%(num)s are approved and wait for a place.", done.waitlisted
        )
        parts.append(words)
    if done.declined:
        words = ngettext(
            "%(num)s registration is not approved.", "%(num)s registrations are not approved.", done.declined
        )
        parts.append(words)
    if done.left:
        words = ngettext(
            "%(num)s still asks: there was no room, and the event has no waitlist.",
            "%(num)s still ask: there was no room, and the event has no waitlist.",
            done.left,
        )
        parts.append(words)
    return " ".join(parts) or _("Somebody else had decided already.")
