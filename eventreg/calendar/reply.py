"""iTIP REPLY parser: an answer given in a calendar program. Pure. Sources: RFC 5546 section 3.2.3, RFC 6047.

Only the properties an answer needs are read, line by line, because calendar libraries refuse the whole object for one
bad property (Windows zone names, lines without end, a missing ORGANIZER). What is ambiguous is read as far as it goes
and has a `doubt`, so that an organizer decides.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from eventreg.calendar import automatic, sealed, zone_names
from eventreg.calendar import letter as letters
from eventreg.calendar.letter import LARGEST, Letter, Part
from eventreg.calendar.reply_lines import Entry, entries_of, lines_of, unescaped_text
from eventreg.calendar.text import clean, one_line
from eventreg.errors import EventRegError

RSVPS = {"ACCEPTED": "yes", "DECLINED": "no", "TENTATIVE": "maybe"}
MOST_EVENTS = 10
LONGEST_COMMENT = 1000
LARGEST_NUMBER = 2**31 - 1
LONGEST_UID = 255
LONGEST_PARTSTAT = 30
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""A DTSTAMP before or after is read as these: no database shows a time in the years 1 or 9999 in every zone."""
_STAMP = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?$")
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


class Unread(NotAnAnswer):
    """There may be an answer in it that cannot be read; the message is a sentence for the organizer."""


class UnusableCalendar(Unread):
    """A REPLY without what identifies an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One person's answer to one entry, as their calendar program sent it. Everything in it may be forged."""

    uid: str
    attendees: tuple[tuple[str, str], ...]
    """Address (lower case) and PARTSTAT (upper case) of each ATTENDEE; a PARTSTAT is empty where two differ."""
    sequence: int
    stamp_at: datetime | None
    """DTSTAMP; None where it has none that can be read."""
    comment: str
    author: str
    """See `Letter.author`."""
    senders: tuple[str, ...]
    """Addresses in From, lower case."""
    tokens: tuple[str, ...]
    """What stands in its recipients where a reply token would."""
    message_id: str
    doubt: str = ""
    """Why an organizer has to look, as a sentence; empty where it is one person's one answer in their own mail."""

    def line_of(self, address: str) -> tuple[str, str]:
        """The ATTENDEE with that address, else the first: the address, and yes, no, maybe or nothing."""
        lines = dict(self.attendees)
        chosen = address if address in lines else next(iter(lines), "")
        return chosen, RSVPS.get(lines.get(chosen, ""), "")


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
    text, doubt = _reply_text(letter)
    entries = entries_of(text)
    if not entries:
        raise UnusableCalendar(_("Its calendar part holds no event."))
    uids = {one_line(unescaped_text(entry.first("UID"))) for entry in entries}
    if len(uids) != 1 or not 0 < len(uid := uids.pop()) <= LONGEST_UID:
        raise UnusableCalendar(_("Its calendar part does not name one event."))
    entry = max(entries, key=_rank)
    attendees = _attendees(entry, entries)
    return Reply(
        uid=uid,
        attendees=attendees,
        sequence=_sequence(entry),
        stamp_at=_stamp(entry),
        comment=clean(unescaped_text(entry.first("COMMENT")))[:LONGEST_COMMENT],
        author=letter.author,
        senders=letter.senders(),
        tokens=letter.reply_tokens(),
        message_id=letter.message_id,
        doubt=doubt or _doubt(entries, attendees),
    )


def _doubt(entries: list[Entry], attendees: tuple[tuple[str, str], ...]) -> str:
    """Why the object is not one clear answer; empty where it is one."""
    if len(entries) > MOST_EVENTS:
        return _("It holds %(num)d calendar entries instead of one.", num=len(entries))
    if len(attendees) != 1:
        return _("It answers for %(num)d people, not for one.", num=len(attendees))
    ((_address_of, partstat),) = attendees
    if not partstat:
        return _("It gives no answer, or two at once.")
    if partstat not in RSVPS:
        return _("It answers %(word)s, which is neither yes, no nor maybe.", word=partstat)
    return ""


def _reply_text(letter: Letter) -> tuple[str, str]:
    """The calendar text that says REPLY, from a `text/calendar` part first, then from a file; and a doubt about it.

    Raises: NoCalendarPart, OtherMethod, Unread, TooLarge.
    """
    methods = []
    for part in _calendars(letter.parts):
        text = part.text
        methods.append(_method(part, text))
        if methods[-1] == "REPLY" and (letter.is_whole or _is_complete(text)):
            return text, "" if letter.is_whole else _("The mail is larger than an answer, and was not read to its end.")
    for part in _calendars(() if letter.report_type else letter.enclosed):
        text = part.text
        if _method(part, text) == "REPLY":
            return text, _("The answer is in a mail that was forwarded.")
    raise _reason(letter, methods)


def _reason(letter: Letter, methods: list[str]) -> NotAnAnswer:
    """Why it holds no REPLY; `methods` are those of its calendar parts."""
    if not letter.is_whole:
        return TooLarge(f"it has more than the {LARGEST:,} bytes of an answer")
    if not letter.is_parsed:
        return Unread(_("The mail has too many parts, or is too deeply nested, to be read."))
    if methods:
        unnamed = UnusableCalendar(_("Its calendar part does not say whether it is an answer."))
        return OtherMethod(methods[0]) if methods[0] else unnamed
    is_automatic, container = automatic.is_automatic(letter), sealed.container(letter)
    if container and not (is_automatic and letter.words):
        return Unread(container)
    if is_automatic:
        return WrittenByAProgram("a program wrote it, and it holds no calendar part")
    return NoCalendarPart("it holds no calendar part")


def _calendars(parts: tuple[Part, ...]) -> list[Part]:
    """The parts that are calendar objects, those that say so first."""
    found = [part for part in parts if part.kind == "text/calendar"]
    found += [part for part in parts if part.kind == "application/ics"]
    found += [part for part in parts if part not in found and (_is_file(part) or _begins(part))]
    return found


def _is_file(part: Part) -> bool:
    return part.file_name.lower().endswith((".ics", ".ical", ".icalendar"))


def _begins(part: Part) -> bool:
    """Whether it is a calendar object whatever its type says: gateways send application/octet-stream, text/plain."""
    return part.content[:100].removeprefix(b"\xef\xbb\xbf").lstrip().upper().startswith(b"BEGIN:VCALENDAR")


def _is_complete(text: str) -> bool:
    return "END:VCALENDAR" in text.upper()


def _method(part: Part, text: str) -> str:
    """METHOD in the calendar object, which is what a calendar program acts on; else the one of the MIME part."""
    for name, _parameters, value in lines_of(text):
        if name == "METHOD":
            return one_line(value).upper()[:30]
        if (name, value.strip().upper()) == ("BEGIN", "VEVENT"):
            break
    return one_line(part.method)[:30]


def _attendees(spoken: Entry, entries: list[Entry]) -> tuple[tuple[str, str], ...]:
    """Everybody the entries answer for, with the PARTSTAT in the entry that counts."""
    given: dict[str, set[str]] = defaultdict(set)
    for parameters, value in spoken.found.get("ATTENDEE", ()):
        given[_address(parameters, value)].add(one_line(parameters.get("PARTSTAT")).upper()[:LONGEST_PARTSTAT])
    for entry in entries:
        for parameters, value in entry.found.get("ATTENDEE", ()):
            given.setdefault(_address(parameters, value), set())
    return tuple((address, said.pop() if len(said) == 1 else "") for address, said in given.items())


def _address(parameters: Mapping[str, str], value: str) -> str:
    """What stands behind “mailto:”; of a value that is another URI, its EMAIL (RFC 7986 section 6.2)."""
    *before, address = _MAILTO.split(one_line(value))
    if not before:
        address = parameters.get("EMAIL") or address
    return one_line(unquote(address.partition("?")[0])).strip('<>" ').lower()


def _sequence(entry: Entry) -> int:
    """SEQUENCE, 0 where there is none (RFC 5545 section 3.8.7.4). Raises: UnusableCalendar."""
    text = entry.first("SEQUENCE").strip() or "0"
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(LARGEST_NUMBER))):
        raise UnusableCalendar(_("Its SEQUENCE is no number."))
    number = int(text)
    if number > LARGEST_NUMBER:
        raise UnusableCalendar(_("Its SEQUENCE is no number that was ever sent."))
    return number


def _stamp(entry: Entry) -> datetime | None:
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
    return ZoneInfo(zone_names.name_of(name) or "UTC")


def _rank(entry: Entry) -> tuple[bool, int, datetime]:
    """Which of several entries speaks: the whole event before one date of it, then the newest."""
    try:
        sequence = _sequence(entry)
    except UnusableCalendar:
        sequence = -1
    return "RECURRENCE-ID" not in entry.found, sequence, _stamp(entry) or datetime.min.replace(tzinfo=UTC)
