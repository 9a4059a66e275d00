"""When an event's reminders fall due. Pure: who gets one, and its mail, are others' parts."""

from datetime import datetime, timedelta

from eventreg.events.models import Event

DECIDING = frozenset({"status", "starts_at", "reminder_hours"})
"""Changes after which the hour is worked out anew."""
MOST_HOURS = 720
LATEST = timedelta(hours=24)
"""Reminders later than this, because the service was off or its mail not taken, are not sent at all."""


def hour(event: Event) -> datetime | None:
    """When its reminders are due by its start and its organizer's wish; None when nobody is to be reminded."""
    return None if event.reminder_hours is None else event.starts_at - timedelta(hours=event.reminder_hours)


def schedule(event: Event, *, moved: bool, now: datetime) -> None:
    """Sets `remind_at` after the event was published or changed; `moved` says that its start is another.

    None where the hour has passed: who registers or is told of a change so late knows when it is. Reminders go out
    once, so other hours mean something after they were sent only to an event that has moved to a later day.
    """
    due = hour(event) if event.status == "published" else None
    if due is not None and due <= now:
        due = None
    if moved and due is not None:
        event.reminded_at = None
    event.remind_at = due if event.reminded_at is None else None


def is_missed(event: Event, *, due_at: datetime, now: datetime) -> bool:
    """Whether it is too late to remind anybody: the event has begun, or the hour lies a day back."""
    return event.starts_at <= now or now - due_at > LATEST
