"""Taking an answer. Seats first, then the row, then the mail it owes: one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import and_, false, insert, or_, select
from sqlalchemy.orm import Session

from eventreg.db import table_of
from eventreg.errors import EventChanged, EventFull, InvalidField, OpeningUsed, RegistrationNotOpen
from eventreg.events import rules, search
from eventreg.events import wording as event_words
from eventreg.events.models import Event
from eventreg.outbox import queries as outbox_queries
from eventreg.outbox import queue
from eventreg.ready import Ready
from eventreg.registrations import arrivals, messages, queries, seats, waitlist
from eventreg.registrations.models import LONGEST_SEARCH_TEXT, Answer, Registration
from eventreg.registrations.outcome import Outcome

LINK_PAUSE = timedelta(minutes=15)
"""A link already mailed this recently is not mailed again, so that the form cannot be used to flood somebody."""
DOUBLE_CLICK = timedelta(minutes=1)
"""A form opened before the first answer and sent again within this time is the same answer, sent twice."""

_ANSWERS = Ready(insert(table_of(Answer)).inline())


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerForm:
    """What a person sends: `answers` maps question ids to text; `email` is valid, ASCII."""

    name: str
    email: str
    rsvp: str
    party_size: int = 1
    answers: Mapping[int, str] = field(default_factory=dict)
    join_waitlist: bool = False
    """They have said that they would rather wait, all of them, than come in part."""
    opened_at: datetime | None = None
    """When the form was shown to them, where that is known."""
    opening: str | None = None
    """Which opening of the form this answers; each is good for the answers of one address. None without a form."""

    @property
    def email_key(self) -> str:
        """What tells one person from another."""
        return self.email.lower()

    @property
    def search_text(self) -> str:
        """What the attendee list's search looks through; cut, because some letters fold into many."""
        return search.fold(f"{self.name} {self.email}")[:LONGEST_SEARCH_TEXT]


def register(
    session: Session,
    *,
    event_id: int,
    form: AnswerForm,
    now: datetime,
    source: str = "form",
    seen: tuple[str, int] | None = None,
) -> Outcome:
    """Takes a first answer and owes its confirmation.

    An address that has already answered changes nothing, gets the outcome a first answer would get, and is mailed
    the link of what it answered before: the form tells nobody who is coming. Either way it uses up the opening of the
    form: for another address that opening is refused, whether that one has answered before or not.

    `seen` is the uid and revision of the event that the answer was checked against, where that was earlier.
    Raises: NotFound, EventChanged, OpeningUsed, RegistrationNotOpen, InvalidField, EventFull (nothing is taken then).
    """
    holds = form.rsvp == "yes"
    take = partial(seats.take, session, event_id=event_id, seats=form.party_size, now=now, seen=seen)
    sequence = take() if holds else None
    status = "confirmed"
    if sequence is None:
        event = seats.lock(session, event_id)
        if seen not in {None, (event.uid, event.revision)}:
            raise EventChanged
        status = _admit(session, event, form, now)
        sequence = event.sequence
    place, since = waitlist.end(session, event_id, now=now) if status == "waitlisted" else (None, None)
    new = insert_registration(session, event_id=event_id, form=form, status=status, source=source, now=now, since=since)
    outcome = partial(Outcome, rsvp=form.rsvp, status=status, party_size=form.party_size, position=place)
    if new is None:
        if holds and status == "confirmed":
            seats.give_back(session, event_id=event_id, seats=form.party_size)
        return outcome(registration_id=_remind(session, event_id=event_id, form=form, now=now))
    store_answers(session, new.id, form.answers)
    payload = {"rsvp": form.rsvp, "status": status, "party_size": form.party_size, "sequence": sequence}
    queue.add(
        session,
        kind=messages.kind_for(form.rsvp, status),
        recipient=form.email,
        recipient_name=form.name,
        event_id=event_id,
        registration_id=new.id,
        payload=payload if place is None else {**payload, "position": place},
        now=now,
        stamp_at=new.stamp_at,
    )
    return outcome(registration_id=new.id)


def _admit(session: Session, event: Event, form: AnswerForm, now: datetime) -> str:
    """Decides under the event's lock what the quick way could not: the registration's status.

    Raises: RegistrationNotOpen, InvalidField, EventFull.
    """
    refuse_unless_open(event, now)
    if form.rsvp != "yes":
        return "confirmed"
    refuse_larger_than_allowed(event, form.party_size)
    if event.needs_approval:
        return "pending"
    if seats.take(session, event_id=event.id, seats=form.party_size, now=now) is not None:
        return "confirmed"  # somebody left between the first try and the lock
    refuse_unless_waiting(event, form)
    return "waitlisted"


def refuse_unless_open(event: Event, now: datetime) -> None:
    """Raises: RegistrationNotOpen saying why, when the event takes no answers at `now`."""
    found = rules.availability(event, now)
    if event.status == "draft":
        raise RegistrationNotOpen(_("Registration for this event has not opened."))
    if not found.takes_answers:
        raise RegistrationNotOpen(event_words.closed_reason(event, found))


def refuse_larger_than_allowed(event: Event, party_size: int) -> None:
    """Raises: InvalidField when the event takes no parties of that size, or has not that many places in all."""
    if event.capacity is not None and event.capacity < min(event.max_party_size, party_size):
        raise InvalidField(
            "party_size",
            ngettext(
                "This event has one place in all, so people come one by one.",
                "This event has %(num)d places in all, so at most %(num)d people can come on one registration.",
                event.capacity,
            ),
        )
    if not 1 <= party_size <= event.max_party_size:
        raise InvalidField(
            "party_size",
            ngettext(
                "This event takes people one by one.",
                "At most %(num)d people can come on one registration.",
                event.max_party_size,
            ),
        )


def refuse_unless_waiting(event: Event, form: AnswerForm) -> None:
    """Lets a party that does not fit join the waitlist when none fit at all or they asked to wait.

    Raises: EventFull otherwise, saying how many places are left.
    """
    left = max(rules.seats_left(event) or 0, 0)
    if event.waitlist_open and (left == 0 or form.join_waitlist or form.party_size <= left):
        return
    if left == 0:
        raise EventFull(_("Every place is taken."), seats_left=0, can_wait=False)
    if form.party_size <= left:
        raise EventFull(_("The places left are kept for people who wait."), seats_left=0, can_wait=False)
    raise EventFull(
        ngettext(
            "Only %(num)d place is left, and your party is %(size)d.",
            "Only %(num)d places are left, and your party is %(size)d.",
            left,
            size=form.party_size,
        ),
        seats_left=left,
        can_wait=event.waitlist_open,
    )


def insert_registration(
    session: Session,
    *,
    event_id: int,
    form: AnswerForm,
    status: str,
    source: str,
    now: datetime,
    since: datetime | None = None,
) -> arrivals.Inserted | None:
    """The new row, in line since `since` (see `waitlist.end`); None as `arrivals.insert` says."""
    values = {
        "event_id": event_id,
        "name": form.name,
        "email": form.email,
        "email_key": form.email_key,
        "search_text": form.search_text,
        "rsvp": form.rsvp,
        "status": status,
        "party_size": form.party_size,
        "waitlisted_at": since,
        "opening": form.opening,
        "source": source,
    }
    return arrivals.insert(session, values, now=now)


def store_answers(session: Session, registration_id: int, answers: Mapping[int, str]) -> None:
    """Stores the answers that are not empty."""
    rows = [
        {"registration_id": registration_id, "question_id": question_id, "value": value}
        for question_id, value in answers.items()
        if value
    ]
    if rows:
        _ANSWERS.run_all(session, rows)


def _remind(session: Session, *, event_id: int, form: AnswerForm, now: datetime) -> int:
    """Mails the link of the answer that is already there; returns that registration's id. Raises: OpeningUsed."""
    existing = find_existing(session, event_id=event_id, form=form)
    if existing is None:
        raise OpeningUsed
    remind(session, existing, form=form, now=now)
    return existing.id


def find_existing(session: Session, *, event_id: int, form: AnswerForm) -> Registration | None:
    """The live registration of the form's address. Raises: OpeningUsed by another address or one that cancelled."""
    theirs = and_(
        Registration.event_id == event_id,
        Registration.email_key == form.email_key,
        Registration.status != "cancelled",
    )
    from_here = Registration.opening == form.opening if form.opening else false()
    found = session.scalars(select(Registration).where(or_(theirs, from_here))).all()
    existing = next((one for one in found if one.email_key == form.email_key and one.status != "cancelled"), None)
    if any(one is not existing for one in found):
        raise OpeningUsed
    return existing


def remind(session: Session, existing: Registration, *, form: AnswerForm, now: datetime) -> None:
    """Mails the link of the answer that is already there, and uses up the opening of the form."""
    existing.opening = form.opening or existing.opening
    same_form = form.opened_at is not None and form.opened_at <= existing.created_at
    if not (same_form and now - existing.created_at < DOUBLE_CLICK):
        send_links(session, [existing], now=now)


def send_links(session: Session, registrations: list[Registration], *, now: datetime) -> bool:
    """Owes one mail with the links of these registrations of one person; the same not again within LINK_PAUSE."""
    first = registrations[0]
    one = first if len(registrations) == 1 else None
    registration_id = one.id if one else None
    if outbox_queries.was_queued_since(
        session, recipient=first.email, kind="link", registration_id=registration_id, since=now - LINK_PAUSE
    ):
        return False
    queue.add(
        session,
        kind="link",
        recipient=first.email,
        recipient_name=first.name,
        event_id=one.event_id if one else None,
        registration_id=registration_id,
        payload={"registration_ids": [registration.id for registration in registrations]},
        now=now,
    )
    return True


def send_lost_links(session: Session, *, email_key: str, now: datetime) -> bool:
    """Owes an address one mail with the links of all its registrations to come; False when there are none."""
    registrations = queries.upcoming_of(session, email_key, now)
    return bool(registrations) and send_links(session, registrations, now=now)
