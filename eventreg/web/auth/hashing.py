"""Bounds how many passwords a process hashes at once: each takes 64 MB and all of the processor, on purpose.

A few requests wait a moment for their turn; more are told to come back, so that threads are left for visitors.
"""

from threading import BoundedSemaphore

from flask import Flask, g
from werkzeug.exceptions import ServiceUnavailable

AT_ONCE = 1
WAITING = 2
"""Requests of a process that may wait; with four threads, one is left for visitors."""
PATIENCE_SECONDS = 3.0
COME_BACK_SECONDS = 3

_turns = BoundedSemaphore(AT_ONCE)
_places = BoundedSemaphore(AT_ONCE + WAITING)


def init_app(app: Flask) -> None:
    """A turn ends with its request, however that ends."""
    app.teardown_request(_end_turn)


def take_turn() -> None:
    """Waits until this request may hash a password. Raises: 503 with Retry-After when it may not in time."""
    if not _places.acquire(blocking=False):
        raise ServiceUnavailable(retry_after=COME_BACK_SECONDS)
    if not _turns.acquire(timeout=PATIENCE_SECONDS):
        _places.release()
        raise ServiceUnavailable(retry_after=COME_BACK_SECONDS)
    g.is_hashing = True


def _end_turn(_error: BaseException | None) -> None:
    if g.pop("is_hashing", False):
        _turns.release()
        _places.release()
