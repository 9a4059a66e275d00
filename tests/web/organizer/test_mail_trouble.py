"""Whom mail did not reach, on the event's overview and on the row."""

from collections.abc import Callable
from datetime import datetime

from flask.testing import FlaskClient
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from eventreg.db import write_transaction
from eventreg.events.models import Event
from eventreg.outbox import bounces, queries
from eventreg.outbox.models import Message
from eventreg.registrations.models import Registration
from tests.support.html import Page
from tests.support.outbox import message, owe_about


def came_back(session: Session, mail_id: int, now: datetime) -> None:
    with write_transaction(session):
        session.execute(update(Message).where(Message.id == mail_id).values(state="sent", attempts=1))
        row = session.get_one(Message, mail_id)
        assert bounces.record(session, message_key=row.message_key, words="550 5.1.1 No such mailbox", now=now)


def test_a_person_whose_mail_came_back_is_named_until_a_later_mail_arrives(
    olga: FlaskClient,
    session: Session,
    now: datetime,
    make_event: Callable[..., Event],
    make_registration: Callable[..., Registration],
) -> None:
    event = make_event()
    amira = make_registration(event)
    wim = make_registration(event, name="Wim", email="wim@example.org")
    owe_about(session, event, wim, now=now)
    came_back(session, owe_about(session, event, amira, now=now), now)
    overview = Page.of(olga.get(f"/organize/events/{event.slug}")).text
    assert "1 person did not get their last mail: Amira Haddad" in " ".join(overview.split())
    row = Page.of(olga.get(f"/organize/events/{event.slug}/attendees")).text
    assert "Confirmation: came back, not delivered" in row
    assert "It came back: 550 5.1.1 No such mailbox" in row
    again = owe_about(session, event, amira, now=now)
    assert message(session, again).state == "queued"
    assert "did not get" not in Page.of(olga.get(f"/organize/events/{event.slug}")).text


def test_who_was_not_reached_is_read_from_its_index(session: Session, make_event: Callable[..., Event]) -> None:
    event = make_event()
    assert queries.not_reached(session, event.id) == []
    if session.get_bind().dialect.name == "sqlite":
        plan = session.execute(
            text("EXPLAIN QUERY PLAN SELECT id FROM messages WHERE event_id = 1 AND messages.state = 'failed'")
        ).all()
        assert "ix_messages_failed" in str(plan)
