"""Events and registrations for the figures, written past the service, by the million where needed."""

import hashlib
import json
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import psycopg
import sqlalchemy as sa

from bench.databases import raw_url
from eventreg.calendar import blocks
from eventreg.db import Base
from eventreg.events import search
from eventreg.events.models import Event, Question
from eventreg.links import Links
from eventreg.organizers.models import Organizer
from eventreg.outbox.models import Message
from eventreg.registrations.models import Answer, Registration

CATEGORIES = ("Talks", "Conferences", "Activities", "Celebrations", "Workshops")
AUDIENCES = ("alumni", "faculty", "trainees", "students", "staff")
DESCRIPTION = """\
The anniversary of the school's **diversity initiative** is celebrated with alumni, faculty, trainees, students and
staff: a day of reflection and of looking forward.

## Program

- 3:00 Welcome
- 3:20 *Where we came from*: a conversation with those who began it
- 4:15 What comes next, in small groups
- 5:15 Music and something to eat

Bring somebody who has never been to one of these. Directions are on the [map](https://example.org/map), and the
building is open without steps from the east side. If you need an interpreter, say so when you register.
"""
BATCH = 5000
Values = Mapping[str, Any]


def event(number: int, *, starts_at: datetime, now: datetime, **changed: Any) -> dict[str, Any]:
    """One published, public event, everything filled in as organizers do."""
    title = f"Day of reflection {number}"
    audience = [AUDIENCES[number % 5], AUDIENCES[(number + 2) % 5]]
    made = {
        "id": number,
        "uid": f"{number}@example.org",
        "slug": f"day-of-reflection-{number}",
        "organizer_id": 1,
        "title": title,
        "summary": "A day of reflection and looking forward, with those who began it.",
        "description": DESCRIPTION,
        "starts_at": starts_at,
        "ends_at": starts_at + timedelta(hours=3),
        "timezone": "America/New_York",
        "location_name": "Tosteson Medical Education Center (TMEC) Amphitheater",
        "location_address": "260 Longwood Ave, Boston MA",
        "contact_email": "office@example.org",
        "category": CATEGORIES[number % 5],
        "category_key": search.name_key(CATEGORIES[number % 5]),
        "audience": ", ".join(audience),
        "audience_keys": f"|{'|'.join(audience)}|",
        "search_text": search.fold(f"{title} {DESCRIPTION}"),
        "status": "published",
        "capacity": 1_000_000,
        "max_party_size": 4,
        "sequence": 1,
        "created_at": now - timedelta(days=30),
        "updated_at": now - timedelta(days=1),
        "published_at": now - timedelta(days=29),
    }
    return made | changed


def with_block(values: dict[str, Any], links: Links) -> dict[str, Any]:
    """The event with its stored feed entry, as the service would have written it."""
    content = blocks.block(Event(**{"all_day": False, "online_url": "", **values}), links)
    return values | {"ics_block": content, "ics_digest": blocks.digest(content)}


def with_short_block(values: dict[str, Any]) -> dict[str, Any]:
    """The event with an entry that is quick to make, for the many that no feed shows."""
    content = f"BEGIN:VEVENT\r\nUID:{values['uid']}\r\nEND:VEVENT\r\n".encode()
    return values | {"ics_block": content, "ics_digest": int.from_bytes(hashlib.sha256(content).digest()[:5], "big")}


def question(event_id: int) -> dict[str, Any]:
    """What every event asks; its id is the event's."""
    return {"id": event_id, "event_id": event_id, "position": 1, "label": "Dietary or access needs", "kind": "text"}


def registration(number: int, *, event_id: int, now: datetime, **changed: Any) -> dict[str, Any]:
    """One confirmed answer."""
    made_at = now - timedelta(days=20) + timedelta(seconds=number)
    made = {
        "id": number,
        "event_id": event_id,
        "name": f"Amira Zoë Haddad {number}",
        "email": f"amira.{number}@example.org",
        "email_key": f"amira.{number}@example.org",
        "search_text": f"amira zoe haddad {number} amira.{number}@example.org",
        "rsvp": "yes",
        "status": "confirmed",
        "calendar_stamp_at": made_at,
        "created_at": made_at,
        "updated_at": made_at,
    }
    return made | changed


def some_events(count: int, *, now: datetime, every: timedelta, **changed: Any) -> list[dict[str, Any]]:
    """That many events to come, one after the other, the first a week from now."""
    first = now.replace(minute=0, second=0, microsecond=0) + timedelta(days=7)
    return [event(number, starts_at=first + every * (number - 1), now=now, **changed) for number in range(1, count + 1)]


class Filler:
    """Writes rows into one database in bulk and leaves it as a running one would be: counted and checkpointed."""

    def __init__(self, database_url: str) -> None:
        url = raw_url(database_url)
        self._is_sqlite = database_url.startswith("sqlite")
        self._dialect = sa.make_url(database_url).get_dialect()()
        self._connection: Any = sqlite3.connect(url) if self._is_sqlite else psycopg.connect(url)
        self.fill(
            Organizer,
            [{"id": 1, "email": "olga@example.org", "fs_uniquifier": secrets.token_hex(16), "created_at": _epoch()}],
        )

    def fill(self, model: type[Base], rows: Iterable[Values]) -> None:
        """Adds the rows; every row has the keys of the first, other columns get their defaults."""
        rows = iter(rows)
        while batch := list(islice(rows, BATCH)):
            table = sa.inspect(model).local_table
            assert isinstance(table, sa.Table)
            columns = [column for column in table.columns if column.key in batch[0] or column.default is not None]
            self._write(table, columns, _tuples(batch, columns, self._dialect))

    def close(self) -> None:
        """Commits and brings the planner's knowledge and the sequences up to date."""
        self._connection.commit()
        if self._is_sqlite:
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            for model in (Organizer, Event, Question, Registration, Message):
                name = model.__tablename__
                following = f"(SELECT coalesce(max(id), 0) + 1 FROM {name})"
                self._connection.execute(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), {following})")
            self._connection.commit()
            self._connection.autocommit = True
            self._connection.execute("VACUUM ANALYZE")
        self._connection.close()

    def _write(self, table: sa.Table, columns: Sequence[sa.Column[Any]], rows: Iterable[tuple[Any, ...]]) -> None:
        names = ", ".join(column.name for column in columns)
        if self._is_sqlite:
            marks = ", ".join("?" * len(columns))
            self._connection.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", rows)
            return
        with self._connection.cursor() as cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)


def fill(
    database_url: str,
    *,
    events: Iterable[Values],
    registrations: Iterable[Values] = (),
    answers: Iterable[Values] = (),
    messages: Iterable[Values] = (),
) -> None:
    """An organizer, the events with a question each, what was answered to them, and the mail that is owed."""
    filler = Filler(database_url)
    kept: list[int] = []
    filler.fill(Event, _noting(events, kept))
    filler.fill(Question, map(question, kept))
    filler.fill(Registration, registrations)
    filler.fill(Answer, answers)
    filler.fill(Message, messages)
    filler.close()


def _noting(events: Iterable[Values], kept: list[int]) -> Iterator[Values]:
    for values in events:
        kept.append(values["id"])
        yield values


def _tuples(
    rows: Sequence[Values], columns: Sequence[sa.Column[Any]], dialect: sa.Dialect
) -> Iterator[tuple[Any, ...]]:
    readers = [_reader(column, dialect) for column in columns]
    for row in rows:
        yield tuple([read(row) for read in readers])


def _reader(column: sa.Column[Any], dialect: sa.Dialect) -> Any:
    key = column.key
    default = column.default.arg if isinstance(column.default, sa.ColumnDefault) and column.default.is_scalar else None
    if isinstance(column.type, sa.JSON):
        return lambda row: json.dumps(row.get(key, default))
    convert = column.type.dialect_impl(dialect).bind_processor(dialect)
    if convert is None:
        return lambda row: row.get(key, default)
    return lambda row: convert(row.get(key, default))


def _epoch() -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC)
