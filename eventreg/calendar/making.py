"""One VEVENT of others as an event of this site's: its words, place, time and numbers. Pure."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flask_babel import gettext as _

from eventreg import timezones
from eventreg.calendar import source_text
from eventreg.calendar.html_text import address
from eventreg.calendar.source_lines import Component
from eventreg.calendar.source_times import BadTime, Span, instant, moment
from eventreg.calendar.source_zones import Zones
from eventreg.calendar.text import clean, one_line
from eventreg.errors import EventRegError
from eventreg.events.importing import LARGEST_SEQUENCE, Item
from eventreg.events.schedule import LONGEST
from eventreg.events.search import fold
from eventreg.events.values import EventValues
from eventreg.text import is_blank

LONGEST_UID = 255
LONGEST_ZONE = 60
_JOIN = (
    "X-GOOGLE-CONFERENCE",
    "X-MICROSOFT-SKYPETEAMSMEETINGURL",
    "X-MICROSOFT-ONLINEMEETINGEXTERNALLINK",
    "CONFERENCE",
)
_GEO = re.compile(r"\s*([-+]?\d{1,3}(?:\.\d{1,12})?)\s*[;,]\s*([-+]?\d{1,3}(?:\.\d{1,12})?)\s*")
_UTC_ONLY = Zones([], default="UTC", now=datetime(2026, 1, 1, tzinfo=UTC))


class NotAnEvent(EventRegError):
    """Why an entry cannot be an event here, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What an entry says apart from when: worked out once for all the dates it speaks for."""

    title: str
    full_title: str
    """As it stands, for an entry that is known by nothing else."""
    summary: str
    description: str
    folded: str
    location_name: str
    location_address: str
    online_url: str
    category: str
    url: str
    sequence: int
    stamp_at: datetime | None
    is_cancelled: bool
    is_private: bool
    notes: tuple[str, ...]


def words(component: Component) -> Words:
    """Everything in it but its times, clean and of bearable length."""
    notes: list[str] = []
    full_title = component.text("SUMMARY")
    title = one_line(full_title)
    if is_blank(title):
        title = _("Untitled event")
        notes.append(_("It has no title."))
    if len(title) > source_text.LONGEST_TITLE:
        title = source_text.cut(title, source_text.LONGEST_TITLE)
        notes.append(_("Its title was cut to %(most)s characters.", most=source_text.LONGEST_TITLE))
    description = _description(component)
    if description.endswith("\n…"):
        notes.append(_("Its description was cut to %(most)s characters.", most=source_text.LONGEST_DESCRIPTION))
    name, where, join = _place(component)
    status = component.text("STATUS").strip().upper()
    sequence, stamp_at = numbers(component)
    return Words(
        title=title,
        full_title=full_title,
        summary=_("Not settled yet, as its organizers say.") if status == "TENTATIVE" else "",
        description=description,
        folded=fold(description),
        location_name=name,
        location_address=where,
        online_url=join,
        category=source_text.category(_category(component)),
        url=address(component.text("URL")),
        sequence=sequence,
        stamp_at=stamp_at,
        is_cancelled=status == "CANCELLED",
        is_private=component.text("CLASS").strip().upper() in {"PRIVATE", "CONFIDENTIAL"},
        notes=tuple(notes),
    )


def item(
    said: Words,
    *,
    uid: str,
    span: Span,
    is_called_off: bool,
    recurrence_id: str = "",
    sequence: int | None = None,
    stamp_at: datetime | None = None,
    also: Sequence[str] = (),
) -> Item:
    """The event. `recurrence_id` tells one date of a series from the others; the three after it are the series'.

    Raises: NotAnEvent, BadTime.
    """
    starts_at, ends_at = _instants(span)
    notes = [*_notes_on_time(span, starts_at), *also]
    known_by = _uid(uid, said, starts_at, recurrence_id, notes)
    return Item(
        uid=known_by,
        values=_values(said, span, starts_at, ends_at),
        sequence=said.sequence if sequence is None else sequence,
        stamp_at=stamp_at or said.stamp_at,
        is_cancelled=is_called_off or said.is_cancelled,
        is_private=said.is_private,
        url=said.url,
        folded=said.folded,
        notes=(*notes, *said.notes),
        unknown_zone=source_text.cut(one_line(span.unknown_zone), LONGEST_ZONE),
    )


def _notes_on_time(span: Span, starts_at: datetime) -> list[str]:
    notes: list[str] = []
    if span.damaged and not span.is_all_day:
        notes.append(_("Its end cannot be read; it was given one hour."))
    elif span.damaged:
        notes.append(_("Its end cannot be read; it was given one day."))
    elif not span.has_end:
        notes.append(_("It names no end; it was given one hour."))
    if span.unknown_zone:
        name = source_text.cut(one_line(span.unknown_zone), LONGEST_ZONE)
        notes.append(
            _("Nobody knows its time zone “%(name)s”; its times were read as %(zone)s.", name=name, zone=span.zone.name)
        )
    elif not span.is_all_day and span.zone.differs_at(starts_at.replace(tzinfo=None)):
        notes.append(
            _("The file gives its time zone “%(name)s” rules of its own; they were followed.", name=span.zone.known)
        )
    return notes


def label(component: Component) -> str:
    """What people call an entry that could not be taken."""
    return source_text.cut(one_line(component.text("SUMMARY")[:1000]), 80)


def numbers(component: Component) -> tuple[int, datetime | None]:
    """(SEQUENCE, LAST-MODIFIED or else DTSTAMP)."""
    digits = component.text("SEQUENCE").strip()[:20]
    sequence = min(int(digits), LARGEST_SEQUENCE) if digits.isascii() and digits.isdigit() else 0
    for name in ("LAST-MODIFIED", "DTSTAMP"):
        given = component.first(name)
        if given is None:
            continue
        try:
            found = moment(given, given.value, _UTC_ONLY)[0]
        except BadTime:
            continue
        if isinstance(found, datetime):
            return sequence, instant(found)
    return sequence, None


def _instants(span: Span) -> tuple[datetime, datetime]:
    if isinstance(span.starts, datetime) and isinstance(span.ends, datetime):
        starts_at, ends_at = instant(span.starts), instant(span.ends)
    else:
        starts_at = timezones.day_start(span.starts, span.zone.name)
        ends_at = timezones.day_start(span.ends, span.zone.name)
    if ends_at <= starts_at:
        raise NotAnEvent(_("It ends before it begins."))
    if ends_at - starts_at > LONGEST + timedelta(days=1):
        raise NotAnEvent(_("It lasts longer than a year."))
    return starts_at, ends_at


def _uid(uid: str, said: Words, starts_at: datetime, recurrence_id: str, notes: list[str]) -> str:
    """As it stands, where it stands; always the same for the same entry, and never longer than its column."""
    if not uid:
        known_by = f"{starts_at.isoformat()}\n{said.full_title}"
        uid = _digest(known_by)
        notes.append(_("It has no UID; it is known by its start and title."))
    made = f"{uid}_{recurrence_id}" if recurrence_id else uid
    return made if len(made) <= LONGEST_UID else _digest(made)


def _digest(text: str) -> str:
    return f"{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:40]}@imported"


def _values(said: Words, span: Span, starts_at: datetime, ends_at: datetime) -> EventValues:
    return EventValues(
        title=said.title,
        summary=said.summary,
        description=said.description,
        starts_at=starts_at,
        ends_at=ends_at,
        timezone=span.zone.name if span.is_all_day else span.zone.name_at(starts_at.replace(tzinfo=None)),
        all_day=span.is_all_day,
        location_name=said.location_name,
        location_address=said.location_address,
        online_url=said.online_url,
        category=said.category,
    )


def _category(component: Component) -> str:
    """The first of the names; a comma that belongs to a name is escaped."""
    given = component.all("CATEGORIES")
    names = [part for one in given for part in re.split(r"(?<!\\),", one.value) if part.strip()]
    return re.sub(r"\\(.)", r"\1", names[0]) if names else ""


def _description(component: Component) -> str:
    text = component.text("DESCRIPTION")
    if clean(text):
        return source_text.description(text)
    rich = component.first("X-ALT-DESC")
    return source_text.description(rich.text, html=True) if rich is not None else ""


def _place(component: Component) -> tuple[str, str, str]:
    """(name, address, link to join)."""
    join = next((found for name in _JOIN if (found := address(component.text(name)))), "")
    text = component.text("LOCATION")
    if link := address(text):
        return "", "", join or link
    name, where = source_text.place(text)
    if not name and (spot := _GEO.fullmatch(component.text("GEO"))):
        where = f"{spot[1]}, {spot[2]}"
    return name, where, join
