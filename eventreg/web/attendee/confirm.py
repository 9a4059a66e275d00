"""The link that confirms an address: a page that shows the answer kept with its mail, and one button that sends it."""

from typing import Any

from flask import abort, current_app, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from eventreg import tasks
from eventreg.db import db, in_line, write_transaction
from eventreg.errors import EventFull, InvalidField, NotFound, OpeningUsed, RegistrationNotOpen
from eventreg.events import queries, rules
from eventreg.events.models import Event
from eventreg.links import CONFIRM, Links
from eventreg.outbox.models import Message
from eventreg.registrations import confirming
from eventreg.registrations.models import Registration
from eventreg.web.attendee import blueprint
from eventreg.web.attendee.forms import ConfirmForm, RsvpForm, rsvp_form
from eventreg.web.attendee.rsvp import entrance_or_404, page, refused
from eventreg.web.moment import request_now

CONFLICT, GONE, INVALID = 409, 410, 422


@blueprint.get("/events/<slug>/rsvp/sent")
def confirm_sent(slug: str) -> str:
    """What happens now; the same page whether or not the address had answered before."""
    event = queries.open_to_public(db.session(), slug)
    if event is None:
        abort(404)
    return render_template("attendee/confirm_sent.html", event=event)


@blueprint.get("/confirm/<token>")
def confirm_show(token: str) -> str | tuple[str, int]:
    """The answer, and the button that sends it; looking changes nothing."""
    event, message = _found(token)
    return _page(token, event, message)


@blueprint.post("/confirm/<token>")
def confirm_send(token: str) -> Response | tuple[str, int]:
    """Registers the answer as if it came now; pressed again, it leads to the same registration."""
    event, message = _found(token)
    if message is None:
        return _gone(event)
    if confirming.is_used(message):
        return _own_page(message.registration_id, message.recipient) or _gone(event)
    if not confirming.is_open(message, event, request_now()):
        return _gone(event)
    if "rsvp" not in request.form and request.form.get("shown") != _digest(message):
        return _page(token, event, message, is_changed=True)[0], CONFLICT
    form, action = _form(event, message), url_for("attendee.confirm_send", token=token)
    if not form.validate():
        return page(event.slug, form, action=action), INVALID
    slug, recipient, key = event.slug, message.recipient, message.message_key
    answer, now = form.answer(opening=key), request_now()
    options: dict[str, Any] = {"event_id": event.id, "message_key": key, "form": answer, "now": now}
    try:
        with in_line(db.session(), slug), write_transaction(db.session()):
            registration_id = confirming.confirm(db.session(), **options)
    except (RegistrationNotOpen, EventFull, InvalidField) as error:
        return refused(slug, form, error, action=action)
    except (NotFound, OpeningUsed):
        registration_id = None
    tasks.nudge()
    return _own_page(registration_id, recipient) or _gone(_found(token)[0])


def _found(token: str) -> tuple[Event, Message | None]:
    """The event, and the mail with the answer unless it is deleted."""
    links: Links = current_app.extensions["eventreg.links"]
    match links.read(CONFIRM, token):
        case [int(event_id), str(message_key)]:
            event = queries.by_id(db.session(), event_id)
        case _:
            abort(404)
    if event is None or not rules.has_page(event):
        abort(404)
    return event, confirming.find(db.session(), event_id=event.id, message_key=message_key)


def _form(event: Event, message: Message) -> RsvpForm:
    """The RSVP form as the event asks it now: with what was corrected on it, or with the answer that is kept."""
    kept = {**message.payload[confirming.ANSWER], "csrf_token": request.form.get("csrf_token", "")}
    sent = MultiDict(request.form if "rsvp" in request.form else kept)
    sent["email"] = message.recipient
    return rsvp_form(entrance_or_404(event.slug), sent)


def _page(token: str, event: Event, message: Message | None, *, is_changed: bool = False) -> tuple[str, int]:
    if message is None or not confirming.is_open(message, event, request_now()):
        return _gone(event, is_used=message is not None and confirming.is_used(message))
    content = render_template(
        "attendee/confirm_ask.html",
        token=token,
        event=event,
        recipient=message.recipient,
        answer=message.payload[confirming.ANSWER],
        questions=queries.questions(db.session(), event.id),
        shown=_digest(message),
        is_changed=is_changed,
        confirm=ConfirmForm(),
    )
    return content, 200


def _gone(event: Event, *, is_used: bool = False) -> tuple[str, int]:
    return render_template("attendee/confirm_gone.html", event=event, is_used=is_used), GONE


def _digest(message: Message) -> str:
    return confirming.digest(message.payload[confirming.ANSWER])


def _own_page(registration_id: int | None, recipient: str) -> Response | None:
    """Leads to “my registration”, unless its address was corrected meanwhile."""
    registration = db.session().get(Registration, registration_id) if registration_id is not None else None
    if registration is None or registration.email_key != recipient.lower():
        return None
    links: Links = current_app.extensions["eventreg.links"]
    token = links.manage_token(registration.id, registration.link_generation)
    return redirect(url_for("attendee.registration_show", token=token), 303)
