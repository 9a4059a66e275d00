"""The worker as a process of its own, as `eventreg worker` runs it."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from eventreg import clock, tasks
from eventreg.calendar import blocks
from eventreg.db import write_transaction
from eventreg.events.models import Event
from eventreg.outbox import heartbeat, queue
from eventreg.outbox.models import Message
from tests.support.live import EVENTREG, environment
from tests.support.making import SECRET_KEY
from tests.support.needs import ROOT
from tests.support.outbox import message, owe
from tests.support.smtp import SmtpServer, settings_for, wait_until


class Workers:
    """Workers on the test's database, and what they said."""

    def __init__(self, instance: Path, settings: dict[str, Any]) -> None:
        self._environment = environment(instance, SECRET_KEY=SECRET_KEY, **settings)
        self.log_path = instance / "worker.log"
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> subprocess.Popen[bytes]:
        with self.log_path.open("ab") as log:
            process = subprocess.Popen(
                [*EVENTREG, "worker"], cwd=ROOT, env=self._environment, stdout=log, stderr=subprocess.STDOUT
            )
        self.processes.append(process)
        return process

    @property
    def log(self) -> str:
        return self.log_path.read_text()


@pytest.fixture
def workers(app: Any, instance: Path, database_url: str, smtp_server: SmtpServer) -> Iterator[Workers]:
    here = {"DATABASE_URL": database_url, "BASE_URL": app.extensions["eventreg.links"].base_url}
    made = Workers(instance, settings_for(smtp_server) | here)
    yield made
    for process in made.processes:
        process.kill()
        process.wait()


def is_alive(session: Session) -> bool:
    session.rollback()
    return heartbeat.last_seen(session) is not None


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_nudge_sends_the_mail_and_a_signal_ends_the_worker_cleanly(
    session: Session, workers: Workers, smtp_server: SmtpServer, signum: int
) -> None:
    worker = workers.start()
    wait_until(lambda: is_alive(session), what="the worker's sign of life")
    owed = owe(session, now=clock.now())
    tasks.nudge()
    smtp_server.wait_for(1)
    wait_until(lambda: message(session, owed).state == "sent", what="the mark")
    worker.send_signal(signum)
    assert worker.wait(timeout=20) == 0
    assert "Traceback" not in workers.log


def test_a_worker_killed_in_the_middle_loses_nothing_and_the_mail_is_recognisably_the_same(
    session: Session, workers: Workers, smtp_server: SmtpServer
) -> None:
    seen: list[bytes] = []

    def kill_once(envelope: Any) -> None:
        seen.append(envelope.content)
        if len(seen) == 1:
            os.kill(worker.pid, signal.SIGKILL)
            worker.wait()

    smtp_server.on_data = kill_once
    owed = owe(session, now=clock.now())
    worker = workers.start()
    assert worker.wait(timeout=30) == -signal.SIGKILL
    assert message(session, owed).state == "sending"
    with write_transaction(session):  # time passes
        ran_out = clock.now() - timedelta(seconds=1)
        session.execute(update(Message).values(due_at=ran_out, leased_until=ran_out))
    workers.start()
    wait_until(lambda: message(session, owed).state == "sent", what="the second try")
    assert len(seen) == 2
    assert seen[0] == seen[1]
    assert message(session, owed).attempts == 2


def test_told_to_end_while_the_server_stalls_the_worker_ends_in_time(
    session: Session, workers: Workers, smtp_server: SmtpServer
) -> None:
    workers._environment["EVENTREG_MAIL_TIMEOUT"] = "60"
    smtp_server.stall()
    owed = owe(session, now=clock.now())
    worker = workers.start()
    wait_until(lambda: message(session, owed).state == "sending", what="the try")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=20) == 0
    assert "Traceback" not in workers.log
    # Under way, it is not known whether it was taken, and its lease runs out; not yet begun, it was given back.
    row = message(session, owed)
    assert (row.state, row.attempts) in {("sending", 1), ("queued", 0)}
    assert row.due_at <= clock.now() + queue.LEASE


def test_first_events_of_a_new_site_are_not_taken_for_another_addresses(
    session: Session, app: Flask, make_event: Callable[..., Event], workers: Workers
) -> None:
    links = app.extensions["eventreg.links"]
    workers.start()
    wait_until(lambda: is_alive(session))
    with write_transaction(session):  # the worker writes meanwhile
        make_event()
    assert not blocks.are_stale(session, links)


def test_a_database_of_another_release_is_refused_in_one_line(bare_database_url: str, instance: Path) -> None:
    done = subprocess.run(
        [*EVENTREG, "worker"],
        cwd=ROOT,
        env=environment(instance, DATABASE_URL=bare_database_url, SECRET_KEY=SECRET_KEY),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    line = "eventreg: The database is not ready for this release. Run `eventreg db upgrade` first.\n"
    assert (done.returncode, done.stderr) == (1, line)
