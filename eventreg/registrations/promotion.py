"""Moving up from the waitlist: who does when seats appear, and the one mail each of them is owed."""

from datetime import datetime

from sqlalchemy.orm import Session

from eventreg import audit
from eventreg.events.models import Event
from eventreg.registrations import messages, seats, waitlist
from eventreg.registrations.models import Registration


def promote(session: Session, *, event_id: int, now: datetime) -> int:
    """Moves up whoever fits into the free seats, oldest first; how many parties moved.

    Runs in the transaction that freed the seats, or in which somebody left the line. Nobody is moved into an event
    that is cancelled, a draft or already under way.
    """
    moved = 0
    event = seats.lock(session, event_id)
    while event.status == "published" and now < event.starts_at:
        following = waitlist.next_in_line(session, event)
        if following is None or not move_up(session, event, following, actor=audit.Actor.system("waitlist"), now=now):
            break
        moved += 1
        event = seats.lock(session, event_id)
    return moved


def move_up(session: Session, event: Event, registration: Registration, *, actor: audit.Actor, now: datetime) -> bool:
    """Gives one waiting party its seats and owes it a mail; False when it does not fit."""
    if seats.take(session, event_id=event.id, seats=registration.party_size) is None:
        return False
    registration.status = "confirmed"
    registration.waitlisted_at = None
    registration.updated_at = now
    session.flush()
    audit.record(
        session,
        actor=actor,
        action="registration.promoted",
        now=now,
        event_id=event.id,
        registration_id=registration.id,
        changes={"status": ("waitlisted", "confirmed")},
    )
    messages.tell(session, event, registration, kind="promotion", now=now)
    session.flush()
    return True
