"""The writes of one registration by the bare driver, with the same tables, indexes and durability: the limit.

SQLite has one writer at a time, so one connection is the most it can do; PostgreSQL gets as many connections as the
measured service has clients, in two processes.
"""

import itertools
import json
import multiprocessing
import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing.synchronize import Barrier
from typing import Any

import psycopg

from bench.databases import raw_url

PROCESSES, THREADS = 2, 4
SEAT = (
    "UPDATE events SET seats_taken = seats_taken + 1"
    " WHERE id = ? AND (capacity IS NULL OR seats_taken + 1 <= capacity) RETURNING sequence"
)
REGISTRATION = (
    "INSERT INTO registrations (event_id, name, email, email_key, search_text, rsvp, status, party_size, source, note,"
    " link_generation, calendar_stamp_at, created_at, updated_at)"
    " VALUES (?, ?, ?, ?, ?, 'yes', 'confirmed', 1, 'form', '', 1, ?, ?, ?)"
    " ON CONFLICT (event_id, email_key) WHERE status <> 'cancelled' DO NOTHING RETURNING id"
)
ANSWER = "INSERT INTO answers (registration_id, question_id, value) VALUES (?, ?, ?)"
MESSAGE = (
    "INSERT INTO messages (kind, recipient, recipient_key, recipient_name, event_id, registration_id, payload,"
    " message_key, stamp_at, state, attempts, due_at, server_reply, created_at)"
    " VALUES ('confirmation', ?, ?, ?, ?, ?, ?, ?, ?, 'queued', 0, ?, '', ?)"
)
NAME = "Amira Zoë Haddad"
_everybody: Barrier


def rate(database_url: str, *, events: int, seconds: float) -> float:
    """Registrations per second, spread over the events 1 to `events`."""
    work, processes = (_sqlite, 1) if database_url.startswith("sqlite") else (_postgresql, PROCESSES)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, spawn, initializer=_meet_at, initargs=(spawn.Barrier(processes),)) as pool:
        made = [pool.submit(work, raw_url(database_url), events, seconds) for _ in range(processes)]
        return sum(future.result() for future in made)


def _meet_at(barrier: Barrier) -> None:
    global _everybody  # noqa: PLW0603 - what a process of a pool is given when it starts
    _everybody = barrier


def _sqlite(path: str, events: int, seconds: float) -> float:
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("busy_timeout = 10000", "journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")
    done = 0
    started = _begin()
    for number in _for(started, seconds):
        connection.execute("BEGIN IMMEDIATE")
        _register(connection, number, number % events + 1, SQLITE)
        connection.execute("COMMIT")
        done += 1
    rate = done / (time.perf_counter() - started)
    connection.close()
    return rate


def _postgresql(url: str, events: int, seconds: float) -> float:
    counts = [0] * THREADS

    def work(index: int) -> None:
        with psycopg.connect(url, autocommit=True, prepare_threshold=0) as connection:
            # Threads and processes begin at different events, or they would meet at the same row all the time.
            offset = index * events // THREADS + os.getpid() * 7
            for number in _for(started, seconds):
                with connection.transaction():
                    _register(connection, number, (number + offset) % events + 1, POSTGRESQL)
                counts[index] += 1

    started = _begin()
    threads = [threading.Thread(target=work, args=(index,)) for index in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - started)


def _begin() -> float:
    """The instant at which all processes are ready."""
    _everybody.wait()
    return time.perf_counter()


def _for(started: float, seconds: float) -> Iterator[int]:
    return itertools.takewhile(lambda _number: time.perf_counter() - started < seconds, itertools.count())


def _register(connection: Any, number: int, event_id: int, statements: tuple[str, str, str, str]) -> None:
    seat, registration, answer, message = statements
    now = datetime.now(UTC)
    stamp: Any = now if statements is POSTGRESQL else now.replace(tzinfo=None).isoformat(" ")
    email = f"amira.{number}.{secrets.token_hex(6)}@raw.example.org"
    (sequence,) = connection.execute(seat, (event_id,)).fetchone()
    text = f"amira zoe haddad {email}"
    row = (event_id, NAME, email, email, text, stamp, stamp, stamp)
    (registration_id,) = connection.execute(registration, row).fetchone()
    connection.execute(answer, (registration_id, event_id, "Vegetarian, no nuts"))
    payload = json.dumps({"rsvp": "yes", "status": "confirmed", "party_size": 1, "sequence": sequence})
    key = secrets.token_hex(16)
    connection.execute(message, (email, email, NAME, event_id, registration_id, payload, key, stamp, stamp, stamp))


def _pg(statement: str) -> str:
    return statement.replace("?", "%s")


SQLITE = (SEAT, REGISTRATION, ANSWER, MESSAGE)
POSTGRESQL = (_pg(SEAT), _pg(REGISTRATION), _pg(ANSWER), _pg(MESSAGE))
