"""Rate-limit counters in a small file, shared by the processes of one host where there is no Redis.

Nothing in it is worth keeping: it is written without waiting for the disk, and may be deleted at any time.
"""

import os
import secrets
import sqlite3
import threading
from pathlib import Path

from limits.storage import Storage

from eventreg import clock

SCHEME = "eventreg-file"
WAIT_SECONDS = 0.5
SWEEP_ONE_IN = 500
"""How often counting also removes what has run out."""
MOST_PAGES_IN_LOG = 100
"""Of 4 KB. SQLite's own 1,000 would be a log many times larger than all the counters."""


class FileStorage(Storage):
    """`limits` storage at `eventreg-file:///path/to/file.db`."""

    STORAGE_SCHEME = [SCHEME]

    def __init__(self, uri: str, wrap_exceptions: bool = False, **_options: float | str | bool) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions)
        self._path = Path(uri.removeprefix(f"{SCHEME}://"))
        self._local = threading.local()

    @property
    def base_exceptions(self) -> type[Exception]:
        """What a file that cannot be used raises."""
        return sqlite3.Error

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Counts, beginning anew when the last count has run out; the count so far."""
        now = clock.now().timestamp()
        connection = self._connection()
        if secrets.randbelow(SWEEP_ONE_IN) == 0:
            connection.execute("DELETE FROM counts WHERE expires <= ?", (now,))
        row = connection.execute(
            "INSERT INTO counts (key, amount, expires) VALUES (:key, :amount, :expires) "
            "ON CONFLICT (key) DO UPDATE SET "
            "amount = CASE WHEN expires <= :now THEN :amount ELSE amount + :amount END, "
            "expires = CASE WHEN expires <= :now THEN :expires ELSE expires END "
            "RETURNING amount",
            {"key": key, "amount": amount, "expires": now + expiry, "now": now},
        ).fetchone()
        return int(row[0])

    def get(self, key: str) -> int:
        """The count so far."""
        row = self._read("SELECT amount FROM counts WHERE key = ? AND expires > ?", key)
        return 0 if row is None else int(row)

    def get_expiry(self, key: str) -> float:
        """When the count runs out, in seconds since 1970."""
        row = self._read("SELECT expires FROM counts WHERE key = ? AND expires > ?", key)
        return clock.now().timestamp() if row is None else row

    def check(self) -> bool:
        """Whether the file can be used."""
        try:
            self._connection().execute("SELECT 1")
        except sqlite3.Error:
            return False
        return True

    def reset(self) -> int | None:
        """Forgets every count; how many."""
        return self._connection().execute("DELETE FROM counts").rowcount

    def clear(self, key: str) -> None:
        """Forgets one count."""
        self._connection().execute("DELETE FROM counts WHERE key = ?", (key,))

    def _read(self, query: str, key: str) -> float | None:
        row = self._connection().execute(query, (key, clock.now().timestamp())).fetchone()
        return None if row is None else float(row[0])

    def _connection(self) -> sqlite3.Connection:
        """One for each thread of each process: a connection must not cross a fork."""
        if getattr(self._local, "process", None) != os.getpid():
            connection = sqlite3.connect(self._path, timeout=WAIT_SECONDS, isolation_level=None)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute(f"PRAGMA wal_autocheckpoint = {MOST_PAGES_IN_LOG}")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS counts "
                "(key TEXT PRIMARY KEY, amount INTEGER NOT NULL, expires REAL NOT NULL)"
            )
            self._local.connection, self._local.process = connection, os.getpid()
        connection_kept: sqlite3.Connection = self._local.connection
        return connection_kept
