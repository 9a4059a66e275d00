"""A followed calendar written to keep this site busy: its cost is bounded, and paid before anybody waits for it."""

import math
import subprocess
import sys
import time
from datetime import timedelta

import pytest
import sqlalchemy as sa

from eventreg import clock
from eventreg.calendar import reading
from eventreg.db import write_transaction
from eventreg.events import importing
from eventreg.events.models import Event
from eventreg.events.search import fold
from eventreg.events.values import columns
from eventreg.following.models import FollowedCalendar
from tests.support import https
from tests.support.https import sending
from tests.support.live import environment
from tests.support.load import Visitor
from tests.support.needs import ROOT

MARKS = "a" + "\u0301\u0316" * 4_900
"""Some 20 KB, like a hundred others of a calendar of 2 MB; folding it as it is took a third of a second."""
ENTRIES = 100


def calendar_of(description: str, entries: int = ENTRIES) -> bytes:
    day = clock.now() + timedelta(days=10)
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0"]
    for number in range(entries):
        on = f"{day + timedelta(days=number % 50):%Y%m%d}"
        lines += ["BEGIN:VEVENT", f"UID:{number}@hostile", f"SUMMARY:Talk {number}", f"DTSTART:{on}T150000Z"]
        lines += [f"DTEND:{on}T160000Z", f"DESCRIPTION:{description}", "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


HOSTILE = {
    "marks": MARKS,
    "letters that become eighteen": "\ufdfa" * 6_000,
    "open brackets": "[" * 19_000,
    "open tags": "<" * 19_000,
    "emphasis without end": "*a **b " * 2_700,
    "one address": "https://example.org/" + "a/" * 9_000,
    "an address of marks": "<a href='https://" + "a" + "\u0301\u0316" * 4_900 + "'>x</a>",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_entry_costs_a_bounded_time_however_it_is_written(kind: str, now) -> None:
    """A hundred such in a file of 2 MB are some seconds of the worker's time, and none of anybody else's."""
    data = calendar_of(HOSTILE[kind], 3)
    used = []
    for _again in range(3):
        begun = time.process_time()
        found = reading.read(data, now=clock.now(), default_timezone="UTC")
        used.append(time.process_time() - begun)
    assert len(found.items) == 3
    assert min(used) < 1


def test_description_is_folded_before_the_transaction(session, make_organizer, now) -> None:
    (item,) = reading.read(calendar_of("Women’s caf\u00e9", 1), now=clock.now(), default_timezone="UTC").items
    assert item.folded == fold(item.values.description) == "women's cafe"
    assert columns(item.values, folded=item.folded) == columns(item.values)
    owner = make_organizer().id
    session.commit()
    with write_transaction(session):
        marked = importing.with_line(importing.replace(item, folded="folded before"), "And More")
        importing.take(session, [marked], organizer_id=owner, actor=importing.audit.Actor.system(), now=now)
    assert session.scalar(sa.select(Event.search_text)) == "talk 0 folded before and more"


def test_transaction_takes_few_entries_or_few_long_ones() -> None:
    found = reading.read(calendar_of("x" * 19_000), now=clock.now(), default_timezone="UTC")
    assert {len(portion) for portion in importing.portions(found.items)} == {1, 3}
    found = reading.read(calendar_of("x"), now=clock.now(), default_timezone="UTC")
    assert [len(portion) for portion in importing.portions(found.items)] == [50, 50]
    assert [item for portion in importing.portions(found.items) for item in portion] == list(found.items)


FETCH = """
import sys
from datetime import timedelta
from ssl import create_default_context
from eventreg import clock, create_app
from eventreg.following import rounds
from eventreg.following.fetching import Fetcher
trust = create_default_context(cafile=sys.argv[1])
app = create_app()
with app.app_context():
    fetcher = Fetcher(own_host="events.example.org", is_allowed=lambda _address, _port: True, trust=trust)
    assert rounds.fetch_due(app, clock.now() + timedelta(hours=2), fetcher=fetcher) == 1
"""


@pytest.mark.slow
def test_answers_are_taken_while_a_hostile_calendar_comes_in(
    make_live_server, session, make_event, make_organizer, instance, database_url, tmp_path
) -> None:
    event = make_event(starts_at=clock.now() + timedelta(days=30), ends_at=clock.now() + timedelta(days=31))
    slug, owner_id = event.slug, event.organizer_id
    session.rollback()
    live = make_live_server(MIN_FILL_SECONDS=0, RATELIMIT_ENABLED=False)
    quiet = [seconds_of_an_answer(live.url(f"/events/{slug}/rsvp"), f"quiet{n}@example.org") for n in range(20)]
    with https.running(tmp_path) as server:
        server.pages["/cal.ics"] = sending(calendar_of(MARKS))
        session.add(
            FollowedCalendar(
                url=server.url("/cal.ics"),
                organizer_id=owner_id,
                next_fetch_at=clock.now() + timedelta(hours=1),  # the service's own worker may ask no such host
                created_at=clock.now(),
            )
        )
        session.commit()
        settings = environment(instance, DATABASE_URL=database_url)
        begun = time.monotonic()
        fetching = subprocess.Popen(
            [sys.executable, "-c", FETCH, str(tmp_path / "authority.pem")], cwd=ROOT, env=settings
        )
        busy = []
        while fetching.poll() is None or len(busy) < 20:
            busy.append(seconds_of_an_answer(live.url(f"/events/{slug}/rsvp"), f"busy{len(busy)}@example.org"))
            assert time.monotonic() - begun < 120
    assert fetching.returncode == 0
    session.expire_all()
    followed = sa.select(sa.func.count()).select_from(Event).where(Event.source_id.is_not(None))
    assert session.scalar(followed) == ENTRIES
    # Half a second, or what a machine that is busy with other things takes anyhow.
    assert percentile(busy, 99) < max(0.5, 3 * percentile(quiet, 99))


def seconds_of_an_answer(address: str, email: str) -> float:
    visitor = Visitor()
    form = visitor.fill_in(address, name="Amira", email=email, rsvp="yes")
    sent = time.monotonic()
    status, _text, _headers = visitor.post(address, form)
    assert status == 200
    return time.monotonic() - sent


def percentile(values: list[float], percent: int) -> float:
    return sorted(values)[math.ceil(percent / 100 * len(values)) - 1]
