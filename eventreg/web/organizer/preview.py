"""The public page of an event as its form would make it; nothing is saved, and nothing typed is lost."""

from flask import render_template, request

from eventreg.events import search
from eventreg.events.models import Event
from eventreg.events.values import columns
from eventreg.web import covers
from eventreg.web.access import me
from eventreg.web.moment import request_now
from eventreg.web.organizer.event_form import EventForm

NOT_CARRIED = {"action", "csrf_token"}


def page(form: EventForm, stored: Event | None) -> str:
    """The page, with a form that carries everything typed to the buttons that save it or go back to writing."""
    return render_template(
        "organizer/event_preview.html",
        event=_imagined(form, stored),
        stored=stored,
        form=form,
        cover=covers.data_uri(
            stored.slug if stored else search.key(form.title.data), search.name_key(form.category.data)
        ),
        pairs=[(name, value) for name, value in request.form.items(multi=True) if name not in NOT_CARRIED],
    )


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
