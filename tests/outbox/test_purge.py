"""Forgetting what old mails said, and nothing that a later one needs."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from eventreg import jobs
from eventreg.db import write_transaction
from eventreg.events.models import Event
from eventreg.mail import kept
from eventreg.outbox import purge, queue
from eventreg.outbox.models import Message
from eventreg.registrations.models import Registration
from tests.conftest import Clock
from tests.support.letters import calendar_of
from tests.support.outbox import message, owe, owe_about

DAY = timedelta(days=1)
TOLD = {"changes": {"title": ["a", "b"]}, "previous_event": {"title": "a"}}


def forget(session: Session, before: datetime, limit: int = 100) -> int:
    with write_transaction(session):
        return purge.forget(session, before=before, limit=limit)


def finish(session: Session, state: str = "sent", reply: str = "250 OK") -> None:
    with write_transaction(session):
        session.execute(update(Message).values(state=state, server_reply=reply))


def test_old_finished_mail_loses_its_words_and_keeps_where_the_person_stood(
    session: Session, now: datetime, make_event: Callable[..., Event], make_registration: Callable[..., Registration]
) -> None:
    event = make_event()
    owed = owe_about(session, event, make_registration(event), now=now, kind="update", **TOLD)
    finish(session)
    assert forget(session, now + DAY) == 1
    row = message(session, owed)
    assert (row.payload, row.recipient, row.recipient_name, row.server_reply, row.state) == (
        {"rsvp": "yes", "status": "confirmed", "party_size": 1, "sequence": 0},
        "amira@example.org",
        "",
        "",
        "sent",
    )


def test_mail_about_no_registration_loses_its_address_too(session: Session, now: datetime) -> None:
    owed = owe(session, now=now, kind="forwarded", recipient_name="Sam", payload={"text": "Hello"})
    finish(session)
    forget(session, now + DAY)
    row = message(session, owed)
    assert (row.payload, row.recipient, row.recipient_key, row.recipient_name) == ({}, "", "", "")


def test_why_a_mail_failed_stays(session: Session, now: datetime) -> None:
    owed = owe(session, now=now)
    finish(session, "failed", "550 No")
    forget(session, now + DAY)
    assert message(session, owed).server_reply == "550 No"


def test_what_is_young_or_still_owed_keeps_everything(session: Session, now: datetime) -> None:
    waiting = owe(session, now=now, recipient_name="Sam", payload={"text": "x"})
    assert forget(session, now) == 0
    assert forget(session, now + DAY) == 1
    young = owe(session, now=now + 2 * DAY, recipient_name="Sam", payload={"text": "x"})
    finish(session)
    assert forget(session, now + 2 * DAY) == 0
    assert [message(session, each).payload for each in (waiting, young)] == [{"text": "x"}] * 2


def test_it_goes_through_all_in_parts_and_looks_at_each_once(session: Session, now: datetime) -> None:
    owed = [owe(session, now=now + number * DAY, payload={"text": "x"}) for number in range(5)]
    finish(session)
    assert [forget(session, now + 4 * DAY, limit=3) for _ in range(3)] == [3, 1, 0]
    assert [message(session, each).payload for each in owed] == [{}, {}, {}, {}, {"text": "x"}]
    session.rollback()
    assert purge.is_old(session, before=now + 4 * DAY) is False
    assert purge.is_old(session, before=now + 5 * DAY) is True


def test_a_cancellation_after_it_still_clears_the_calendar(
    session: Session,
    now: datetime,
    clock: Clock,
    make_event: Callable[..., Event],
    make_registration: Callable[..., Registration],
    post: Callable[..., list[object]],
) -> None:
    event = make_event(starts_at=now + 200 * DAY)
    amira = make_registration(event)
    owe_about(session, event, amira, now=now)
    post()
    clock.now = now + 100 * DAY
    forget(session, clock.now)
    owe_about(session, event, amira, now=clock.now, kind="withdrawn", status="cancelled")
    assert b"METHOD:CANCEL" in (calendar_of(post()[-1]) or b"")  # type: ignore[arg-type]


def test_the_daily_job_forgets_old_mail_and_removes_old_files_and_nothing_else(
    app: Flask, session: Session, now: datetime, instance: Path
) -> None:
    folder, key = instance / "mail", "0af3bd55" * 4
    times = (now - 91 * DAY, now - 89 * DAY)
    old, young = (kept.file_name(created_at=at, kind="confirmation", key=key) for at in times)
    for name in (old, young, "0-notes.eml"):
        kept.keep(folder, name, b"x")
    owed = [owe(session, now=at, payload={"text": "x"}) for at in times]
    finish(session)
    (job,) = [one for one in jobs.JOBS if one.name == "forget_mail"]
    jobs.run(app, job, now=now)
    assert kept.names(folder) == [young, "0-notes.eml"]
    assert [message(session, each).payload for each in owed] == [{}, {"text": "x"}]


def test_zero_days_keep_everything(make_app: Callable[..., Flask], session: Session, now: datetime) -> None:
    owed = owe(session, now=now - 900 * DAY, payload={"text": "x"})
    finish(session)
    (job,) = [one for one in jobs.JOBS if one.name == "forget_mail"]
    jobs.run(make_app(MAIL_KEEP_DAYS=0), job, now=now)
    assert message(session, owed).payload == {"text": "x"}


def test_what_was_forgotten_is_not_tried_again(session: Session, now: datetime) -> None:
    owe(session, now=now)
    finish(session, "failed", "550 No")
    with write_transaction(session):
        assert queue.retry_failed(session, now=now + 91 * DAY, since=now + DAY) == 0
    with write_transaction(session):
        assert queue.retry_failed(session, now=now + 91 * DAY, since=now) == 1
