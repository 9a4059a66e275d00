"""Writers of one SQLite file take turns.

SQLite lets waiting writers poll, and under a rush some poll for seconds while others win again and again. Here the
threads of a process queue for one lock, and the processes of a host for another, so that only one of them at a
time is SQLite's concern. It is a courtesy and no guard: whoever waits too long goes on, and SQLite decides.
"""

import fcntl
import os
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAP_SECONDS = 0.001
_in_process: defaultdict[Path, threading.Lock] = defaultdict(threading.Lock)
_files: dict[tuple[int, Path], int] = {}
"""Open lock files by process: a descriptor that crossed a fork would lock for both."""


@contextmanager
def turn(database: Path, *, patience: float) -> Iterator[None]:
    """Waits for this database's turn, `patience` seconds at most; gives it up at the end of the block."""
    deadline = time.monotonic() + patience
    lock = _in_process[database]
    first = lock.acquire(timeout=patience)
    try:
        file = _locked(database, deadline) if first else None
        try:
            yield
        finally:
            if file is not None:
                fcntl.flock(file, fcntl.LOCK_UN)
    finally:
        if first:
            lock.release()


def _locked(database: Path, deadline: float) -> int | None:
    """The lock file's descriptor once it is ours; None when that takes too long or there can be no such file."""
    try:
        file = _file(database)
    except OSError:
        return None  # a read-only folder, a full disk: SQLite will say so
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return None
            time.sleep(NAP_SECONDS)
        else:
            return file


def _file(database: Path) -> int:
    key = (os.getpid(), database)
    if key not in _files:
        # Beside the database, never the database itself: closing any descriptor of it would drop SQLite's own locks.
        _files[key] = os.open(f"{database}-turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    return _files[key]
