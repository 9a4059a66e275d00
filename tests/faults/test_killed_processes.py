"""A hundred processes killed at random while people register: fifty on each database."""

import os
import random
import signal
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from sqlalchemy.orm import Session

from eventreg import clock
from eventreg.events.models import Event
from tests.support import processes
from tests.support.live import LiveServer
from tests.support.load import Load
from tests.support.promises import assert_kept
from tests.support.smtp import SmtpServer, wait_until

KILLS = 50
CAPACITY = 40


def test_whatever_is_killed_every_thank_you_page_keeps_its_word(
    make_live_server: Callable[..., LiveServer],
    session: Session,
    make_event: Callable[..., Event],
    smtp_server: SmtpServer,
) -> None:
    event = make_event(capacity=CAPACITY, starts_at=clock.now() + timedelta(days=30), questions=[])
    event_id, path = event.id, f"/events/{event.slug}/rsvp"
    session.rollback()
    server = make_live_server()
    killed: list[str] = []
    with Load([server.base_url], path) as load:
        load.wait_for(3)
        while len(killed) < KILLS:
            victim = random.choice(wait_until(lambda: processes.descendants(server.process.pid), what="a process"))
            name = processes.name(victim)
            with suppress(ProcessLookupError):  # it has just ended by itself
                os.kill(victim, signal.SIGKILL)
                killed.append(name)
                load.wait_for(1)
        load.stop()
    assert set(killed) >= {"eventreg-web", "eventreg-worker"}
    assert [one for one in load.refusals if one.status != 503] == []
    assert_kept(session, event_id, load, smtp_server)
    assert server.stop() == 0
    wait_until(lambda: processes.of_session(server.process.pid) == [], what="the end of every process")
    assert server.run("doctor").stdout == "Nothing is wrong.\n"
