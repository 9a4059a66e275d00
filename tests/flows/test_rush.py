"""Fifty people, from separate processes, for the last five places of the real service."""

import json
import subprocess
import sys
import time
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from eventreg import clock
from eventreg.events.models import Event
from eventreg.outbox.models import Message
from eventreg.registrations.models import Registration
from tests.support.smtp import wait_until

PROCESSES = 10
PEOPLE = 50


def _far_ahead() -> datetime:
    """The real service reads the real clock."""
    return clock.now() + timedelta(days=30)


def rush(address: str, *, seconds_ahead: float = 4) -> list[tuple[int, str, float]]:
    """Status, heading and seconds of everybody's answer."""
    begin = str(time.time() + seconds_ahead)
    people = [f"person{number}@example.org" for number in range(PEOPLE)]
    rusher = Path(__file__).with_name("rusher.py")
    running = [
        subprocess.Popen(
            [sys.executable, str(rusher), address, begin, *people[first::PROCESSES]],
            stdout=subprocess.PIPE,
            text=True,
        )
        for first in range(PROCESSES)
    ]
    results = []
    for process in running:
        printed, _ = process.communicate(timeout=600)
        assert process.returncode == 0
        results += [tuple(one) for one in json.loads(printed)]
    return results


def test_fifty_people_at_once_for_five_places_get_exactly_five(make_live_server, session, make_event, now) -> None:
    event = make_event(capacity=5, starts_at=_far_ahead())
    event_id, slug = event.id, event.slug
    session.rollback()
    server = make_live_server()
    results = rush(server.url(f"/events/{slug}/rsvp"))

    assert Counter(status for status, _heading, _seconds in results) == {200: PEOPLE}
    assert Counter(heading == "You are coming." for _status, heading, _seconds in results) == {True: 5, False: 45}
    session.expire_all()
    standing = Counter(session.scalars(sa.select(Registration.status).where(Registration.event_id == event_id)))
    assert standing == {"confirmed": 5, "waitlisted": 45}
    assert session.get_one(Event, event_id).seats_taken == 5
    assert max(seconds for _status, _heading, seconds in results) < 15
    session.rollback()


def test_double_clicks_at_once_leave_one_registration_and_one_mail(
    make_live_server, session, make_event, smtp_server
) -> None:
    event = make_event(starts_at=_far_ahead())
    event_id, slug = event.id, event.slug
    session.rollback()
    server = make_live_server()
    begin = str(time.time() + 2)
    rusher = Path(__file__).with_name("rusher.py")
    command = [sys.executable, str(rusher), server.url(f"/events/{slug}/rsvp"), begin]
    running = [
        subprocess.Popen([*command, "amira@example.org", "AMIRA@example.org"], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    headings = [one[1] for process in running for one in json.loads(process.communicate(timeout=600)[0])]
    assert headings == ["You are coming."] * 4
    smtp_server.wait_for(1)

    def settled() -> bool:
        session.rollback()
        return set(session.scalars(sa.select(Message.state))) == {"sent"}

    wait_until(settled, what="sending")
    registrations = session.scalar(
        sa.select(sa.func.count()).select_from(Registration).where(Registration.event_id == event_id)
    )
    session.rollback()
    assert (registrations, len(smtp_server.messages)) == (1, 1)
