"""The cast and their events, as rows. Each factory commits, so that requests see what it made.

Olga organizes, Amira attends, Wim waits, Sam is a stranger.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from eventreg.events import search
from eventreg.events.models import Event, Question
from eventreg.events.values import EventValues, columns
from eventreg.following.models import FollowedCalendar
from eventreg.organizers.models import Organizer, Role
from eventreg.registrations.models import Answer, Registration

PASSWORD = "correct horse battery staple"
VALUES = frozenset(EventValues.__dataclass_fields__)


class Factory:
    """Makes rows in one session, around one `now`."""

    def __init__(self, session: Session, now: datetime) -> None:
        self.session = session
        self.now = now

    def organizer(
        self,
        email: str = "olga@example.org",
        role: str = "organizer",
        *,
        name: str = "Olga Ortega",
        password: str | None = None,
        **columns_given: Any,
    ) -> Organizer:
        """An account that signs in with PASSWORD (or `password`); the one there is when the address is known."""
        known = self.session.scalar(sa.select(Organizer).where(Organizer.email == email.lower()))
        if known is not None:
            return known
        organizer = Organizer(
            email=email.lower(),
            name=name,
            password=_hashed(password or PASSWORD),
            active=True,
            fs_uniquifier=uuid.uuid4().hex,
            created_at=self.now,
            **columns_given,
        )
        self.session.add(organizer)
        organizer.roles = [self.session.scalars(sa.select(Role).where(Role.name == role)).one()]
        self.session.commit()
        return organizer

    def event(self, **given: Any) -> Event:
        """A published public event in 30 days, 2 hours long, for parties of up to 4, with the question on needs.

        Takes every value an organizer decides and every column; `organizer` is an account (default Olga),
        `questions` a list of dicts for Question (default: dietary or access needs).
        """
        organizer = given.pop("organizer", None) or self.organizer()
        questions = given.pop("questions", [{"label": "Dietary or access needs", "kind": "paragraph"}])
        starts_at = given.pop("starts_at", self.now + timedelta(days=30))
        given.setdefault("ends_at", starts_at + timedelta(hours=2))
        decided = {name: given.pop(name) for name in list(given) if name in VALUES}
        decided = {
            "title": "A day of reflection",
            "timezone": "America/New_York",
            "summary": "Looking back, looking forward",
            "location_name": "TMEC Amphitheater",
            "location_address": "260 Longwood Ave, Boston MA",
            "max_party_size": 4,
            **decided,
        }
        if isinstance(decided.get("audience"), str):
            decided["audience"] = tuple(one.strip() for one in decided["audience"].split(",") if one.strip())
        row: dict[str, Any] = columns(EventValues(starts_at=starts_at, **decided))
        row |= {
            "uid": f"{uuid.uuid4()}@events.example.org",
            "slug": self._slug(decided["title"]),
            "organizer_id": organizer.id,
            "status": "published",
            "seats_taken": 0,
            "sequence": 0,
            "significant_sequence": 0,
            "created_at": self.now,
            "updated_at": self.now,
        }
        if given.get("status", "published") != "draft":
            row["published_at"] = self.now
        if given.get("status") == "cancelled":
            row["cancelled_at"] = self.now
        event = Event(**row | given)
        self.session.add(event)
        self.session.flush()
        self.session.add_all(
            Question(event_id=event.id, **{"position": position, "kind": "text", **one})
            for position, one in enumerate(questions, start=1)
        )
        self.session.commit()
        return event

    def followed_calendar(self) -> FollowedCalendar:
        """A calendar elsewhere; its id is the `source_id` of an event that comes from it."""
        calendar = FollowedCalendar(
            url="https://uni.example/cal.ics", organizer_id=self.organizer().id, created_at=self.now
        )
        self.session.add(calendar)
        self.session.commit()
        return calendar

    def registration(self, event: Event, **given: Any) -> Registration:
        """A confirmed "yes" of Amira for one, holding its seat. `answers` maps question labels to text."""
        answers: Mapping[str, str] = given.pop("answers", {})
        given.setdefault("name", "Amira Haddad")
        given.setdefault("email", "amira@example.org")
        row: dict[str, Any] = {
            "event_id": event.id,
            "email_key": given["email"].lower(),
            "search_text": search.fold(f"{given['name']} {given['email']}"),
            "rsvp": "yes",
            "status": "confirmed",
            "party_size": 1,
            "source": "form",
            "calendar_stamp_at": self.now,
            "created_at": self.now,
            "updated_at": self.now,
        }
        if given.get("status") == "waitlisted":
            row["waitlisted_at"] = self.now
        if given.get("status") == "cancelled":
            row["cancelled_at"] = self.now
        registration = Registration(**row | given)
        self.session.add(registration)
        self.session.flush()
        if registration.seats_held:
            self.session.execute(
                sa.update(Event)
                .where(Event.id == event.id)
                .values(seats_taken=Event.seats_taken + registration.seats_held)
            )
        for label, value in answers.items():
            question = self.session.scalars(
                sa.select(Question).where(Question.event_id == event.id, Question.label == label)
            ).one()
            self.session.add(Answer(registration_id=registration.id, question_id=question.id, value=value))
        self.session.commit()
        self.session.refresh(event)
        return registration

    def _slug(self, title: str) -> str:
        base = search.key(title)[:80].strip("-") or "event"
        taken = set(self.session.scalars(sa.select(Event.slug).where(Event.slug.startswith(base))))
        return base if base not in taken else f"{base}-{len(taken) + 1}"


def _hashed(password: str) -> str:
    from flask_security import hash_password

    return str(hash_password(password))
