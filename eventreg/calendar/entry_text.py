"""An event's entry for the public feeds, written straight into bytes: the same that `vevent` and icalendar give.

All entries are written anew after a release that changes them, and icalendar takes longer for its thirteen lines than
everything else. A test holds both ways of writing to the same bytes. Sources: RFC 5545 sections 3.1, 3.3.11, 3.6.1.
"""

from datetime import UTC, date, datetime, timedelta

from flask_babel import gettext as _

from eventreg.calendar.text import Text, one_line
from eventreg.calendar.vevent import description, location
from eventreg.events import wording
from eventreg.events.models import Event
from eventreg.links import Links

WIDTH = 74
"""Octets of a line before it is folded; the space that begins the next one makes 75."""
_ESCAPES = b"\\^"
"""What begins an escape is kept with what it escapes."""


def entry_text(event: Event, *, links: Links) -> bytes:
    """The VEVENT, lines in icalendar's order."""
    page = links.event(event.slug)
    changed = _instant(event.updated_at)
    is_cancelled = event.status == "cancelled"
    title = one_line(event.title)
    lines = [
        b"BEGIN:VEVENT",
        _text(b"SUMMARY", _("Cancelled: %(title)s", title=title) if is_cancelled else title),
        *_span(event),
        b"DTSTAMP:" + changed,
        _text(b"UID", one_line(event.uid)),
        b"SEQUENCE:%d" % event.sequence,
    ]
    if category := one_line(event.category):
        lines.append(_text(b"CATEGORIES", category))
    lines.append(b"CREATED:" + _instant(event.created_at))
    lines.append(_text(b"DESCRIPTION", description(event, page=page, joins=False)))
    lines.append(b"LAST-MODIFIED:" + changed)
    if place := location(event):
        lines.append(_text(b"LOCATION", place))
    lines.append(b"STATUS:CANCELLED" if is_cancelled else b"STATUS:CONFIRMED")
    if event.all_day:
        lines.append(b"TRANSP:TRANSPARENT")
    lines += [folded(b"URL:" + page.encode()), b"END:VEVENT", b""]
    return b"\r\n".join(lines)


def _span(event: Event) -> list[bytes]:
    """Instants in UTC; whole days as dates, the end being the day after the last."""
    if event.all_day:
        first, after = wording.first_day(event), wording.last_day(event) + timedelta(days=1)
        return [b"DTSTART;VALUE=DATE:" + _day(first), b"DTEND;VALUE=DATE:" + _day(after)]
    return [b"DTSTART:" + _instant(event.starts_at), b"DTEND:" + _instant(event.ends_at)]


def _day(day: date) -> bytes:
    return b"%04d%02d%02d" % (day.year, day.month, day.day)


def _instant(moment: datetime) -> bytes:
    at = moment.astimezone(UTC)
    return b"%04d%02d%02dT%02d%02d%02dZ" % (at.year, at.month, at.day, at.hour, at.minute, at.second)


def _text(name: bytes, value: str) -> bytes:
    return folded(name + b":" + Text(value).to_ical())


def folded(line: bytes) -> bytes:
    """The line as icalendar folds it: in pieces of at most WIDTH octets that split no character and no escape."""
    if len(line) <= WIDTH:
        return line
    pieces = []
    begin = 0
    while len(line) - begin > WIDTH:
        end = begin + WIDTH
        while line[end] & 0xC0 == 0x80:  # noqa: PLR2004 - a later octet of a character (RFC 3629)
            end -= 1
        if line[end - 1] in _ESCAPES:
            end -= 1
        pieces.append(line[begin:end])
        begin = end
    return b"\r\n ".join([*pieces, line[begin:]])
