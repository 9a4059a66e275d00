"""Offers whose mail has not left: nobody's time to accept may pass before they could know of it.

While the mail server is away, an offer is made anew, for as long as the first time, when half of its time is over.
Else a night without mail would go through a whole line, and each would lose a place they never heard of.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from eventreg.events.models import Event
from eventreg.outbox import queue
from eventreg.outbox.models import Message
from eventreg.registrations import seats
from eventreg.registrations.models import Registration
from eventreg.registrations.offers import IS_OPEN
from eventreg.registrations.promotion import offer_until, seat_or_ask

KIND = "offer"
_IS_NOBODYS_FAULT: ColumnElement[bool] = or_(Message.server_reply == "", Message.server_reply.startswith(queue.FOR_ALL))
"""Not tried yet, or no mail was taken. Whose own mailbox takes none must not hold up the line for ever."""


def are_due(session: Session, *, now: datetime) -> bool:
    """Whether `ask_again` has something to do; asks without writing."""
    return bool(_waiting(session, now))


def ask_again(session: Session, *, now: datetime, limit: int) -> int:
    """Makes the offers of one event anew whose mail waits, `limit` at most; how many. Call it until it returns 0."""
    waiting = _waiting(session, now)
    if not waiting:
        return 0
    event = seats.lock(session, waiting[0].event_id)
    of_event = [row.id for row in waiting if row.event_id == event.id][:limit]
    asked = session.scalars(
        select(Registration)
        .where(Registration.id.in_(of_event), IS_OPEN)
        .order_by(Registration.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    return sum(_make_anew(session, event, registration, now=now) for registration in asked)


def _make_anew(session: Session, event: Event, registration: Registration, *, now: datetime) -> bool:
    """False where a worker has the mail in its hands: it may leave."""
    reason = _("The offer was made anew before this mail left.")
    if not queue.withdraw(session, registration_id=registration.id, kind=KIND, reason=reason):
        return False
    until = offer_until(event, now) or event.starts_at
    until = max(until, registration.offer_expires_at or until)
    seat_or_ask(session, event, [registration], until=until, now=now)
    return True


def _waiting(session: Session, now: datetime) -> Sequence[Any]:
    """Open offers that could last longer, whose mail waits and whose time is half over."""
    query = (
        select(
            Registration.id,
            Registration.event_id,
            Registration.offer_expires_at,
            func.max(Message.created_at).label("made_at"),
        )
        .join(Message, and_(Message.registration_id == Registration.id, Message.kind == KIND))
        .join(Event, Event.id == Registration.event_id)
        .where(
            IS_OPEN,
            Message.state.in_(("queued", "retrying")),
            _IS_NOBODYS_FAULT,
            Event.status == "published",
            Event.starts_at > now,
            Event.starts_at > Registration.offer_expires_at,
        )
        .group_by(Registration.id, Registration.event_id, Registration.offer_expires_at)
        .order_by(Registration.event_id, Registration.id)
    )
    return [row for row in session.execute(query) if row.offer_expires_at - now <= now - row.made_at]
