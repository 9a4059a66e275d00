"""What a changed answer does to seats and status. Runs under the event's lock."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from eventreg.errors import EventFull, InvalidField
from eventreg.events import rules
from eventreg.events.models import Event
from eventreg.registrations import seats, waitlist
from eventreg.registrations.models import Registration
from eventreg.registrations.service import (
    AnswerForm,
    refuse_larger_than_allowed,
    refuse_unless_waiting,
)


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
        # A maximum that was lowered since is in the way of parties that grow or come back, never of one that shrinks.
        if form.party_size > (registration.party_size if registration.rsvp == "yes" else 0):
            refuse_larger_than_allowed(event, form.party_size)
        if not by_organizer:
            _refuse_to_grow_unapproved(event, registration, form.party_size)
        if held:
            _take_more_or_fewer(session, event, registration, form.party_size, by_organizer=by_organizer)
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


def _refuse_to_grow_unapproved(event: Event, registration: Registration, party_size: int) -> None:
    """Raises: InvalidField when more would come than an organizer has approved."""
    is_let_in = registration.rsvp == "yes" and registration.status != "pending"
    if event.needs_approval and is_let_in and party_size > registration.party_size:
        raise InvalidField(
            "party_size",
            _(
                "The organizers decide who comes: ask them if you would like to bring more people. Your registration "
                "still stands for %(held)s.",
                held=registration.party_size,
            ),
        )


def _take_more_or_fewer(
    session: Session, event: Event, registration: Registration, party_size: int, *, by_organizer: bool
) -> None:
    """The seats that differ. Raises: EventFull when they are taken, or kept for somebody who waits."""
    more = party_size - registration.party_size
    if more < 0:
        seats.give_back(session, event_id=event.id, seats=-more)
    if more <= 0:
        return
    left = max(rules.seats_left(event) or 0, 0)
    if left and not by_organizer and waitlist.holds_seats(session, event):
        words = _("The places left are kept for people who wait.")
        raise EventFull(_still_stands(registration, words), seats_left=0, can_wait=False)
    if seats.take(session, event_id=event.id, seats=more) is None:
        raise EventFull(_still_stands(registration, _places_left(left)), seats_left=left, can_wait=False)


def _begin(
    session: Session, event: Event, registration: Registration, form: AnswerForm, *, by_organizer: bool, now: datetime
) -> None:
    """A "no" or "maybe" becomes "yes": like somebody new, they ask, take seats or go to the end of the line."""
    if event.needs_approval and not by_organizer:
        registration.status = "pending"
        return
    held_for_others = waitlist.holds_seats(session, event)
    if not held_for_others and seats.take(session, event_id=event.id, seats=form.party_size) is not None:
        registration.status = "confirmed"
        return
    refuse_unless_waiting(event, form)
    _place, since = waitlist.end(session, event.id, now=now)
    registration.status, registration.waitlisted_at = "waitlisted", since


def _still_stands(registration: Registration, left: str) -> str:
    held = registration.party_size
    if registration.is_offered:
        return _("%(left)s The offer still stands for %(held)s.", left=left, held=held)
    return _("%(left)s Your registration still stands for %(held)s.", left=left, held=held)


def _places_left(left: int) -> str:
    if left == 0:
        return _("Every other place is taken.")
    return ngettext("Only %(num)d more place is left.", "Only %(num)d more places are left.", left)
