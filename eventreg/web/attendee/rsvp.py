"""The RSVP form and the page that says what an answer got."""

from typing import Any

from flask import abort, current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from eventreg import tasks
from eventreg.db import db, in_line, write_transaction
from eventreg.errors import EventChanged, EventFull, InvalidField, NotFound, OpeningUsed, RegistrationNotOpen
from eventreg.events import queries
from eventreg.events.entrance import Entrance, entrance
from eventreg.links import RESULT, Links
from eventreg.registrations import confirming, held, service, wording
from eventreg.registrations.outcome import Outcome
from eventreg.web import display, limits
from eventreg.web.attendee import blueprint, robots
from eventreg.web.attendee.forms import RsvpForm, rsvp_form
from eventreg.web.moment import request_now
from eventreg.web.security import csrf

INVALID = 422
CONFLICT = 409
TOO_MANY = 429
KEPT = 1000
ENTRANCES = "eventreg.entrances"
"""What the forms of these addresses asked for last, by application.

The statement that takes the seats, or the lock, says whether that is still so; a registration then needs no look at
the event before it.
"""


@blueprint.get("/events/<slug>/rsvp")
def rsvp_form_show(slug: str) -> str:
    """The empty form, or why there is none."""
    found = entrance_or_404(slug)
    robots.note_opening(found.event_id, request_now())
    return page(slug, rsvp_form(found))


@blueprint.post("/events/<slug>/rsvp")
@csrf.exempt  # the form checks the token itself, so that one that has expired gives everything typed back
def rsvp_submit(slug: str) -> Response | tuple[str, int]:
    """Takes the answer, or gives the form back with everything that was typed and what to do."""
    if limits.is_over("rsvp"):
        form = rsvp_form(entrance_or_404(slug))
        form.form_errors.append(_("That was a lot of answers from here. Wait a few minutes, then send this again."))
        return page(slug, form), TOO_MANY
    with in_line(db.session(), slug):
        return _submitted(slug)


def _submitted(slug: str) -> Response | tuple[str, int]:
    kept: dict[str, Entrance] = current_app.extensions.setdefault(ENTRANCES, {})
    known = kept.get(slug)
    if known is not None:
        form = rsvp_form(known)
        if form.validate() and _is_from_a_person(form, known.event_id):
            try:
                return _taken(slug, known, form)
            except (EventChanged, NotFound):
                kept.pop(slug, None)
    found = entrance_or_404(slug)
    form = rsvp_form(found)
    if not form.validate() or not _is_from_a_person(form, found.event_id):
        return page(slug, form), INVALID
    if len(kept) >= KEPT:
        kept.clear()
    kept[slug] = found
    try:
        return _taken(slug, found, form)
    except EventChanged:  # once more in this very moment: the organizers are at work on it
        kept.pop(slug, None)
        return page(slug, rsvp_form(entrance_or_404(slug))), CONFLICT


def _taken(slug: str, found: Entrance, form: RsvpForm) -> Response | tuple[str, int]:
    """What a form that is filled in well gets. Raises: EventChanged, NotFound."""
    event_id, seen = found.event_id, (found.uid, found.revision)
    answer = form.answer(opened_at=robots.opened_at(event_id), opening=robots.opening(event_id))
    try:
        with write_transaction(db.session()):
            options: dict[str, Any] = {"event_id": event_id, "form": answer, "now": request_now(), "seen": seen}
            if found.confirm_address:
                confirming.ask(db.session(), **options)
            else:
                outcome = service.register(db.session(), **options)
    except OpeningUsed:
        robots.note_opening(event_id, request_now())
        form.form_errors.append(
            _("This form was already sent for another address. To answer for one more person, send it again.")
        )
        return page(slug, form), CONFLICT
    except (RegistrationNotOpen, EventFull, InvalidField) as error:
        return refused(slug, form, error)
    tasks.nudge()
    if found.confirm_address:
        return redirect(url_for("attendee.confirm_sent", slug=slug), 303)
    return redirect(url_for("attendee.rsvp_result", slug=slug, token=_result_token(event_id, outcome)), 303)


@blueprint.get("/events/<slug>/rsvp/<token>")
def rsvp_result(slug: str, token: str) -> str:
    """What an answer got, in words; the same page whether or not the address had answered before."""
    links: Links = current_app.extensions["eventreg.links"]
    match links.read(RESULT, token):
        case [int(event_id), str(rsvp), str(status), int(party_size), int() | None as position]:
            event = queries.open_to_public(db.session(), slug)
            if event is None or event.id != event_id:
                abort(404)
        case _:
            abort(404)
    sentence = wording.standing(rsvp=rsvp, status=status, party_size=party_size, position=position)
    return render_template("attendee/rsvp_result.html", event=event, rsvp=rsvp, status=status, sentence=sentence)


def entrance_or_404(slug: str) -> Entrance:
    """What the form of the event at this address must know."""
    found = entrance(db.session(), slug)
    if found is None:
        abort(404)
    return found


def _is_from_a_person(form: RsvpForm, event_id: int) -> bool:
    """Adds the error when it seems not to be."""
    if form.leave_empty.data:
        form.form_errors.append(_("A field that people do not see was filled in. Please send the form again as it is."))
        form.leave_empty.data = ""
        return False
    if robots.is_too_quick(event_id, request_now()):
        form.form_errors.append(_("That was very quick. Look your answers over, then send them once more."))
        return False
    return True


def refused(slug: str, form: RsvpForm, error: Exception, *, action: str = "") -> tuple[str, int]:
    """The form again, with the refusal at the field it is about."""
    if isinstance(error, RegistrationNotOpen):
        return page(slug, form, action=action), CONFLICT
    offer = False
    if isinstance(error, EventFull):
        offer = error.can_wait
        form.party_size.errors = (f"{error} {_way_out(error)}",)
    elif isinstance(error, InvalidField):
        form.party_size.errors = (error.message,)
    return page(slug, form, offer_waitlist=offer, action=action), INVALID


def _way_out(error: EventFull) -> str:
    if error.seats_left == 0:
        return _("This event has no waitlist.")
    smaller = _("RSVP for %(seats)d", seats=error.seats_left)
    if error.can_wait:
        return _("%(smaller)s, or tick the box to wait together.", smaller=smaller)
    return _("%(smaller)s.", smaller=smaller)


def page(slug: str, form: RsvpForm, *, offer_waitlist: bool = False, action: str = "") -> str:
    """The form; with `action` it is sent there, for the address it holds already."""
    event = queries.open_to_public(db.session(), slug)
    if event is None:  # taken back since the form was sent
        abort(404)
    display.note_held(held.among(db.session(), [event]))
    return render_template(
        "attendee/rsvp_form.html",
        event=event,
        form=form,
        action=action,
        found=display.availability(event),
        offer_waitlist=offer_waitlist or bool(request.form.get("join_waitlist")),
    )


def _result_token(event_id: int, outcome: Outcome) -> str:
    links: Links = current_app.extensions["eventreg.links"]
    return links.sign(RESULT, [event_id, outcome.rsvp, outcome.status, outcome.party_size, outcome.position])
