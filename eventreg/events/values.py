"""What an organizer decides about an event, the rules it must keep, and the columns that follow from it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from eventreg.errors import InvalidField
from eventreg.events import reminders, search
from eventreg.events.models import VISIBILITIES, WAITLIST_RULES, Event
from eventreg.text import is_blank

LARGEST_PARTY = 100
LONGEST_OFFER = 336
"""Hours, which is two weeks: nobody behind should wait for longer on one who does not answer."""
DERIVED = frozenset({"search_text", "audience_keys", "category_key"})
"""Columns that only repeat others in a form the database can search; no reader of the history misses them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventValues:
    """What an organizer decides about an event; times are instants."""

    title: str
    starts_at: datetime
    ends_at: datetime
    timezone: str
    all_day: bool = False
    summary: str = ""
    description: str = ""
    location_name: str = ""
    location_address: str = ""
    directions: str = ""
    online_url: str = ""
    contact_email: str = ""
    category: str = ""
    audience: tuple[str, ...] = ()
    visibility: str = "public"
    capacity: int | None = None
    max_party_size: int = 1
    waitlist_open: bool = True
    waitlist_rule: str = "skip"
    offer_hours: int | None = None
    needs_approval: bool = False
    confirm_address: bool = False
    registration_opens_at: datetime | None = None
    registration_closes_at: datetime | None = None
    reminder_hours: int | None = 24


def values_of(event: Event) -> EventValues:
    """What an organizer has decided so far, as `update` takes it."""
    return EventValues(
        **{name: getattr(event, name) for name in EventValues.__dataclass_fields__ if name != "audience"},
        audience=tuple(name for name in event.audience.split(", ") if name),
    )


def columns(values: EventValues, *, folded: str | None = None) -> dict[str, Any]:
    """Every column that follows from the values, the derived ones included.

    `folded` is the description as `search.fold` gives it, where that was done before the transaction began.
    """
    row: dict[str, Any] = {
        name: getattr(values, name) for name in EventValues.__dataclass_fields__ if name != "audience"
    }
    keys = [search.name_key(name) for name in values.audience]
    row["audience"] = ", ".join(values.audience)
    row["audience_keys"] = f"|{'|'.join(keys)}|" if keys else ""
    row["category_key"] = search.name_key(values.category)
    about = " ".join((values.location_name, values.location_address, values.category, *values.audience))
    parts = (
        search.fold(f"{values.title} {values.summary}"),
        search.fold(values.description) if folded is None else folded,
        search.fold(about),
    )
    row["search_text"] = " ".join(part for part in parts if part)
    return row


def check(values: EventValues) -> None:
    """Raises: InvalidField for the first value that breaks a rule."""
    if is_blank(values.title):
        raise InvalidField("title", _("Give the event a title."))
    if values.ends_at <= values.starts_at:
        raise InvalidField("ends_at", _("The end must come after the start."))
    if values.capacity is not None and values.capacity < 1:
        raise InvalidField("capacity", _("The capacity is at least 1; leave it empty for no limit."))
    if not 1 <= values.max_party_size <= LARGEST_PARTY:
        raise InvalidField("max_party_size", _("A party is between 1 and %(most)s people.", most=LARGEST_PARTY))
    if values.visibility not in VISIBILITIES:
        raise InvalidField("visibility", _("Choose public, unlisted or private."))
    if values.waitlist_rule not in WAITLIST_RULES:
        raise InvalidField("waitlist_rule", _("Choose one of the two rules."))
    if values.offer_hours is not None and not 1 <= values.offer_hours <= LONGEST_OFFER:
        words = _(
            "Give them from 1 to %(most)s hours, or leave it empty to give the place at once.", most=LONGEST_OFFER
        )
        raise InvalidField("offer_hours", words)
    if values.reminder_hours is not None and not 1 <= values.reminder_hours <= reminders.MOST_HOURS:
        words = _(
            "A reminder goes out between 1 and %(most)s hours before the start; leave it empty for none.",
            most=reminders.MOST_HOURS,
        )
        raise InvalidField("reminder_hours", words)
    _check_window(values)
    if values.online_url and not values.online_url.lower().startswith(("https://", "http://")):
        raise InvalidField("online_url", _("The join link must begin with https:// or http://."))


def _check_window(values: EventValues) -> None:
    opens, closes = values.registration_opens_at, values.registration_closes_at
    if opens is not None and closes is not None and closes <= opens:
        raise InvalidField("registration_closes_at", _("Registration must close after it opens."))
    if closes is not None and closes > values.ends_at:
        raise InvalidField("registration_closes_at", _("Registration must close before the event ends."))
    if opens is not None and opens >= values.ends_at:
        raise InvalidField("registration_opens_at", _("Registration must open before the event ends."))
