"""An event's span: wall-clock times as an organizer types them <-> instants as the database keeps them."""

from datetime import datetime, timedelta

from flask_babel import gettext as _

from eventreg import timezones
from eventreg.errors import InvalidField, WallClockError
from eventreg.events.models import Event

LONGEST = timedelta(days=366)


def instant(wall: datetime, timezone: str, *, field: str) -> datetime:
    """The instant of a wall-clock time.

    Raises: InvalidField naming `field` (or `timezone`, when that is what is wrong).
    """
    try:
        timezones.zone(timezone)
    except WallClockError as error:
        raise InvalidField("timezone", str(error)) from error
    try:
        return timezones.to_instant(wall, timezone)
    except WallClockError as error:
        raise InvalidField(field, str(error)) from error


def instants(starts: datetime, ends: datetime, *, timezone: str, all_day: bool) -> tuple[datetime, datetime]:
    """First and last instant of an event. For an all-day event the dates count, the last day included.

    Raises: InvalidField for `starts_at`, `ends_at` or `timezone`.
    """
    if all_day:
        instant(starts.replace(hour=12, minute=0), timezone, field="starts_at")
        try:
            first = timezones.day_start(starts.date(), timezone)
            after_last = timezones.day_start(ends.date() + timedelta(days=1), timezone)
        except (WallClockError, OverflowError) as error:
            raise InvalidField("ends_at", _("That date is too far away for a calendar.")) from error
    else:
        first = instant(starts, timezone, field="starts_at")
        after_last = instant(ends, timezone, field="ends_at")
    if after_last <= first:
        raise InvalidField("ends_at", _("The end must come after the start."))
    if after_last - first > LONGEST:
        raise InvalidField("ends_at", _("An event lasts at most a year. Make several events of it."))
    return first, after_last


def local_span(event: Event) -> tuple[datetime, datetime]:
    """Start and end on the event's own wall clock; the end of an all-day event is its last day, included."""
    starts = timezones.to_wall(event.starts_at, event.timezone)
    ends = timezones.to_wall(event.ends_at, event.timezone)
    if event.all_day:
        starts = starts.replace(hour=0, minute=0)
        ends = ends.replace(hour=0, minute=0) - timedelta(days=1)
    return starts, ends


def next_week_after(event: Event, now: datetime) -> tuple[datetime, datetime]:
    """The same weekday and wall-clock hours in the first week after both the event and `now` that has those hours."""
    starts, ends = local_span(event)
    while True:
        starts, ends = starts + timedelta(weeks=1), ends + timedelta(weeks=1)
        try:
            span = instants(starts, ends, timezone=event.timezone, all_day=event.all_day)
        except InvalidField:
            continue  # a week whose night of clock change swallows the hour
        if span[0] > now:
            return span
