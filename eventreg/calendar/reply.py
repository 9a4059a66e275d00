"""An answer given in a calendar program, read from the mail that brings it. Pure. Sources: RFC 5546 3.2.3, RFC 6047.

What an answer needs is read line by line and the rest is left alone, so that a property which no calendar library
would take (Windows zone names, lines without end, a missing ORGANIZER) costs nobody their answer.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from eventreg.calendar import letter as letters
from eventreg.calendar import source_zones
from eventreg.calendar.letter import LARGEST, Letter, Part
from eventreg.calendar.text import clean, one_line
from eventreg.errors import EventRegError

RSVPS = {"ACCEPTED": "yes", "DECLINED": "no", "TENTATIVE": "maybe"}
MOST_EVENTS = 10
LONGEST_COMMENT = 1000
LARGEST_NUMBER = 2**31 - 1
LONGEST_UID = 255
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""A DTSTAMP before or after is read as these: no database shows a time in the years 1 or 9999 in every zone."""
_LINE = re.compile(r'([A-Za-z0-9-]++)((?:;[^:";]*+(?:"[^"]*+"[^:";]*+)*+)*+):(.*)', re.DOTALL)
_PARAMETER = re.compile(r';\s*+([A-Za-z0-9-]++)=("[^"]*+"|[^;"]*+)')
_FOLD = re.compile(r"(?:\r\n|\n|\r)[ \t]")
_BREAK = re.compile(r"\r\n|\n|\r")
_STAMP = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?$")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_MAILTO = re.compile("mailto:", re.IGNORECASE)


class NotAnAnswer(EventRegError):
    """The bytes hold no answer that can be taken; the message says why, to be put behind "because"."""


class TooLarge(NotAnAnswer):
    """The mail is larger than any answer."""


class NotReadable(NotAnAnswer):
    """The bytes are no mail."""


class NoCalendarPart(NotAnAnswer):
    """Nothing in it is a calendar object: somebody's words, or another program's."""


class WrittenByAProgram(NoCalendarPart):
    """An out-of-office note, a bounce, a list: nobody's answer and nobody's words."""


class OtherMethod(NotAnAnswer):
    """A calendar object that is no REPLY: COUNTER proposes another time, REFRESH asks for the entry again."""

    def __init__(self, method: str) -> None:
        super().__init__(f"its calendar part says {method or 'nothing'} and not REPLY")
        self.method = method


class UnusableCalendar(NotAnAnswer):
    """A REPLY that says nothing definite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One person's answer to one entry, as their calendar program sent it. Everything in it may be forged."""

    uid: str
    attendee: str
    """Address of the ATTENDEE, lower case."""
    rsvp: str
    """yes, no or maybe."""
    sequence: int
    stamp_at: datetime | None
    """DTSTAMP; None where it has none that can be read."""
    comment: str
    senders: tuple[str, ...]
    """Addresses in From, lower case."""
    tokens: tuple[str, ...]
    """What stands in its recipients where a reply token would."""
    message_id: str


@dataclass(slots=True)
class _Entry:
    """The properties of one VEVENT that an answer needs; lists, because a broken program writes one twice."""

    found: dict[str, list[tuple[Mapping[str, str], str]]] = field(default_factory=dict)

    def first(self, name: str) -> str:
        return self.found.get(name, [({}, "")])[0][1]


def read(data: bytes) -> Reply:
    """The answer in that mail, of at most LARGEST bytes. Raises: NotAnAnswer and its children, and nothing else."""
    if len(data) > LARGEST:
        raise TooLarge(f"it has {len(data):,} bytes, and an answer has at most {LARGEST:,}")
    try:
        letter = letters.read(data)
    except letters.UnreadableMail as error:
        raise NotReadable(str(error)) from error
    return of(letter)


def of(letter: Letter) -> Reply:
    """The answer in a mail already taken apart. Raises: as `read`."""
    if not letter.is_whole:
        raise TooLarge(f"it has more than the {LARGEST:,} bytes of an answer")
    entries = _entries(_reply_text(letter))
    if not entries:
        raise UnusableCalendar("its calendar part holds no event")
    if len(entries) > MOST_EVENTS:
        raise UnusableCalendar(f"its calendar part holds {len(entries)} events, and at most {MOST_EVENTS} are read")
    uids = {one_line(_text(entry.first("UID"))) for entry in entries}
    if len(uids) != 1 or not 0 < len(uid := uids.pop()) <= LONGEST_UID:
        raise UnusableCalendar("its calendar part does not name one event")
    attendee = _attendee(entries)
    entry = max(entries, key=_rank)
    return Reply(
        uid=uid,
        attendee=attendee,
        rsvp=_rsvp(entry),
        sequence=_sequence(entry),
        stamp_at=_stamp(entry),
        comment=clean(_text(entry.first("COMMENT")))[:LONGEST_COMMENT],
        senders=letter.senders(),
        tokens=letter.reply_tokens(),
        message_id=letter.message_id,
    )


def _reply_text(letter: Letter) -> str:
    """The calendar text that says REPLY: from a `text/calendar` part first, then from an attached file.

    Raises: NoCalendarPart, OtherMethod.
    """
    parts = [part for part in letter.parts if part.kind == "text/calendar"]
    parts += [part for part in letter.parts if part.kind == "application/ics"]
    parts += [part for part in letter.parts if part not in parts and part.file_name.lower().endswith(".ics")]
    if not parts:
        if letter.is_automatic:
            raise WrittenByAProgram("a program wrote it, and it holds no calendar part")
        raise NoCalendarPart("it holds no calendar part")
    methods = []
    for part in parts:
        text = part.text
        methods.append(_method(part, text))
        if methods[-1] == "REPLY":
            return text
    raise OtherMethod(methods[0])


def _method(part: Part, text: str) -> str:
    """METHOD in the calendar object, which is what a calendar program acts on; else the one of the MIME part."""
    for name, _parameters, value in _lines(text):
        if name == "METHOD":
            return one_line(value).upper()[:30]
        if (name, value.strip().upper()) == ("BEGIN", "VEVENT"):
            break
    return one_line(part.method)[:30]


def _entries(text: str) -> list[_Entry]:
    """Its VEVENTs with what stands in them directly, not in an alarm inside."""
    entries: list[_Entry] = []
    inside: list[str] = []
    for name, parameters, value in _lines(text):
        if name == "BEGIN":
            inside.append(value.strip().upper())
            if inside[-1] == "VEVENT":
                entries.append(_Entry())
        elif name == "END":
            if inside and inside[-1] == value.strip().upper():
                inside.pop()
        elif inside and inside[-1] == "VEVENT":
            entries[-1].found.setdefault(name, []).append((parameters, value))
    return entries


def _lines(text: str) -> Iterator[tuple[str, Mapping[str, str], str]]:
    """Name, parameters and value of every content line that is one, whatever its length (RFC 5545 section 3.1)."""
    for line in _BREAK.split(_FOLD.sub("", text.replace("\0", ""))):
        found = _LINE.fullmatch(line.strip())
        if found is not None:
            parameters = {name.upper(): value.strip('" ') for name, value in _PARAMETER.findall(found[2])}
            yield found[1].upper(), parameters, found[3]


def _attendee(entries: list[_Entry]) -> str:
    """The one who answers. Raises: UnusableCalendar when that is nobody or several."""
    addresses = {_address(*found) for entry in entries for found in entry.found.get("ATTENDEE", ())}
    if len(addresses) != 1:
        raise UnusableCalendar(f"it answers for {len(addresses) or 'no'} people, not for one")
    return addresses.pop()


def _address(parameters: Mapping[str, str], value: str) -> str:
    """What stands behind “mailto:”; of a value that is another URI, its EMAIL (RFC 7986 section 6.2)."""
    *before, address = _MAILTO.split(one_line(value))
    if not before:
        address = parameters.get("EMAIL") or address
    return one_line(unquote(address.partition("?")[0])).strip('<>" ').lower()


def _rsvp(entry: _Entry) -> str:
    """Raises: UnusableCalendar for an answer that is none of the three."""
    given = {parameters.get("PARTSTAT", "").upper() for parameters, _value in entry.found.get("ATTENDEE", ())}
    if len(given) != 1:
        raise UnusableCalendar("it gives two answers at once" if given else "it gives no answer")
    said = given.pop()
    if said not in RSVPS:
        raise UnusableCalendar(f"it answers {one_line(said)[:30] or 'nothing'}, which is neither yes, no nor maybe")
    return RSVPS[said]


def _sequence(entry: _Entry) -> int:
    """SEQUENCE, 0 where there is none (RFC 5545 section 3.8.7.4). Raises: UnusableCalendar."""
    text = entry.first("SEQUENCE").strip() or "0"
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(LARGEST_NUMBER))):
        raise UnusableCalendar("its SEQUENCE is no number")
    number = int(text)
    if number > LARGEST_NUMBER:
        raise UnusableCalendar("its SEQUENCE is no number that was ever sent")
    return number


def _stamp(entry: _Entry) -> datetime | None:
    """DTSTAMP as an instant: UTC as RFC 5545 section 3.8.7.2 demands, or in its zone where that is known."""
    parameters, text = entry.found.get("DTSTAMP", [({}, "")])[0]
    found = _STAMP.match(text.strip())
    if found is None or not text.isascii():
        return None
    zone = UTC if found[7] or "TZID" not in parameters else _zone(parameters["TZID"])
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    try:
        at = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=zone)  # 60 is a leap second
    except ValueError:
        return None
    return EARLIEST if year < EARLIEST.year else LATEST if year >= LATEST.year else at.astimezone(UTC)


def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(source_zones.name_of(name) or "UTC")


def _rank(entry: _Entry) -> tuple[bool, int, datetime]:
    """Which of several entries speaks: the whole event before one date of it, then the newest."""
    try:
        sequence = _sequence(entry)
    except UnusableCalendar:
        sequence = -1
    return "RECURRENCE-ID" not in entry.found, sequence, _stamp(entry) or datetime.min.replace(tzinfo=UTC)


def _text(value: str) -> str:
    """A TEXT value, its escapes undone (RFC 5545 section 3.3.11)."""
    return _ESCAPED.sub(_unescaped, value)


def _unescaped(found: re.Match[str]) -> str:
    return "\n" if found[1] in "nN" else found[1]
