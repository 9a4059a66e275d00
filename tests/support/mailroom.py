"""Mail brought in, and what it did, for tests of `eventreg.incoming`."""

from datetime import datetime, timedelta

from flask import Flask, current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from eventreg.audit import AuditEntry
from eventreg.events.models import Event
from eventreg.incoming.ingest import ingest
from eventreg.incoming.models import ReceivedMail
from eventreg.incoming.service import Taken
from eventreg.outbox.models import Message
from eventreg.registrations import seats
from eventreg.registrations.models import Registration
from tests.support.calendars import LINKS
from tests.support.replies import mailed


def address_of(registration: Registration) -> str:
    """Where the calendar replies of that registration go."""
    token = LINKS.reply_token(registration.reply_id, registration.link_generation)
    return f"rsvp+{token}@example.org"


def bring(session: Session, data: bytes, *, now: datetime, envelope: str = "") -> Taken:
    """What became of that mail; the session sees everything anew."""
    session.commit()
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    taken = ingest(app, data, now=now, envelope=envelope)
    session.rollback()
    session.expire_all()
    return taken


def answer(
    session: Session,
    registration: Registration,
    partstat: str = "DECLINED",
    *,
    now: datetime,
    after: timedelta = timedelta(minutes=1),
    stamp: datetime | None = None,
    shape: str = "gmail",
    **given: object,
) -> Taken:
    """A reply of the registered person given `after` `now`, and brought then; `given` goes to `replies.mailed`."""
    event = session.get_one(Event, registration.event_id)
    values: dict[str, object] = {
        "to": address_of(registration),
        "uid": event.uid,
        "sequence": event.sequence,
        "attendee": registration.email,
        "stamp": stamp or now + after,
        "message_id": f"{registration.id}.{(stamp or now + after).timestamp():.0f}.{partstat}",
    }
    data = mailed(shape, partstat=partstat, **values | given)  # type: ignore[arg-type]
    return bring(session, data, now=now + after)


def standing(session: Session, event: Event) -> list[tuple[str, str, str]]:
    """Address, RSVP and status of every registration; fails unless its seats are counted right."""
    session.rollback()
    session.expire_all()
    assert seats.recount(session, event.id) == []
    rows = session.scalars(select(Registration).where(Registration.event_id == event.id).order_by(Registration.id))
    return [(row.email, row.rsvp, row.status) for row in rows]


def owed(session: Session) -> list[tuple[str, str]]:
    """Kind and recipient of every mail owed so far, oldest first."""
    session.rollback()
    return [(row.kind, row.recipient) for row in session.scalars(select(Message).order_by(Message.id))]


def received(session: Session) -> list[tuple[str, str]]:
    """Kind and outcome of every mail kept account of, oldest first."""
    session.rollback()
    query = select(ReceivedMail.kind, ReceivedMail.outcome).order_by(ReceivedMail.id)
    return [(kind, outcome) for kind, outcome in session.execute(query)]


def history(session: Session) -> list[tuple[str, str]]:
    """Who did what, oldest first."""
    session.rollback()
    query = select(AuditEntry.actor_name, AuditEntry.action).order_by(AuditEntry.id)
    return [(who, action) for who, action in session.execute(query)]
