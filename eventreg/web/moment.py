"""The request's one reading of the clock."""

from datetime import datetime

from flask import g

from eventreg import clock


def request_now() -> datetime:
    """The instant this request is about, read once and the same wherever it is asked for."""
    if "now" not in g:
        g.now = clock.now()
    instant: datetime = g.now
    return instant
