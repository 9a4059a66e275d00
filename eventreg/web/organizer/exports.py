"""The attendee list as a file, with the list's own filters."""

from flask import Response, stream_with_context

from eventreg import exports
from eventreg.db import db
from eventreg.events.models import Event
from eventreg.web.access import event_editor
from eventreg.web.organizer import blueprint
from eventreg.web.organizer.attendees import asked_filter


@blueprint.get("/events/<slug>/attendees.<any(csv, xlsx, json):extension>")
@event_editor
def attendee_export(event: Event, extension: str) -> Response:
    """Streamed: the answer begins before the last row is read."""
    chunks = exports.write(extension, db.session(), event=event, filters=asked_filter())
    response = Response(stream_with_context(chunks), content_type=exports.format_named(extension).content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{event.slug}-attendees.{extension}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response
