"""One person on the list: added by hand, put right, mailed again, moved up, cancelled."""

from collections.abc import Callable
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from eventreg import tasks
from eventreg.audit import history
from eventreg.db import db, write_transaction
from eventreg.errors import EventFull, EventStateError, InvalidField, NotFound
from eventreg.events import queries as events
from eventreg.events.models import Event
from eventreg.outbox import queries as outbox
from eventreg.registrations import approval, changes, desk, queries
from eventreg.registrations.models import Registration
from eventreg.registrations.outcome import Outcome
from eventreg.web import versions
from eventreg.web.access import event_editor
from eventreg.web.moment import request_now
from eventreg.web.organizer import actor, blueprint, mail_words, states, words
from eventreg.web.organizer.actions import mail_is_sent
from eventreg.web.organizer.overview import labels
from eventreg.web.organizer.person_form import PersonForm, add_form, correct_form
from eventreg.web.security import returns_form
from eventreg.web.versions import ChangedMeanwhileError

UNPROCESSABLE = 422
CONFLICT = 409
LARGEST_ID = 2**31
REFUSALS = (InvalidField, EventFull, EventStateError)


@blueprint.route("/events/<slug>/attendees/new", methods=["GET", "POST"])
@returns_form
@event_editor
def attendee_new(event: Event) -> Any:
    """Somebody who rang, wrote or stood at the door."""
    form = add_form(event, events.questions(db.session(), event.id))
    if request.method != "POST":
        return _add_page(form, event)
    if not form.validate():
        return _add_page(form, event), form.refused_with
    event_id, slug, name = event.id, event.slug, form.name.data
    try:
        with write_transaction(db.session()):
            outcome = desk.add_by_organizer(
                db.session(),
                event_id=event_id,
                form=form.answer(),
                actor=actor(),
                now=request_now(),
                tell=form.tell.data,
            )
    except REFUSALS as error:
        form.refuse(error)
        return _add_page(form, _reloaded(slug)), UNPROCESSABLE
    tasks.nudge()
    flash(_("%(name)s is added: %(group)s.", name=name, group=_group_of(outcome)), "success")
    return redirect(url_for("organizer.attendee_list", slug=slug))


@blueprint.route("/events/<slug>/attendees/<int:registration_id>", methods=["GET", "POST"])
@returns_form
@event_editor
def attendee_edit(event: Event, registration_id: int) -> Any:
    """Everything about one person, and the form that puts it right."""
    registration = _registration(event, registration_id)
    form = _correct_form(event, registration)
    if request.method != "POST":
        return _edit_page(form, event, registration)
    if not form.validate():
        return _edit_page(form, event, registration), form.refused_with
    slug, old_email = event.slug, registration.email
    try:
        with write_transaction(db.session()):
            _refuse_stale(registration_id, form)
            outcome = desk.correct(
                db.session(),
                registration_id=registration_id,
                form=form.answer(),
                note=form.note.data,
                actor=actor(),
                now=request_now(),
            )
    except REFUSALS as error:
        form.refuse(error)
        event = _reloaded(slug)
        return _edit_page(form, event, _registration(event, registration_id)), UNPROCESSABLE
    except ChangedMeanwhileError as error:
        form.show_again(error.version)
        event = _reloaded(slug)
        return _edit_page(form, event, _registration(event, registration_id), meanwhile=error), CONFLICT
    tasks.nudge()
    said = _("Saved: %(group)s.", group=_group_of(outcome))
    if form.email.data != old_email:
        said += " " + _("The link mailed to %(old)s no longer works.", old=old_email)
        said += " " + words.mails_queued(1, is_sent=mail_is_sent())
    flash(said, "success")
    return redirect(url_for("organizer.attendee_edit", slug=slug, registration_id=registration_id))


@blueprint.post("/events/<slug>/attendees/<int:registration_id>/resend")
@event_editor
def attendee_resend(event: Event, registration_id: int) -> Response:
    """The mail about where they stand, once more."""
    return _act(event, registration_id, desk.resend, lambda _outcome: words.mails_queued(1, is_sent=mail_is_sent()))


@blueprint.post("/events/<slug>/attendees/<int:registration_id>/promote")
@event_editor
def attendee_promote(event: Event, registration_id: int) -> Response:
    """Up from the waitlist, ahead of its turn."""
    return _act(event, registration_id, desk.promote, lambda _outcome: _("Moved up from the waitlist."))


@blueprint.post("/events/<slug>/attendees/<int:registration_id>/approve")
@event_editor
def attendee_approve(event: Event, registration_id: int) -> Response:
    """Lets somebody come who asked to."""

    def said(outcome: Outcome) -> str:
        if outcome.holds_seats:
            return _("Approved. %(mails)s", mails=words.mails_queued(1, is_sent=mail_is_sent()))
        return _("Approved. The party does not fit into the free places, so it is on the waitlist.")

    return _act(event, registration_id, approval.approve, said)


@blueprint.post("/events/<slug>/attendees/<int:registration_id>/decline")
@event_editor
def attendee_decline(event: Event, registration_id: int) -> Response:
    """Does not let them come."""
    return _act(
        event,
        registration_id,
        approval.decline,
        lambda _outcome: _("Not approved. %(mails)s", mails=words.mails_queued(1, is_sent=mail_is_sent())),
    )


@blueprint.post("/events/<slug>/attendees/<int:registration_id>/cancel")
@event_editor
def attendee_cancel(event: Event, registration_id: int) -> Response:
    """Withdraws the registration; the seats go to the waitlist."""

    def cancel(session: Any, **given: Any) -> Outcome:
        return changes.cancel(session, **given, by_organizer=True)

    return _act(
        event,
        registration_id,
        cancel,
        lambda _outcome: _(
            "The registration is cancelled. %(mails)s", mails=words.mails_queued(1, is_sent=mail_is_sent())
        ),
    )


def _act(event: Event, registration_id: int, do: Callable[..., Outcome], said: Callable[[Outcome], str]) -> Response:
    """One service on one registration of this event, what happened in words, and back to where it was asked."""
    slug = _registration(event, registration_id) and event.slug
    try:
        with write_transaction(db.session()):
            states.check_person(db.session(), registration_id)
            outcome = do(db.session(), registration_id=registration_id, actor=actor(), now=request_now())
    except (EventStateError, EventFull) as error:
        flash(str(error), "danger")
    else:
        tasks.nudge()
        flash(said(outcome), "success")
    if request.form.get("back") == "list":
        return redirect(url_for("organizer.attendee_list", slug=slug, _anchor=f"person-{registration_id}"))
    return redirect(url_for("organizer.attendee_edit", slug=slug, registration_id=registration_id))


def _group_of(outcome: Outcome) -> str:
    return words.groups()[queries.group(outcome)]


def _registration(event: Event, registration_id: int) -> Registration:
    """Raises: NotFound, also for a registration of another event."""
    found = queries.by_id(db.session(), registration_id) if registration_id < LARGEST_ID else None
    if found is None or found.event_id != event.id:
        raise NotFound(_("This event has no such registration."))
    return found


def _reloaded(slug: str) -> Event:
    event = events.by_slug(db.session(), slug)
    if event is None:
        raise NotFound(_("There is no such event at your desk."))
    return event


def _refuse_stale(registration_id: int, form: PersonForm) -> None:
    """Under the event's lock. Raises: ChangedMeanwhileError when the person was changed after the page was opened."""
    if versions.is_sent():
        event, registration = changes.load(db.session(), registration_id)
        versions.refuse_stale(form, _correct_form(event, registration, sent=False))


def _correct_form(event: Event, registration: Registration, *, sent: bool = True) -> PersonForm:
    session = db.session()
    asked = events.questions(session, event.id)
    given = queries.answers_of(session, [registration.id]).get(registration.id, {})
    return correct_form(event, registration, asked, given, sent=sent)


def _add_page(form: PersonForm, event: Event) -> str:
    return render_template(
        "organizer/attendee_new.html", form=form, event=event, status=words.status_of_event(event, request_now())
    )


def _edit_page(
    form: PersonForm, event: Event, registration: Registration, *, meanwhile: ChangedMeanwhileError | None = None
) -> str:
    session = db.session()
    mail = outbox.latest_for(session, [registration.id]).get(registration.id)
    entries = history.of_registration(session, registration.id)
    retired = [one for one in events.questions(session, event.id, include_retired=True) if one.retired_at is not None]
    given = queries.answers_of(session, [registration.id]).get(registration.id, {})
    return render_template(
        "organizer/attendee_edit.html",
        form=form,
        meanwhile=meanwhile,
        event=event,
        registration=registration,
        status=words.status_of_event(event, request_now()),
        group=words.groups()[queries.group(registration)],
        mail=mail_words.mail_state(mail, event, is_sent=mail_is_sent()),
        history=words.history(entries, event, {registration.id: registration.name}, labels(entries)),
        old_answers=[(one.label, given[one.id]) for one in retired if one.id in given],
    )
