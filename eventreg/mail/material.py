"""Reads what the mails of a batch are about: a handful of statements for all of them, none kept open meanwhile."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased, defer

from eventreg.events import queries as event_queries
from eventreg.events.models import Event, Question
from eventreg.outbox import queries as outbox_queries
from eventreg.outbox.models import Message
from eventreg.registrations import confirming
from eventreg.registrations import queries as registration_queries
from eventreg.registrations.models import Registration

Own = tuple[Event, Registration]


@dataclass(frozen=True, slots=True)
class Material:
    """Detached rows, as they were when they were read. Nothing in it is written to."""

    about: Mapping[int, Own] = field(default_factory=dict)
    """By registration id."""
    given: Mapping[int, Mapping[int, str]] = field(default_factory=dict)
    """Answers by question id, by registration id."""
    questions: Mapping[int, Sequence[Question]] = field(default_factory=dict)
    """In the order of the form, retired ones too, by event id."""
    sent: Mapping[tuple[int, str], Sequence[Any]] = field(default_factory=dict)
    """What left for that registration and address, oldest first: id, kind and payload."""
    events: Mapping[int, Event] = field(default_factory=dict)
    """By id, those that mails without a registration are about."""
    came_back: frozenset[int] = frozenset()
    """Cancelled registrations whose person has registered again since and is to find the event in their calendar."""

    def answers(self, registration: Registration) -> list[tuple[str, str]]:
        """Question and answer, in the order of the form."""
        given = self.given.get(registration.id, {})
        asked = self.questions.get(registration.event_id, ())
        return [(question.label, given[question.id]) for question in asked if question.id in given]

    def links_of(self, message: Message) -> list[Own]:
        """The registrations named by a mail of links that still belong to its address, by date."""
        wanted = (self.about.get(number) for number in _named(message))
        found = [own for own in wanted if own is not None and own[1].email_key == message.recipient.lower()]
        return sorted(found, key=lambda own: (own[0].starts_at, own[1].id))

    def sent_before(self, message: Message) -> list[Any]:
        """The mails of the same registration that left for the same address before this one, oldest first."""
        earlier = self.sent.get((message.registration_id or 0, message.recipient), ())
        return [one for one in earlier if one.id < message.id]


def read(session: Session, messages: Collection[Message]) -> Material:
    """What those mails need. Seven statements at most; the session should be one for this alone, closed after it."""
    numbers = {number for message in messages for number in _named(message)}
    events = _events(session, {one.event_id for one in messages if one.kind == confirming.KIND and one.event_id})
    if not numbers:
        return Material(events=events)
    query = (
        select(Event, Registration)
        .join(Registration, Event.id == Registration.event_id)
        .where(Registration.id.in_(numbers))
        .options(defer(Event.ics_block), defer(Event.search_text), defer(Registration.search_text))
    )
    about = {registration.id: (event, registration) for event, registration in session.execute(query)}
    sent: dict[tuple[int, str], list[Any]] = defaultdict(list)
    for one in outbox_queries.sent_about(session, about):
        sent[one.registration_id, one.recipient].append(one)
    return Material(
        about=about,
        given=registration_queries.answers_of(session, about),
        questions=event_queries.questions_of(session, {event.id for event, _registration in about.values()}),
        sent=sent,
        events=events,
        came_back=_came_back(
            session, {registration.id for _event, registration in about.values() if registration.cancelled_at}
        ),
    )


def _events(session: Session, numbers: set[int]) -> dict[int, Event]:
    if not numbers:
        return {}
    query = select(Event).where(Event.id.in_(numbers)).options(defer(Event.ics_block), defer(Event.search_text))
    return {event.id: event for event in session.scalars(query)}


def _came_back(session: Session, cancelled: set[int]) -> frozenset[int]:
    if not cancelled:
        return frozenset()
    later = aliased(Registration)
    again = exists().where(
        later.email_key == Registration.email_key,
        later.event_id == Registration.event_id,
        later.id > Registration.id,
        # Whoever is not coming this time, or waits, still has the old entry, and it must go.
        later.status == "confirmed",
        later.rsvp != "no",
    )
    return frozenset(session.scalars(select(Registration.id).where(Registration.id.in_(cancelled), again)))


def _named(message: Message) -> list[int]:
    """The registrations a mail speaks of."""
    if message.kind == "link":
        return list(message.payload.get("registration_ids", ()))
    return [] if message.registration_id is None else [message.registration_id]
