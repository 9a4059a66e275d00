"""Writers of one SQLite file take turns.

SQLite lets waiting writers poll, and under a rush some poll for seconds while others win again and again. Here the
threads of a process queue for one lock, and the processes of a host for another, so that only one of them at a
time is SQLite's concern. It is a courtesy and no guard: whoever waits too long goes on, and SQLite decides.

A process that has just had its turn must not take the next one before the others wake up, so there are two locks,
as at a revolving door: who holds NEXT waits for TURN, and everybody else for NEXT.
"""

import fcntl
import os
import threading
import time
from collections import defaultdict, deque
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path

NEXT, TURN = 0, 1
"""Bytes of the lock file. Locks on them end with the process that holds them, however it ends."""
NAPS = {NEXT: 0.001, TURN: 0.0002}
"""Seconds between tries; one process at a time tries for TURN."""
_in_process: defaultdict[Path, threading.Lock] = defaultdict(threading.Lock)
_files: dict[tuple[int, Path], int] = {}
"""Open lock files by process: a descriptor that crossed a fork would lock for both."""


class Line:
    """A lock that is handed to whoever has waited longest. Python's own goes to whoever comes by."""

    def __init__(self) -> None:
        self._looking = threading.Lock()
        self._is_held = False
        self._waiting: deque[threading.Event] = deque()

    def enter(self, patience: float) -> bool:
        """Whether it is ours, within that many seconds."""
        with self._looking:
            if not self._is_held:
                self._is_held = True
                return True
            called = threading.Event()
            self._waiting.append(called)
        if called.wait(patience):
            return True
        with self._looking:
            if called.is_set():  # in the very last moment
                return True
            self._waiting.remove(called)
            return False

    def leave(self) -> None:
        """Calls the next."""
        with self._looking:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._is_held = False


_lines = tuple(Line() for _ in range(64))
"""Fewer than there are things to wait for: two that share one wait for each other a little, and nothing grows."""


@contextmanager
def line(wanted: Hashable, *, patience: float) -> Iterator[None]:
    """Lets the threads of this process through one by one, before each takes the lock that all of them want.

    Threads that get ready to write beside the one that writes take Python away from it after every statement, and
    every writer of every process waits for that: measured, they make twice the tail.
    """
    queue = _line_for(wanted)
    first = queue.enter(patience)
    try:
        yield
    finally:
        if first:
            queue.leave()


def _line_for(wanted: Hashable) -> Line:
    return _lines[hash(wanted) % len(_lines)]


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
                _unlock(file, TURN)
    finally:
        if first:
            lock.release()


def _locked(database: Path, deadline: float) -> int | None:
    """The lock file's descriptor once it is ours; None when that takes too long or there can be no such file."""
    try:
        file = _file(database)
    except OSError:
        return None  # a read-only folder, a full disk: SQLite will say so
    if not _lock(file, NEXT, deadline):
        return None
    try:
        return file if _lock(file, TURN, deadline) else None
    finally:
        _unlock(file, NEXT)


def _lock(file: int, byte: int, deadline: float) -> bool:
    """Whether the lock on that byte was had in time. The threads of a process must not ask for it together."""
    while True:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(NAPS[byte])
        else:
            return True


def _unlock(file: int, byte: int) -> None:
    fcntl.lockf(file, fcntl.LOCK_UN, 1, byte)


def _file(database: Path) -> int:
    key = (os.getpid(), database)
    if key not in _files:
        # Beside the database, never the database itself: closing any descriptor of it would drop SQLite's own locks.
        _files[key] = os.open(f"{database}-turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    return _files[key]
