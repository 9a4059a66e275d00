"""Moving up from the waitlist: who does when seats appear, and the one mail each of them is owed.

An event with `offer_hours` asks first: the seats are held, and whoever was asked accepts until then or leaves the line.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from eventreg import audit
from eventreg.events import rules
from eventreg.events.models import Event
from eventreg.registrations import messages, seats, waitlist
from eventreg.registrations.models import Registration

TOO_SOON_TO_ASK = timedelta(hours=1)
"""So shortly before an event begins nobody is asked: the place is theirs at once."""


def promote(session: Session, *, event_id: int, now: datetime) -> int:
    """Moves up whoever fits into the free seats, oldest first; how many parties moved.

    Runs in the transaction that freed the seats, or in which somebody left the line. Nobody is moved into an event
    that is cancelled, a draft, or under way and closed.
    """
    moved = 0
    event = seats.lock(session, event_id)
    while event.status == "published" and now < rules.line_ends_at(event):
        chosen = waitlist.next_in_line(session, event)
        if not chosen or not _move_up_together(session, event, chosen, now=now):
            break
        moved += len(chosen)
        event = seats.lock(session, event_id)
    return moved


def offer_until(event: Event, now: datetime) -> datetime | None:
    """Until when somebody asked now may accept, the event's start at the latest; None gives the place at once."""
    if event.offer_hours is None or event.starts_at - now <= TOO_SOON_TO_ASK:
        return None
    return min(now + timedelta(hours=event.offer_hours), event.starts_at)


def move_up(session: Session, event: Event, registration: Registration, *, actor: audit.Actor, now: datetime) -> bool:
    """Gives one waiting party its seats without asking and owes it a mail; False when it does not fit."""
    held = registration.seats_held  # an open offer holds them already
    if not held and seats.take(session, event_id=event.id, seats=registration.party_size) is None:
        return False
    _give([registration], now=now)
    session.flush()
    _note(session, event, [registration], actor=actor, until=None, now=now)
    messages.tell(session, event, registration, kind="promotion", now=now)
    session.flush()
    return True


def _move_up_together(session: Session, event: Event, chosen: Sequence[Registration], *, now: datetime) -> bool:
    """Seats for all of them, or an offer to each. False, with nothing done, when they do not fit after all."""
    if seats.take(session, event_id=event.id, seats=sum(one.party_size for one in chosen)) is None:
        return False
    seat_or_ask(session, event, chosen, until=offer_until(event, now), now=now)
    return True


def seat_or_ask(
    session: Session, event: Event, chosen: Sequence[Registration], *, until: datetime | None, now: datetime
) -> None:
    """Gives them the seats that are taken for them, or asks until then; owes each a mail."""
    before = chosen[0].offer_expires_at
    if until is None:
        _give(chosen, now=now)
    else:
        for registration in chosen:
            registration.offer_expires_at, registration.updated_at = until, now
    stamps = {one.id: messages.next_stamp(one, now) for one in chosen}
    session.flush()
    _note(session, event, chosen, actor=audit.Actor.system("waitlist"), before=before, until=until, now=now)
    kind = "promotion" if until is None else "offer"
    messages.tell_all(session, event, chosen, kind=kind, now=now, stamps=stamps)


def _give(chosen: Sequence[Registration], *, now: datetime) -> None:
    for registration in chosen:
        registration.status = "confirmed"
        registration.waitlisted_at = registration.offer_expires_at = None
        registration.updated_at = now


def _note(
    session: Session,
    event: Event,
    chosen: Sequence[Registration],
    *,
    actor: audit.Actor,
    until: datetime | None,
    now: datetime,
    before: datetime | None = None,
) -> None:
    audit.record_all(
        session,
        actor=actor,
        action="registration.promoted" if until is None else "offer.made",
        now=now,
        event_id=event.id,
        registration_ids=[registration.id for registration in chosen],
        changes={"offer_expires_at": (before, until)} if until else {"status": ("waitlisted", "confirmed")},
    )
