"""The attendee list as a file, with the list's own filters."""

from collections.abc import Iterator

from flask import Response, stream_with_context
from sqlalchemy.orm import Session

from eventreg import exports
from eventreg.db import db
from eventreg.events.models import Event
from eventreg.registrations.queries import AttendeeFilter
from eventreg.web.access import event_editor
from eventreg.web.organizer import blueprint
from eventreg.web.organizer.attendees import asked_filter


@blueprint.get("/events/<slug>/attendees.<any(csv, xlsx, json):extension>")
@event_editor
def attendee_export(event: Event, extension: str) -> Response:
    """Streamed: the answer begins before the last row is read."""
    filters = asked_filter()
    exports.check_length(extension, db.session(), event=event, filters=filters)
    chunks = stream_with_context(_chunks(extension, event.id, filters))
    response = Response(chunks, content_type=exports.format_named(extension).content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{event.slug}-attendees.{extension}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _chunks(extension: str, event_id: int, filters: AttendeeFilter) -> Iterator[bytes]:
    """In a session of its own, closed with the last chunk: the request's, and all it loaded, ends before the first."""
    with Session(db.engine) as session:
        event = session.get_one(Event, event_id)
        yield from exports.write(extension, session, event=event, filters=filters)
