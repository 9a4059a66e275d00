"""What an event's own data decide: is it over, may people still register, how many places are left."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from eventreg.events.models import Event


class Door(StrEnum):
    """Where registration stands, the first that applies."""

    CANCELLED = "cancelled"
    PAST = "past"
    ELSEWHERE = "elsewhere"
    """It comes from a followed calendar, and whoever runs it takes the answers."""
    NOT_OPEN = "not_open"
    CLOSED = "closed"
    FULL = "full"
    WAITLIST = "waitlist"
    ASK = "ask"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Availability:
    """The door, the seats left (None: no limit), and the window's ends as instants."""

    door: Door
    seats_left: int | None
    opens_at: datetime | None
    closes_at: datetime

    @property
    def takes_answers(self) -> bool:
        """Whether the form may be sent: "no" and "maybe" are welcome also when every seat is taken."""
        return self.door in {Door.OPEN, Door.WAITLIST, Door.ASK, Door.FULL}


def has_page(event: Event) -> bool:
    """Whether anybody may open its page; people on a private event's list have their own page alone."""
    return event.status != "draft" and event.visibility != "private"


def is_past(event: Event, now: datetime) -> bool:
    """Whether it has ended."""
    return event.ends_at <= now


def closes_at(event: Event) -> datetime:
    """When registration ends: as set, else when the event begins (a whole-day event: when it ends)."""
    return event.registration_closes_at or (event.ends_at if event.all_day else event.starts_at)


def line_ends_at(event: Event) -> datetime:
    """Until when whoever waits moves up: until the event begins, or until registration ends where that is later."""
    return max(event.starts_at, closes_at(event))


def outgrows(event: Event, party_size: int) -> bool:
    """Whether a party is larger than the whole event, so that waiting would never bring it in."""
    return event.capacity is not None and party_size > event.capacity


def next_change(event: Event, now: datetime) -> datetime | None:
    """When the clock alone next changes what is said of getting in; None when it does so no more."""
    moments = (event.registration_opens_at, closes_at(event), event.ends_at)
    return min((moment for moment in moments if moment is not None and moment > now), default=None)


def seats_left(event: Event) -> int | None:
    """Places nobody holds; None when the event has no limit."""
    return None if event.capacity is None else event.capacity - event.seats_taken


def may_hold(event: Event) -> bool:
    """Whether its free places could be held for somebody who waits; only then it matters who does."""
    return event.waitlist_rule == "hold" and event.capacity is not None and event.seats_taken < event.capacity


def availability(event: Event, now: datetime, *, seats_are_held: bool = False) -> Availability:
    """Everything the page and the form need to say about getting in.

    `seats_are_held`: somebody waits for whom the free seats are kept, so that newcomers wait too.
    """
    left = seats_left(event)
    free = 0 if seats_are_held and left is not None else left
    return Availability(_door(event, free, now), left, event.registration_opens_at, closes_at(event))


def _door(event: Event, left: int | None, now: datetime) -> Door:
    if event.status == "cancelled":
        return Door.CANCELLED
    if is_past(event, now):
        return Door.PAST
    if event.source_id is not None:
        return Door.ELSEWHERE
    if event.registration_opens_at is not None and now < event.registration_opens_at:
        return Door.NOT_OPEN
    if now >= closes_at(event):
        return Door.CLOSED
    if event.needs_approval:
        return Door.ASK  # full or not: an organizer decides
    if left is not None and left <= 0:
        return Door.WAITLIST if event.waitlist_open else Door.FULL
    return Door.OPEN
