"""A thousand people at once for a hundred seats: exactly a hundred get one, and everybody gets an answer."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

import sqlalchemy as sa

from bench import client, data, forms
from bench.figure import Figure, Measure, Row, Sample, at_least, exactly
from bench.stage import Stage
from eventreg.events.models import Event
from eventreg.registrations.models import Registration

PEOPLE, SEATS, PROCESSES = 1000, 100, 8
SEE_OTHER = 303


@contextmanager
def _prepare(stage: Stage, *, kind: str) -> Iterator[Measure]:
    people = stage.size(PEOPLE, 200)
    events = data.some_events(stage.rounds, now=stage.now, every=timedelta(days=1), capacity=SEATS)
    turns = iter(events)
    with stage.database(kind, "rush") as url:
        data.fill(url, events=events)
        with stage.service(url, workers=PROCESSES) as address:

            def measure() -> Mapping[str, Sample]:
                event = next(turns)
                answers = forms.filled_in(address, [event["slug"]], count=people)
                load = stage.counted(client.run(address, answers, clients=people))
                counter, seated, waiting = _outcome(url, event["id"])
                if counter != seated:
                    raise client.LoadError(f"{seated} people hold seats, but the event counts {counter}")
                note = (
                    f"{people} people; {seated} seated, {waiting} waiting; answers"
                    f" {dict(Counter(load.statuses))}, none {load.unanswered}; p99 {load.percentile(99):.2f} s"
                )
                return {
                    "seats": Sample(seated, note=note),
                    "answered": Sample(load.statuses[SEE_OTHER] / people * 100),
                    "seconds": Sample(load.seconds),
                }

            yield measure


def _outcome(database_url: str, event_id: int) -> tuple[int, int, int]:
    """The event's counter, heads confirmed, and parties waiting, as the database has them."""
    engine = sa.create_engine(database_url)
    with engine.connect() as connection:
        counter = connection.scalar(sa.select(Event.seats_taken).where(Event.id == event_id))
        rows = connection.execute(
            sa.select(Registration.status, sa.func.sum(Registration.party_size))
            .where(Registration.event_id == event_id)
            .group_by(Registration.status)
        ).all()
    engine.dispose()
    heads = {row[0]: int(row[1]) for row in rows}
    return int(counter or 0), heads.get("confirmed", 0), heads.get("waitlisted", 0)


def _figure(kind: str, words: str) -> Figure:
    what = f"rush for {SEATS} seats, {words}"
    return Figure(
        name=f"rush-{kind}",
        about=f"1,000 people at once for {SEATS} seats, {PROCESSES} processes, {words}",
        rows={
            "seats": Row(f"{what}: seats given", "seats", f"{SEATS} seats", score="itself", mark=exactly(SEATS)),
            "answered": Row(f"{what}: answered", "%", "everybody", score="itself", mark=at_least(100)),
            "seconds": Row(f"{what}: until the last answer", "s", score="itself"),
        },
        prepare=partial(_prepare, kind=kind),
        needs_postgresql=kind == "postgresql",
    )


FIGURES = (_figure("sqlite", "SQLite"), _figure("postgresql", "PostgreSQL"))
