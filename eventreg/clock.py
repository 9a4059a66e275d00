"""The only module that reads the time. Everything else is handed `now`."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present as an aware UTC instant."""
    return datetime.now(UTC)
