"""What a changed answer does to seats and status. Runs under the event's lock."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from eventreg.errors import EventFull
from eventreg.events import rules
from eventreg.events.models import Event
from eventreg.registrations import seats, waitlist
from eventreg.registrations.models import Registration
from eventreg.registrations.service import AnswerForm, refuse_larger_than_allowed, refuse_unless_waiting


@dataclass(frozen=True, slots=True)
class Before:
    """What a registration was before it changed; `seats` are those it held."""

    rsvp: str
    status: str
    party_size: int
    name: str
    seats: int

    @classmethod
    def of(cls, registration: Registration) -> Self:
        """The row as it is now."""
        return cls(
            registration.rsvp, registration.status, registration.party_size, registration.name, registration.seats_held
        )

    def payload(self) -> dict[str, Any]:
        """The same for a mail."""
        return {"rsvp": self.rsvp, "status": self.status, "party_size": self.party_size}


def move(
    session: Session, event: Event, registration: Registration, form: AnswerForm, *, by_organizer: bool, now: datetime
) -> None:
    """Seats and status for the new answer. Raises: InvalidField, EventFull."""
    held = registration.seats_held
    if form.rsvp != "yes":
        leave(session, event, registration, status="confirmed")
    else:
        if form.party_size != registration.party_size or registration.rsvp != "yes":
            refuse_larger_than_allowed(event, form.party_size)
        if held:
            _take_more_or_fewer(session, event, registration, form.party_size)
        elif registration.rsvp != "yes":
            _begin(session, event, registration, form, by_organizer=by_organizer, now=now)
        # Somebody who waits keeps their place in line, and somebody who asked goes on asking, whatever their number.
    registration.rsvp, registration.party_size = form.rsvp, form.party_size


def leave(session: Session, event: Event, registration: Registration, *, status: str) -> None:
    """Gives back what it held, seats or a place in line or the organizers' attention."""
    held = registration.seats_held
    if held:
        seats.give_back(session, event_id=event.id, seats=held)
    registration.status = status
    registration.waitlisted_at = registration.offer_expires_at = None


def _take_more_or_fewer(session: Session, event: Event, registration: Registration, party_size: int) -> None:
    more = party_size - registration.party_size
    if more < 0:
        seats.give_back(session, event_id=event.id, seats=-more)
    elif more > 0 and seats.take(session, event_id=event.id, seats=more) is None:
        words = _no_room_for_more(event, registration)
        raise EventFull(words, seats_left=rules.seats_left(event) or 0, can_wait=False)


def _begin(
    session: Session, event: Event, registration: Registration, form: AnswerForm, *, by_organizer: bool, now: datetime
) -> None:
    """A "no" or "maybe" becomes "yes": like somebody new, they ask, take seats or go to the end of the line."""
    if event.needs_approval and not by_organizer:
        registration.status = "pending"
        return
    held_for_others = waitlist.holds_seats(session, event.id, event.waitlist_rule)
    if not held_for_others and seats.take(session, event_id=event.id, seats=form.party_size) is not None:
        registration.status = "confirmed"
        return
    refuse_unless_waiting(event, form)
    registration.status, registration.waitlisted_at = "waitlisted", now


def _no_room_for_more(event: Event, registration: Registration) -> str:
    left, held = _places_left(max(rules.seats_left(event) or 0, 0)), registration.party_size
    if registration.is_offered:
        return _("%(left)s The offer still stands for %(held)s.", left=left, held=held)
    return _("%(left)s Your registration still stands for %(held)s.", left=left, held=held)


def _places_left(left: int) -> str:
    if left == 0:
        return _("Every other place is taken.")
    return ngettext("Only %(num)d more place is left.", "Only %(num)d more places are left.", left)
