"""Every address of the site with something behind it, and a picture of everything the database holds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from eventreg.db import db
from eventreg.events.models import Event, Question
from eventreg.following.models import FollowedCalendar
from eventreg.incoming.models import ReceivedMail
from eventreg.links import CONFIRM, DESK_FEED, FEED, MANAGE, RESULT, UNDO, Links
from eventreg.outbox import queue
from eventreg.registrations import confirming
from eventreg.registrations.models import Registration
from tests.support.factories import Factory


@dataclass
class Site:
    """One of each: an open event of Olga's with people, and what leads to it."""

    app: Flask
    event: Event
    amira: Registration
    wim: Registration
    question: Question
    links: Links
    calendar_id: int
    mail_id: int
    confirm_key: str = "c" * 32

    def arguments(self, rule: Rule) -> dict[str, Any]:
        """A value for each argument of an address, so that there is something behind it."""
        values: dict[str, Any] = {
            "slug": self.event.slug,
            "year": self.event.starts_at.year,
            "month": self.event.starts_at.month,
            "registration_id": self.amira.id,
            "calendar_id": self.calendar_id,
            "mail_id": self.mail_id,
            "question_id": self.question.id,
            "sign_in_id": 1,
            "extension": "csv",
            "action": "retire",
            "direction": "up",
            "filename": "site.css",
            "digest": "0000",
            "name": "nothing.eml",
            "token": self.token(rule),
        }
        unknown = set(rule.arguments) - set(values)
        assert not unknown, f"tests/support/site.py knows no value for {unknown} of {rule.rule}"
        return {name: values[name] for name in rule.arguments}

    def token(self, rule: Rule) -> str:
        """The token that this address takes."""
        if rule.rule.startswith("/my/"):
            return self.links.sign(FEED, [self.amira.id, self.amira.link_generation, 1])
        if rule.rule.startswith("/desk/"):
            return self.links.sign(DESK_FEED, [self.event.organizer_id, 1])
        if rule.rule.startswith("/undo/"):
            return self.links.sign(UNDO, [self.amira.id, self.amira.link_generation, 0, "yes"])
        if rule.rule.startswith("/confirm/"):
            return self.links.sign(CONFIRM, [self.event.id, self.confirm_key])
        if rule.rule.startswith("/events/"):
            return self.links.sign(RESULT, [self.event.id, "yes", "confirmed", 2, None])
        return self.links.sign(MANAGE, [self.amira.id, self.amira.link_generation])

    def addresses(self, method: str, of: Callable[[Rule], bool] = lambda _rule: True) -> Iterator[tuple[Rule, str]]:
        """Every address that answers `method`, with something behind it."""
        adapter = self.app.url_map.bind("events.example.org", url_scheme="https")
        for rule in sorted(self.app.url_map.iter_rules(), key=str):
            if method in (rule.methods or ()) and of(rule):
                yield rule, adapter.build(rule.endpoint, self.arguments(rule), method=method)


def build(app: Flask, factory: Factory) -> Site:
    """Fills an empty database with the cast."""
    event = factory.event(
        title="Anniversary", capacity=3, category="Celebrations", audience="alumni, staff", online_url=JOIN_LINK
    )
    needs = {"Dietary or access needs": "no nuts"}
    amira = factory.registration(event, party_size=3, answers=needs)
    wim = factory.registration(event, name="Wim de Vries", email="wim@example.org", status="waitlisted")
    factory.event(title="Draft", status="draft")
    factory.event(title="Unlisted", visibility="unlisted")
    factory.event(title="Past", starts_at=factory.now - timedelta(days=3))
    factory.event(title="Called off", status="cancelled")
    question = factory.session.scalars(sa.select(Question).where(Question.event_id == event.id)).one()
    calendar = FollowedCalendar(
        url="https://example.org/calendar.ics", organizer_id=event.organizer_id, created_at=factory.now
    )
    mail = ReceivedMail(
        digest="0" * 64,
        kind="reply",
        outcome="held",
        event_id=event.id,
        registration_id=amira.id,
        rsvp="no",
        sequence=0,
        received_at=factory.now,
    )
    factory.session.add_all([calendar, mail])
    # The answer of Sam, who has not confirmed it.
    queue.add(
        factory.session,
        kind=confirming.KIND,
        recipient="sam@example.org",
        event_id=event.id,
        payload={confirming.ANSWER: {"name": "Sam", "rsvp": "no", "party_size": "1"}},
        now=factory.now,
        message_key="c" * 32,
    )
    factory.session.commit()
    return Site(app, event, amira, wim, question, app.extensions["eventreg.links"], calendar.id, mail.id)


JOIN_LINK = "https://meet.example.org/secret-room"


def everything(session: Session) -> dict[str, list[str]]:
    """Every row of every table, whoever made the table."""
    session.rollback()
    connection = session.connection()
    tables = sorted(sa.inspect(connection).get_table_names())
    found = {
        table: sorted(repr(tuple(row)) for row in connection.execute(sa.text(f'SELECT * FROM "{table}"')))
        for table in tables
    }
    session.rollback()
    assert db.metadata.tables.keys() <= found.keys()
    return found
