"""An event's page, its drawn cover and its picture."""

from flask import Response, abort, make_response, render_template, request
from flask_babel import gettext as _

from eventreg.db import db
from eventreg.errors import NotFound
from eventreg.events import pictures, queries, revision, rules
from eventreg.events.models import Event
from eventreg.following import service as following
from eventreg.registrations import held
from eventreg.web import covers, display, page_cache
from eventreg.web.moment import request_now
from eventreg.web.public import blueprint
from eventreg.web.public.structured import event_data
from eventreg.web.static_files import FOREVER

A_DAY = "public, max-age=86400"


@blueprint.get("/events/<slug>")
def event_show(slug: str) -> Response:
    """The event, while it is published or cancelled, for whoever knows its address."""
    event, now = _event(slug), request_now()
    seats_held = held.among(db.session(), [event])
    display.note_held(seats_held)
    facts = held.noted(revision.of_event(event), [event], seats_held)
    page_cache.keep(facts, since=now, until=rules.next_change(event, now))
    picture = pictures.of_event(db.session(), event.id)
    response = make_response(
        render_template(
            "public/event_show.html",
            event=event,
            picture=picture,
            structured=event_data(event, picture=picture),
            source=following.name_of(db.session(), event.source_id),
        )
    )
    if event.visibility != "public":
        response.headers["X-Robots-Tag"] = "noindex"
    return response


@blueprint.get("/events/<slug>/cover.svg")
def cover_show(slug: str) -> Response:
    """The cover drawn for the event."""
    event = _event(slug)
    page_cache.keep(revision.of_event(event), since=request_now(), until=None)
    response = Response(covers.draw(event.slug, event.category_key), mimetype="image/svg+xml")
    current = covers.version(event.slug, event.category_key)
    response.headers["Cache-Control"] = FOREVER if request.args.get("v") == current else A_DAY
    return response


@blueprint.get("/events/<slug>/picture-<digest>.webp")
def picture_show(slug: str, digest: str) -> Response:
    """The event's picture; its address changes with its bytes."""
    picture = pictures.with_bytes(db.session(), _event(slug).id, digest)
    if picture is None:
        abort(404)
    response = Response(picture.webp, mimetype="image/webp")
    response.headers["Cache-Control"] = FOREVER
    response.set_etag(picture.digest)
    response.make_conditional(request)
    return response


def _event(slug: str) -> Event:
    event = queries.open_to_public(db.session(), slug)
    if event is None:
        raise NotFound(
            _("No event is shown at this address. It may have been taken back; the list has all that is coming.")
        )
    return event
