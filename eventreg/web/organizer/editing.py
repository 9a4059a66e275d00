"""Writing an event: a new one, or changes to one that is there."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from eventreg import tasks
from eventreg.audit import history
from eventreg.db import db, write_transaction
from eventreg.errors import EventRegError, EventStateError, InvalidField
from eventreg.events import choices, queries, service
from eventreg.events.models import Event
from eventreg.events.values import EventValues
from eventreg.registrations import event_changes
from eventreg.web.access import event_editor, me, organizers_only
from eventreg.web.moment import request_now
from eventreg.web.organizer import actor, blueprint, preview, words
from eventreg.web.organizer.actions import host, mail_is_sent
from eventreg.web.organizer.event_form import EventForm, blank, written

UNPROCESSABLE = 422
CONFLICT = 409


class ChangedMeanwhileError(EventRegError):
    """Somebody else saved the event after this form was opened."""


@blueprint.route("/events/new", methods=["GET", "POST"])
@organizers_only
def event_new() -> Any:
    """An empty form, and the draft made of it."""
    form = EventForm(data=blank(request_now()))
    if request.method == "GET":
        return _page(form, None)
    owner_id = me().id

    def save(values: EventValues) -> Event:
        return service.create(
            db.session(), values=values, organizer_id=owner_id, actor=actor(), now=request_now(), host=host()
        )

    return _sent(form, None, save, lambda: _("Saved as a draft. Nobody sees it until you publish it."))


@blueprint.route("/events/<slug>/edit", methods=["GET", "POST"])
@event_editor
def event_edit(event: Event) -> Any:
    """The form as the event stands, and the changes made in it."""
    form = EventForm(data=written(event))
    if request.method == "GET":
        return _page(form, event)
    event_id, slug = event.id, event.slug
    done: list[event_changes.Saved] = []

    def save(values: EventValues) -> Event:
        _refuse_if_changed_since(event_id, form.seen_at.data if "seen_at" in request.form else "")
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

    return _sent(form, slug, save, lambda: _saved_words(done[0]))


def _sent(
    form: EventForm, slug: str | None, save: Callable[[EventValues], Event], words_for_it: Callable[[], str]
) -> Any:
    """What became of a sent form: the preview, the form again with its faults, or the saved event."""
    wants = request.form.get("action")
    if wants == "edit":  # back from the preview
        return _page(form, queries.by_slug(db.session(), slug) if slug else None)
    if not form.validate():
        return _again(form, slug, UNPROCESSABLE)
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
    except ChangedMeanwhileError:
        return _again(form, slug, CONFLICT, since=datetime.fromisoformat(form.seen_at.data))
    tasks.nudge()
    flash(words.published(promoted) if wants == "publish" else words_for_it(), "success")
    return redirect(url_for("organizer.event_show", slug=event.slug))


def _refuse_if_changed_since(event_id: int, seen_at: str) -> None:
    """Under the event's lock. A form without the mark (a script's) is taken as it is."""
    if not seen_at:
        return
    try:
        seen = datetime.fromisoformat(seen_at)
    except ValueError:
        return
    if seen.tzinfo is not None and service.load(db.session(), event_id).updated_at > seen:
        raise ChangedMeanwhileError


def _saved_words(saved: event_changes.Saved) -> str:
    if not saved.changes:
        return _("Nothing was different, so nothing was changed.")
    parts = [_("Saved.")]
    if saved.told:
        parts.append(words.mails_queued(saved.told, is_sent=mail_is_sent()))
    if saved.promoted:
        parts.append(words.moved_up(saved.promoted))
    return " ".join(parts)


def _again(form: EventForm, slug: str | None, status: int, *, since: datetime | None = None) -> tuple[str, int]:
    """The form with everything typed, loaded anew after whatever was rolled back."""
    db.session().rollback()
    event = queries.by_slug(db.session(), slug) if slug else None
    meanwhile = []
    if since is not None and event is not None:
        entries = history.of_event_since(db.session(), event.id, since)
        meanwhile = words.history(entries, event, {})
        form.seen_at.data = event.updated_at.isoformat()
        form.seen_at.raw_data = None
    return _page(form, event, meanwhile=meanwhile), status


def _page(form: EventForm, event: Event | None, *, meanwhile: Any = ()) -> str:
    session = db.session()
    return render_template(
        "organizer/event_form.html",
        form=form,
        event=event,
        meanwhile=meanwhile,
        categories=choices.categories(session, now=request_now()),
        people=event_changes.people_to_tell(session, event.id) if event and event.status != "cancelled" else 0,
        status=words.status_of_event(event, request_now()) if event else None,
    )
