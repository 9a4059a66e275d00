"""Taking back a DECLINED that came from the calendar: a page with one button, behind a link of its own."""

from typing import NamedTuple

from flask import abort, current_app, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from eventreg import tasks
from eventreg.db import db, write_transaction
from eventreg.errors import EventFull, InvalidField, RegistrationNotOpen
from eventreg.events.models import Event
from eventreg.links import UNDO, Links
from eventreg.registrations import changes, queries, replies, wording
from eventreg.registrations.models import RSVPS, Registration
from eventreg.web.attendee import blueprint
from eventreg.web.attendee.forms import ConfirmForm
from eventreg.web.moment import request_now

CONFLICT = 409


class _Undo(NamedTuple):
    """What the link holds."""

    registration_id: int
    generation: int
    declined_at: int
    rsvp: str


@blueprint.get("/undo/<token>")
def undo_ask(token: str) -> str:
    """What happened, and the button that takes it back; looking changes nothing."""
    link, registration, event = _found(token)
    return _page(token, link, registration, event)


@blueprint.post("/undo/<token>")
def undo_decline(token: str) -> Response | tuple[str, int]:
    """Puts the answer back, where there is room."""
    link, registration, event = _found(token)
    try:
        with write_transaction(db.session()):
            outcome = replies.undo(
                db.session(),
                registration_id=link.registration_id,
                declined_at=link.declined_at,
                rsvp=link.rsvp,
                now=request_now(),
            )
    except (RegistrationNotOpen, EventFull, InvalidField) as error:
        link, registration, event = _found(token)
        return _page(token, link, registration, event, refusal=str(error)), CONFLICT
    tasks.nudge()
    link, registration, event = _found(token)
    flash(_("Taken back. %(sentence)s", sentence=wording.standing_of(outcome, event)), "success")
    links: Links = current_app.extensions["eventreg.links"]
    manage = links.manage_token(registration.id, registration.link_generation)
    return redirect(url_for("attendee.registration_show", token=manage), 303)


def _found(token: str) -> tuple[_Undo, Registration, Event]:
    links: Links = current_app.extensions["eventreg.links"]
    payload = links.read(UNDO, token)
    if not isinstance(payload, list) or [type(one) for one in payload] != [int, int, int, str]:
        abort(404)
    link = _Undo(*payload)
    found = queries.by_link(db.session(), (link.registration_id, link.generation))
    if found is None or link.rsvp not in RSVPS:
        abort(404)
    return link, *found


def _page(token: str, link: _Undo, registration: Registration, event: Event, *, refusal: str = "") -> str:
    links: Links = current_app.extensions["eventreg.links"]
    return render_template(
        "attendee/undo_ask.html",
        token=token,
        event=event,
        registration=registration,
        refusal=refusal,
        confirm=ConfirmForm(),
        rsvp=link.rsvp,
        manage_token=links.manage_token(registration.id, registration.link_generation),
        can_undo=replies.is_undoable(registration, link.declined_at) and changes.is_changeable(event, request_now()),
    )
