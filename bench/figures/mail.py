"""Mail of one worker, claimed, written, sent and marked, against smtplib sending ready bytes to the same server.

The server offers PIPELINING, as Postfix, Exim, Exchange and Gmail do; the worker makes use of it, and smtplib cannot.
"""

import smtplib
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from bench import data, smtp_sink
from bench.client import LoadError
from bench.databases import settings
from bench.figure import Figure, Measure, Row, Sample, at_least
from bench.stage import Stage, apart
from eventreg import clock, create_app
from eventreg.db import db
from eventreg.mail import batch
from eventreg.outbox.models import Message

EVENTS = 20


@contextmanager
def _prepare(stage: Stage, *, kind: str) -> Iterator[Measure]:
    count = stage.size(1000, 100)
    with smtp_sink.running() as sink:

        def measure() -> Mapping[str, Sample]:
            with stage.database(kind, "mail") as url:
                _fill(url, count, stage.now)
                ours = apart(deliver, url, stage.folder, sink.port)
                taken, newest = sink.taken()
                if taken != count:
                    raise LoadError(f"{taken} of {count} mails arrived")
                theirs = apart(send, sink.port, newest, count)
                sink.taken()
            return {"rate": Sample(count / ours, count / theirs, f"{len(newest):,} bytes a mail")}

        yield measure


def _fill(url: str, count: int, now: datetime) -> None:
    data.fill(
        url,
        events=data.some_events(EVENTS, now=now, every=timedelta(days=1)),
        registrations=(
            data.registration(number, event_id=number % EVENTS + 1, now=now) for number in range(1, count + 1)
        ),
        answers=(
            {"registration_id": number, "question_id": number % EVENTS + 1, "value": "Vegetarian, no nuts"}
            for number in range(1, count + 1)
        ),
        messages=(
            {
                "kind": "confirmation",
                "event_id": number % EVENTS + 1,
                "registration_id": number,
                "recipient": f"amira.{number}@example.org",
                "recipient_key": f"amira.{number}@example.org",
                "recipient_name": f"Amira Zoë Haddad {number}",
                "payload": {"rsvp": "yes", "status": "confirmed", "party_size": 1, "sequence": 1},
                "message_key": f"{number:032x}",
                "stamp_at": now,
                "due_at": now,
                "created_at": now,
            }
            for number in range(1, count + 1)
        ),
    )


def deliver(database_url: str, folder: Path, port: int) -> float:
    """Seconds until nothing is due, as the worker works, batch after batch."""
    given = settings(database_url, folder) | {"MAIL_SERVER": "127.0.0.1", "MAIL_PORT": port}
    app = create_app(given, instance_path=given["INSTANCE_PATH"])
    with app.app_context():
        db.session.get(Message, 1)
        db.session.rollback()
        started = time.perf_counter()
        while batch.deliver_due(app, now=clock.now()).claimed:
            pass
        return time.perf_counter() - started


def send(port: int, content: bytes, count: int) -> float:
    """Seconds for the same bytes so many times over one connection."""
    started = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port, local_hostname="localhost") as server:
        for number in range(count):
            server.sendmail("events@example.org", [f"amira.{number}@example.org"], content)
    return time.perf_counter() - started


def _figure(kind: str, words: str) -> Figure:
    row = Row(f"mail of one worker, {words}", "per second", "smtplib with ready bytes", mark=at_least(0.3))
    return Figure(
        f"mail-{kind}",
        f"mail of one worker, {words}",
        {"rate": row},
        partial(_prepare, kind=kind),
        kind == "postgresql",
    )


FIGURES = (_figure("sqlite", "SQLite"), _figure("postgresql", "PostgreSQL"))
