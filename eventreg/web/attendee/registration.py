"""My registration, behind the signed link: see it, change it, cancel it, reset the private feed."""

from flask import Response as FlaskResponse
from flask import abort, current_app, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from eventreg import audit, tasks
from eventreg.db import db, write_transaction
from eventreg.errors import EventFull, InvalidField, RegistrationNotOpen
from eventreg.events import queries as event_queries
from eventreg.events import rules
from eventreg.events.models import Event
from eventreg.links import MANAGE, Links
from eventreg.registrations import changes, feeds, offers, outgrown, queries, wording
from eventreg.registrations.models import Registration
from eventreg.web import qr, versions
from eventreg.web.attendee import blueprint
from eventreg.web.attendee.forms import ConfirmForm, RsvpForm, change_form
from eventreg.web.moment import request_now
from eventreg.web.security import csrf
from eventreg.web.versions import ChangedMeanwhileError

INVALID = 422
CONFLICT = 409


@blueprint.after_request
def keep_links_to_ourselves(response: FlaskResponse) -> FlaskResponse:
    """A page behind a signed link is not indexed, not stored, and its address is told to nobody else."""
    response.headers.setdefault("X-Robots-Tag", "noindex, nofollow")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    return response


@blueprint.get("/r/<token>")
def registration_show(token: str) -> str:
    """Where this registration stands, and the form to change it."""
    registration, event = _found(token)
    return _page(token, registration, event, _form(registration, event))


@blueprint.post("/r/<token>")
@csrf.exempt  # the form checks the token itself, so that one that has expired gives everything typed back
def registration_change(token: str) -> Response | tuple[str, int]:
    """Takes over a changed answer."""
    registration, event = _found(token)
    form = _form(registration, event)
    if not form.validate():
        return _page(token, registration, event, form), INVALID
    registration_id, answer = registration.id, form.answer(email=registration.email)
    try:
        with write_transaction(db.session()):
            _refuse_stale(registration_id, form)
            outcome = changes.change(
                db.session(),
                registration_id=registration_id,
                form=answer,
                actor=audit.Actor.attendee(),
                now=request_now(),
            )
    except (RegistrationNotOpen, EventFull, InvalidField) as error:
        return _refused(token, form, error)
    except ChangedMeanwhileError as error:
        registration, event = _found(token)
        form.show_again(error.version)
        return _page(token, registration, event, form, meanwhile=error), CONFLICT
    tasks.nudge()
    flash(_("Saved. %(sentence)s", sentence=wording.standing_of(outcome, event)), "success")
    return redirect(url_for("attendee.registration_show", token=token), 303)


@blueprint.post("/r/<token>/accept")
def registration_accept(token: str) -> Response | tuple[str, int]:
    """Takes the places that were offered, unless the time to do so has passed."""
    registration, event = _found(token)
    registration_id = registration.id
    try:
        with write_transaction(db.session()):
            outcome = offers.accept(
                db.session(), registration_id=registration_id, actor=audit.Actor.attendee(), now=request_now()
            )
    except RegistrationNotOpen as error:
        return _refused_as_a_whole(token, error)
    tasks.nudge()
    flash(_("Accepted. %(sentence)s", sentence=wording.standing_of(outcome, event)), "success")
    return redirect(url_for("attendee.registration_show", token=token), 303)


@blueprint.post("/r/<token>/cancel")
def registration_cancel(token: str) -> Response | tuple[str, int]:
    """Withdraws the registration; its place goes to whoever waits."""
    registration, _event = _found(token)
    registration_id = registration.id
    try:
        with write_transaction(db.session()):
            changes.cancel(
                db.session(), registration_id=registration_id, actor=audit.Actor.attendee(), now=request_now()
            )
    except RegistrationNotOpen as error:
        return _refused_as_a_whole(token, error)
    tasks.nudge()
    return redirect(url_for("attendee.registration_show", token=token), 303)


@blueprint.post("/r/<token>/feed")
def feed_reset(token: str) -> Response:
    """Gives the private feed a new address; the old one is unknown from now on."""
    registration, _event = _found(token)
    email_key = registration.email_key
    with write_transaction(db.session()):
        feeds.reset(db.session(), email_key)
    flash(_("Your private feed has a new address. The old one no longer works."), "success")
    return redirect(url_for("attendee.registration_show", token=token), 303)


def _found(token: str) -> tuple[Registration, Event]:
    links: Links = current_app.extensions["eventreg.links"]
    found = queries.by_link(db.session(), links.numbers(MANAGE, token, 2))
    if found is None:
        abort(404)
    return found


def _refuse_stale(registration_id: int, form: RsvpForm) -> None:
    """Under the event's lock. Raises: ChangedMeanwhileError when the answer was changed after the page was opened."""
    if versions.is_sent():
        event, registration = changes.load(db.session(), registration_id)
        versions.refuse_stale(form, _form(registration, event, sent=False))


def _form(registration: Registration, event: Event, *, sent: bool = True) -> RsvpForm:
    asked = event_queries.questions(db.session(), event.id)
    given = queries.answers_of(db.session(), [registration.id]).get(registration.id, {})
    return change_form(event, registration, asked, given, sent=sent)


def _refused(token: str, form: RsvpForm, error: Exception) -> tuple[str, int]:
    """The form again with what was typed; the old answer stands."""
    registration, event = _found(token)
    if isinstance(error, EventFull | InvalidField):
        form.party_size.errors = (str(error),)
        offer = isinstance(error, EventFull) and error.can_wait
        return _page(token, registration, event, form, offer_waitlist=offer), INVALID
    form.form_errors.append(str(error))
    return _page(token, registration, event, form), CONFLICT


def _refused_as_a_whole(token: str, error: Exception) -> tuple[str, int]:
    """The page as it stands now, with what could not be done."""
    registration, event = _found(token)
    form = _form(registration, event)
    form.form_errors.append(str(error))
    return _page(token, registration, event, form), CONFLICT


def _page(
    token: str,
    registration: Registration,
    event: Event,
    form: RsvpForm,
    *,
    offer_waitlist: bool = False,
    meanwhile: ChangedMeanwhileError | None = None,
) -> str:
    links: Links = current_app.extensions["eventreg.links"]
    session = db.session()
    outcome = changes.outcome(session, registration)
    feed = links.personal_feed(
        registration.id, registration.link_generation, queries.feed_generation(session, registration.email_key)
    )
    now = request_now()
    has_lapsed = outcome.is_offered and changes.has_lapsed(registration, now)
    return render_template(
        "attendee/registration_show.html",
        token=token,
        registration=registration,
        event=event,
        form=form,
        confirm=ConfirmForm(),
        outcome=outcome,
        sentence=wording.offer_lapsed(event, registration) if has_lapsed else wording.standing_of(outcome, event),
        has_lapsed=has_lapsed,
        is_outgrown=outgrown.is_outgrown(event, registration),
        has_page=rules.has_page(event),
        found=rules.availability(event, now),
        can_change=registration.status != "cancelled" and changes.is_changeable(event, now),
        offer_waitlist=offer_waitlist,
        meanwhile=meanwhile,
        feed=feed,
        qr=qr.drawn(links.manage(registration.id, registration.link_generation)),
    )
