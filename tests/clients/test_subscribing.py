"""vdirsyncer and khal subscribe to the feed of a running service, as somebody with a calendar on a terminal does."""

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from eventreg import audit, timezones
from eventreg.calendar.text import one_line
from eventreg.db import write_transaction
from eventreg.events import schedule
from eventreg.events.models import Event
from eventreg.events.values import values_of
from eventreg.registrations import event_changes
from tests.support import needs
from tests.support.live import LiveServer

pytestmark = [pytest.mark.clients, pytest.mark.sqlite_only]

VDIRSYNCER = """
[general]
status_path = "{folder}/status"
[pair events]
a = "here"
b = "there"
collections = null
[storage here]
type = "filesystem"
path = "{folder}/events"
fileext = ".ics"
[storage there]
type = "http"
url = "{url}"
"""
KHAL = """
[calendars]
[[events]]
path = {folder}/events
readonly = True
[locale]
timeformat = %H:%M
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
datetimeformat = %Y-%m-%d %H:%M
longdatetimeformat = %Y-%m-%d %H:%M
default_timezone = America/New_York
local_timezone = America/New_York
[sqlite]
path = {folder}/khal.db
"""


class Subscriber:
    """Somebody's folder of calendar entries, kept in step with one address."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        (folder / "events").mkdir()
        (folder / "vdirsyncer.conf").write_text(VDIRSYNCER.format(folder=folder, url=url))
        (folder / "khal.conf").write_text(KHAL.format(folder=folder))
        self.run("vdirsyncer", "-c", "vdirsyncer.conf", "discover")

    def run(self, program: str, *arguments: str) -> str:
        environment = {**os.environ, "HOME": str(self.folder), "TZ": "America/New_York", "LC_ALL": "C.UTF-8"}
        done = subprocess.run(
            [needs.CLIENTS / "bin" / program, *arguments],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def sync(self) -> str:
        return self.run("vdirsyncer", "-c", "vdirsyncer.conf", "sync")

    def listed(self) -> set[tuple[str, str, str]]:
        """(title, start, end) of everything from half a year back to 18 months ahead, in New York's time."""
        first = (datetime.now(UTC) - timedelta(days=190)).strftime("%Y-%m-%d")
        line = "{title}\t{start-long-full}\t{end-long-full}"
        shown = self.run("khal", "-c", "khal.conf", "list", "--format", line, "--day-format", "", first, "760d")
        rows = [tuple(row.split("\t")) for row in shown.splitlines() if row.strip()]
        return {(title, start, end) for title, start, end in rows}


@pytest.fixture
def demo_server(live_server: LiveServer) -> LiveServer:
    needs.require("clients")
    done = live_server.run("demo")
    assert done.returncode == 0, done.stderr
    return live_server


@pytest.fixture
def subscriber(demo_server: LiveServer, tmp_path: Path) -> Subscriber:
    return Subscriber(tmp_path, demo_server.url("/calendar.ics"))


def advertised(session: Session) -> Iterator[tuple[str, str, str]]:
    """The public events as their pages give them."""
    query = sa.select(Event).where(Event.visibility == "public", Event.status != "draft")
    now = datetime.now(UTC)
    for event in session.scalars(query):
        title = one_line(event.title)
        if event.status == "cancelled":
            title = f"Cancelled: {title}"
        assert now - timedelta(days=180) < event.starts_at < now + timedelta(days=540)
        assert event.timezone == "America/New_York"
        # khal shows a whole day as its midnight, and the last day of several as included.
        starts, ends = schedule.local_span(event)
        yield title, f"{starts:%Y-%m-%d %H:%M}", f"{ends:%Y-%m-%d %H:%M}"


def test_every_public_event_is_listed_at_its_advertised_hour(subscriber: Subscriber, session: Session) -> None:
    subscriber.sync()
    expected = set(advertised(session))
    assert len(expected) >= 20
    assert subscriber.listed() == expected


def test_second_sync_copies_nothing_and_a_changed_event_alone_is_copied(
    subscriber: Subscriber, demo_server: LiveServer, session: Session
) -> None:
    first = subscriber.sync()
    public = len(set(advertised(session)))
    assert first.count("Copying (uploading) item") == public
    assert "Copying" not in subscriber.sync()
    event = session.scalars(sa.select(Event).where(Event.visibility == "public", Event.status == "published")).first()
    assert event is not None
    event.title, event.sequence = "A wholly new title", event.sequence + 1
    event.updated_at = datetime.now(UTC)
    session.commit()
    with urlopen(demo_server.url("/calendar.ics")) as answer:
        assert b"A wholly new title" in answer.read()
    # Over plain HTTP an entry's content is its name to vdirsyncer: the old one goes, the new one comes.
    again = subscriber.sync()
    assert (again.count("Deleting item"), again.count("Copying (uploading) item")) == (1, 1)
    assert len(subscriber.listed()) == public
    assert "A wholly new title" in {title for title, _start, _end in subscriber.listed()}


def kept(subscriber: Subscriber) -> int:
    """How many entries are in the folder."""
    return len(list((subscriber.folder / "events").glob("*.ics")))


def test_move_and_cancellation_arrive_at_the_next_sync_and_nothing_twice(
    make_live_server: Callable[..., LiveServer], session: Session, make_event: Callable[..., Event], tmp_path: Path
) -> None:
    needs.require("clients")
    noon = datetime.now(UTC).replace(hour=17, minute=0, second=0, microsecond=0) + timedelta(days=30)
    talk, walk = make_event(title="Talk", starts_at=noon), make_event(title="Walk", starts_at=noon + timedelta(days=1))
    make_event(title="Dinner", starts_at=noon + timedelta(days=2))
    subscriber = Subscriber(tmp_path, make_live_server().url("/calendar.ics"))

    def synced() -> dict[str, str]:
        """Title and beginning of everything, once a sync has copied what is new and a second one nothing."""
        subscriber.sync()
        again = subscriber.sync()
        assert not any(word in again for word in ("Copying", "Deleting", "Updating"))
        listed = subscriber.listed()
        assert (kept(subscriber), len(listed)) == (3, 3)
        return {title: start for title, start, _end in listed}

    def local(moment: datetime) -> str:
        return f"{timezones.to_wall(moment, 'America/New_York'):%Y-%m-%d %H:%M}"

    before = synced()
    assert before["Talk"] == local(noon)
    given: dict[str, Any] = {"actor": audit.Actor.system(), "now": datetime.now(UTC)}
    later = noon + timedelta(days=5, hours=2)
    with write_transaction(session):
        values = replace(values_of(talk), starts_at=later, ends_at=later + timedelta(hours=1))
        event_changes.save(session, event_id=talk.id, values=values, notify=False, **given)
    assert synced() == before | {"Talk": local(later)}
    with write_transaction(session):
        event_changes.call_off(session, event_id=walk.id, **given)
    assert synced() == {"Talk": local(later), "Cancelled: Walk": before["Walk"], "Dinner": before["Dinner"]}
