"""Writing an event: a new one, or changes to one that is there."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from eventreg import tasks
from eventreg.audit import history
from eventreg.db import db, write_transaction
from eventreg.errors import EventStateError, InvalidField
from eventreg.events import choices, queries, service
from eventreg.events.models import Event
from eventreg.events.values import EventValues
from eventreg.registrations import event_changes
from eventreg.web import versions
from eventreg.web.access import event_editor, me, organizers_only
from eventreg.web.moment import request_now
from eventreg.web.organizer import actor, blueprint, left_out, preview, words
from eventreg.web.organizer.actions import host, mail_is_sent
from eventreg.web.organizer.event_form import EventForm, blank, written
from eventreg.web.security import returns_form
from eventreg.web.versions import ChangedMeanwhileError

UNPROCESSABLE = 422
CONFLICT = 409


@blueprint.route("/events/new", methods=["GET", "POST"])
@returns_form
@organizers_only
def event_new() -> Any:
    """An empty form, and the draft made of it."""
    form = EventForm(data=blank(request_now()))
    if request.method != "POST":
        return _page(form, None)
    owner_id = me().id

    def save(values: EventValues) -> Event:
        return service.create(
            db.session(), values=values, organizer_id=owner_id, actor=actor(), now=request_now(), host=host()
        )

    return _sent(form, None, save, lambda: _("Saved as a draft. Nobody sees it until you publish it."))


@blueprint.route("/events/<slug>/edit", methods=["GET", "POST"])
@returns_form
@event_editor
def event_edit(event: Event) -> Any:
    """The form as the event stands, and the changes made in it."""
    form = EventForm(data=written(event))
    if request.method != "POST":
        return _page(form, event)
    event_id, slug = event.id, event.slug
    done: list[event_changes.Saved] = []

    def save(values: EventValues) -> Event:
        _refuse_stale(event_id, form)
        done.append(
            event_changes.save(
                db.session(),
                event_id=event_id,
                values=values,
                notify=form.tell,
                actor=actor(),
                now=request_now(),
            )
        )
        return service.load(db.session(), event_id)

    return _sent(form, slug, save, lambda: _saved_words(done[0]), lambda: left_out.warnings(done[0]))


def _sent(
    form: EventForm,
    slug: str | None,
    save: Callable[[EventValues], Event],
    words_for_it: Callable[[], str],
    warnings: Callable[[], list[str]] = list,
) -> Any:
    """What became of a sent form: the preview, the form again with its faults, or the saved event."""
    wants = request.form.get("action")
    if wants == "edit":  # back from the preview
        return _page(form, queries.by_slug(db.session(), slug) if slug else None)
    if not form.validate():
        return _again(form, slug, form.refused_with)
    if wants == "preview":
        return preview.page(form, queries.by_slug(db.session(), slug) if slug else None)
    promoted = 0
    try:
        with write_transaction(db.session()):
            event = save(form.values())
            if wants == "publish":
                promoted = event_changes.publish(db.session(), event_id=event.id, actor=actor(), now=request_now())
    except InvalidField as error:
        form.refuse(error)
        return _again(form, slug, UNPROCESSABLE)
    except EventStateError as error:
        form.refuse(InvalidField("starts_at", str(error)))
        return _again(form, slug, UNPROCESSABLE)
    except ChangedMeanwhileError as error:
        return _again(form, slug, CONFLICT, meanwhile=error)
    tasks.nudge()
    flash(words.published(promoted) if wants == "publish" else words_for_it(), "success")
    for warning in warnings():
        flash(warning, "warning")
    return redirect(url_for("organizer.event_show", slug=event.slug))


def _refuse_stale(event_id: int, form: EventForm) -> None:
    """Under the event's lock. Raises: ChangedMeanwhileError when it was changed after the form was opened."""
    if versions.is_sent():
        event = service.load(db.session(), event_id)
        versions.refuse_stale(form, EventForm(formdata=None, data=written(event)))


def _saved_words(saved: event_changes.Saved) -> str:
    if not saved.changes:
        return _("Nothing was different, so nothing was changed.")
    parts = [_("Saved.")]
    if saved.told:
        parts.append(words.mails_queued(saved.told, is_sent=mail_is_sent()))
    if saved.promoted:
        parts.append(words.moved_up(saved.promoted))
    return " ".join(parts)


def _again(
    form: EventForm, slug: str | None, status: int, *, meanwhile: ChangedMeanwhileError | None = None
) -> tuple[str, int]:
    """The form with everything typed, loaded anew after whatever was rolled back."""
    db.session().rollback()
    event = queries.by_slug(db.session(), slug) if slug else None
    who_did: Any = ()
    if meanwhile is not None and event is not None:
        since = _moment(form.seen_at.data)
        entries = history.of_event_since(db.session(), event.id, since) if since else []
        who_did = words.history(entries, event, {})
        form.show_again(meanwhile.version)
        form.seen_at.data = event.updated_at.isoformat()
        form.seen_at.raw_data = None
    return _page(form, event, meanwhile=meanwhile, who_did=who_did), status


def _moment(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def _page(
    form: EventForm, event: Event | None, *, meanwhile: ChangedMeanwhileError | None = None, who_did: Any = ()
) -> str:
    session = db.session()
    return render_template(
        "organizer/event_form.html",
        form=form,
        event=event,
        meanwhile=meanwhile,
        who_did=who_did,
        categories=choices.categories(session, now=request_now()),
        people=event_changes.people_to_tell(session, event.id) if event and event.status != "cancelled" else 0,
        status=words.status_of_event(event, request_now()) if event else None,
    )
