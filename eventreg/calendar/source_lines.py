"""An iCalendar file of others as its components and properties, whatever state it is in. Pure.

Read line by line instead of by icalendar's parser, which gives up the whole file for one bad line, and which keeps
the time zones of one file for the next. Source: RFC 5545 sections 3.1 and 3.4.
"""

import codecs
import quopri
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

MOST_COMPONENTS = 20_000
LONGEST_LINE = 400_000
MOST_PROPERTIES = 1_000
"""Of one component; programs write some twenty."""
MOST_LINES = 200_000
"""As many as the largest file has that is followed, when it is a calendar and no heap of empty lines."""

_FOLD = re.compile(b"(?:\r\n|\n|\r)[ \t]")
_BREAK = re.compile("\r\n|\n|\r")
# Exchange leaves TZID=tzone://Microsoft/Utc without the quotes that its colon needs.
_LINE = re.compile(r'([A-Za-z0-9.-]+)\s*((?:;(?:[^":]|:(?=//)|"[^"]*")*+)?):(.*)', re.DOTALL)
_PARAMETER = re.compile(r';\s*([A-Za-z0-9-]+)\s*=((?:"[^"]*"|[^";])*+)')
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


@dataclass(frozen=True, slots=True)
class Property:
    """One content line; parameter names are in capitals, the value is as it stands."""

    name: str
    params: Mapping[str, str]
    value: str
    line: int

    @property
    def text(self) -> str:
        r"""The value as TEXT, its escapes undone. Source: RFC 5545 section 3.3.11.

        >>> Property("SUMMARY", {}, r"one\, two\nthree", 1).text
        'one, two\nthree'
        """
        value = self.value
        if self.params.get("ENCODING", "").upper() == "QUOTED-PRINTABLE":  # vCalendar 1.0
            value = quopri.decodestring(value.encode("utf-8", "replace")).decode("utf-8", "replace")
        return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)


@dataclass(slots=True)
class Component:
    """A VEVENT, VTIMEZONE, VTODO …; `children` are what stands inside a time zone, and empty otherwise."""

    name: str
    line: int
    properties: list[Property] = field(default_factory=list)
    children: list["Component"] = field(default_factory=list)
    is_closed: bool = False
    is_too_long: bool = False
    """Whether it has more properties than any event; those above the limit are not kept."""
    _named: dict[str, list[Property]] = field(default_factory=dict)

    def add(self, found: Property) -> None:
        """Keeps the property, as long as there are not too many."""
        if len(self.properties) >= MOST_PROPERTIES:
            self.is_too_long = True
            return
        self.properties.append(found)
        self._named.setdefault(found.name, []).append(found)

    def first(self, name: str) -> Property | None:
        """The first property of that name."""
        found = self._named.get(name)
        return found[0] if found else None

    def all(self, name: str) -> list[Property]:
        """Every property of that name."""
        return [*self._named.get(name, [])]

    def text(self, name: str) -> str:
        """The first one's text, "" where there is none."""
        found = self.first(name)
        return found.text if found is not None else ""


@dataclass(slots=True)
class Source:
    """A file taken apart. `is_calendar`: it begins like one; `is_complete`: it ends like one, so nothing is cut off."""

    calendar: Component
    components: list[Component]
    is_calendar: bool
    is_complete: bool
    is_too_long: bool
    """Whether it goes on after what was read."""


def take_apart(data: bytes) -> Source:
    """The calendar's own properties and its components, in the order of the file. Takes any bytes."""
    calendar = Component("VCALENDAR", 1)
    components: list[Component] = []
    stack: list[Component] = []
    begun = ended = is_too_long = False
    for count, found in enumerate(_properties(data), start=1):
        if count > MOST_LINES or len(components) > MOST_COMPONENTS:
            is_too_long, ended = True, False
            break
        if found.name == "BEGIN":
            name = found.value.strip().upper()
            if name == "VCALENDAR":
                begun, ended, stack = True, False, []
            else:
                _begin(Component(name, found.line), stack, components)
        elif found.name == "END":
            name = found.value.strip().upper()
            if name == "VCALENDAR":
                ended = begun
            _end(name, stack)
        elif stack:
            stack[-1].add(found)
        else:
            calendar.add(found)
    is_whole = all(one.is_closed and not one.is_too_long for one in components)
    return Source(calendar, components, begun, ended and is_whole, is_too_long)


def _begin(new: Component, stack: list[Component], components: list[Component]) -> None:
    top_level = {"VEVENT", "VTODO", "VJOURNAL", "VTIMEZONE", "VFREEBUSY"}
    if new.name in top_level:
        stack.clear()  # the one before was never ended; what it has is kept
        components.append(new)
    elif stack:
        stack[-1].children.append(new)
    if len(stack) < len(top_level):  # nothing real is nested deeper
        stack.append(new)


def _end(name: str, stack: list[Component]) -> None:
    while any(one.name == name for one in stack):
        ended = stack.pop()
        if ended.name == name:
            ended.is_closed = True
            break


def _properties(data: bytes) -> Iterator[Property]:
    for number, line in _lines(data):
        found = _LINE.fullmatch(line) if len(line) <= LONGEST_LINE else None
        if found is None:
            continue
        params = {name.upper(): value.strip().strip('"') for name, value in _PARAMETER.findall(found[2])}
        # Apple's "group.NAME" prefix says nothing about the property.
        yield Property(found[1].rpartition(".")[2].upper(), params, found[3], number)


def _lines(data: bytes) -> Iterator[tuple[int, str]]:
    """Unfolded lines with the number of the line each begins on; folds may part the bytes of one character."""
    pending: list[str] = []
    begun_at = 1
    for number, line in enumerate(_BREAK.split(_decoded(data)), start=1):
        if line[:1] in {" ", "\t"} and pending:
            pending.append(line[1:])
            continue
        if pending:
            yield begun_at, "".join(pending)
        pending, begun_at = ([line], number) if line.strip() else ([], number)
    if pending:
        yield begun_at, "".join(pending)


def _decoded(data: bytes) -> str:
    """As text: by its byte order mark, as UTF-8, or as what Windows programs of the West write."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    try:
        return data.decode()
    except UnicodeDecodeError:
        pass
    try:
        # A fold in the middle of a character: joined first, at the price of line numbers that are too low.
        return _FOLD.sub(b"", data).decode()
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")
