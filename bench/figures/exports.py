"""The attendee list of 100,000 as a file, against the bare writer over the bare driver's cursor."""

import csv
import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import xlsxwriter

from bench import data, machine
from bench.databases import raw_url, settings
from bench.figure import Figure, Measure, Row, Sample, at_least, at_most
from bench.stage import Stage, apart
from eventreg import create_app, exports
from eventreg.db import db
from eventreg.events.models import Event

ATTENDEES = 100_000
COLUMNS = """
    SELECT r.name, r.email, r.rsvp, r.status, r.party_size, w.position, r.offer_expires_at,
        r.created_at, r.updated_at, r.checked_in_at,
        r.source, r.note, a.value
    FROM registrations r
    LEFT JOIN (
        SELECT id, row_number() OVER (ORDER BY waitlisted_at, id) AS position
        FROM registrations WHERE event_id = 1 AND status = 'waitlisted'
    ) w ON w.id = r.id
    LEFT JOIN answers a ON a.registration_id = r.id AND a.question_id = 1
    WHERE r.event_id = 1 ORDER BY r.id
"""


@dataclass(frozen=True, slots=True)
class Took:
    """What one export took. `first_seconds` is the time until something with a row in it was there."""

    seconds: float
    first_seconds: float
    more_mb: float


@contextmanager
def _prepare(stage: Stage, *, extension: str) -> Iterator[Measure]:
    count = stage.size(ATTENDEES, 5000)
    with stage.database("sqlite", f"exports-{extension}") as url:
        data.fill(
            url,
            events=data.some_events(1, now=stage.now, every=timedelta(days=1), seats_taken=count),
            registrations=(data.registration(number, event_id=1, now=stage.now) for number in range(1, count + 1)),
            answers=(
                {"registration_id": number, "question_id": 1, "value": "Vegetarian, no nuts"}
                for number in range(1, count + 1, 3)
            ),
        )

        def measure() -> Mapping[str, Sample]:
            limit = apart(bare_csv if extension == "csv" else bare_xlsx, raw_url(url))
            took = apart(export, url, stage.folder, extension)
            whole = {"time": Sample(took.seconds, limit), "memory": Sample(took.more_mb)}
            return whole | ({"first": Sample(took.first_seconds)} if extension == "csv" else {})

        yield measure


def export(database_url: str, folder: Path, extension: str) -> Took:
    """What the service writes, chunk by chunk, to nowhere."""
    given = settings(database_url, folder)
    app = create_app(given, instance_path=given["INSTANCE_PATH"])
    with app.app_context():
        event = db.session.get_one(Event, 1)
        before = machine.resident_mb(os.getpid())
        machine.forget_peak()
        started = time.perf_counter()
        first = written = 0.0
        for chunk in exports.write(extension, db.session(), event=event):
            written += len(chunk)
            if not first and written > 1000:
                first = time.perf_counter() - started
        return Took(time.perf_counter() - started, first, machine.peak_mb() - before)


def bare_csv(path: str) -> float:
    """csv.writer over a raw cursor, the same columns, as stored."""
    with closing(sqlite3.connect(path)) as connection, tempfile.TemporaryFile("w+", newline="") as file:
        started = time.perf_counter()
        csv.writer(file).writerows(connection.execute(COLUMNS))
        file.flush()
        return time.perf_counter() - started


def bare_xlsx(path: str) -> float:
    """XlsxWriter in constant memory over the same rows."""
    with closing(sqlite3.connect(path)) as connection, tempfile.TemporaryFile() as file:
        started = time.perf_counter()
        with xlsxwriter.Workbook(file, {"constant_memory": True}) as workbook:
            _fill(workbook.add_worksheet(), connection.execute(COLUMNS))
        return time.perf_counter() - started


def _fill(sheet: Any, rows: sqlite3.Cursor) -> None:
    for line, row in enumerate(rows):
        for column, cell in enumerate(row):
            if isinstance(cell, str):
                sheet.write_string(line, column, cell)
            elif cell is not None:
                sheet.write_number(line, column, cell)


FIGURES = (
    Figure(
        name="csv",
        about="100,000 attendees as CSV: time, memory, first byte",
        rows={
            "time": Row(
                "CSV of 100,000 attendees", "s", "csv.writer over a raw cursor", score="cost", mark=at_least(0.4)
            ),
            "memory": Row("CSV: more memory", "MB", "32 MB", score="itself", mark=at_most(32)),
            "first": Row("CSV: first row after", "s", "0.2 s", score="itself", mark=at_most(0.2)),
        },
        prepare=partial(_prepare, extension="csv"),
    ),
    Figure(
        name="xlsx",
        about="100,000 attendees as XLSX: time, memory",
        rows={
            "time": Row(
                "XLSX of 100,000 attendees", "s", "XlsxWriter constant_memory", score="cost", mark=at_least(0.5)
            ),
            "memory": Row("XLSX: more memory", "MB", score="itself"),
        },
        prepare=partial(_prepare, extension="xlsx"),
    ),
)
