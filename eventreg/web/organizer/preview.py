"""The public page of an event as its form would make it; nothing is saved, and nothing typed is lost."""

from datetime import datetime
from typing import Any

from flask import render_template, request

from eventreg.db import db
from eventreg.events import search
from eventreg.events.models import Event
from eventreg.events.values import DERIVED, columns, values_of
from eventreg.registrations import event_changes
from eventreg.web import covers
from eventreg.web.access import me
from eventreg.web.moment import request_now
from eventreg.web.organizer import words
from eventreg.web.organizer.event_form import EventForm

NOT_CARRIED = {"action", "csrf_token"}


def page(form: EventForm, stored: Event | None) -> str:
    """The page, with a form that carries everything typed to the buttons that save it or go back to writing.

    Of a published event it says what would change, old and new, and how many people would be mailed about it.
    """
    imagined = _imagined(form, stored)
    changes = _changes(stored, imagined) if stored is not None and stored.status == "published" else {}
    people = 0
    if stored is not None and stored.ends_at > request_now() and event_changes.are_told(changes, form.tell):
        people = event_changes.people_to_tell(db.session(), stored.id)
    return render_template(
        "organizer/event_preview.html",
        event=imagined,
        changes=words.changes_in_words(changes, imagined),
        people=people,
        stored=stored,
        form=form,
        cover=covers.data_uri(
            stored.slug if stored else search.key(form.title.data), search.name_key(form.category.data)
        ),
        pairs=[(name, value) for name, value in request.form.items(multi=True) if name not in NOT_CARRIED],
    )


def _changes(stored: Event, imagined: Event) -> dict[str, tuple[Any, Any]]:
    """What saving would change: {column: (old, new)}."""
    names = columns(values_of(stored)).keys() - DERIVED
    pairs = {name: (_plain(getattr(stored, name)), _plain(getattr(imagined, name))) for name in sorted(names)}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _imagined(form: EventForm, stored: Event | None) -> Event:
    """An event in no session, published as far as its page is concerned."""
    return Event(
        id=stored.id if stored else 0,
        uid="preview",
        slug=stored.slug if stored else "preview",
        organizer_id=me().id,
        status="cancelled" if stored is not None and stored.status == "cancelled" else "published",
        seats_taken=stored.seats_taken if stored else 0,
        sequence=0,
        significant_sequence=0,
        created_at=request_now(),
        updated_at=request_now(),
        **columns(form.values()),
    )
