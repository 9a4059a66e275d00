"""Content lines written straight into bytes, folded as icalendar folds them. Sources: RFC 5545 section 3.1, RFC 6868.

What every visitor may ask for is written with these: icalendar takes several megabytes of a process, and longer for an
entry than everything else. What goes out with mail is left to it.
"""

import re
from datetime import UTC, date, datetime

from eventreg.calendar.text import escaped

WIDTH = 74
"""Octets of a line before it is folded; the space that begins the next one makes 75."""
_ESCAPES = b"\\^"
"""What begins an escape is kept with what it escapes."""
_QUOTED = re.compile("[ ',;:\N{RIGHT SINGLE QUOTATION MARK}]")
_IN_PARAMETER = str.maketrans({"^": "^^", '"': "^'"})


def text_line(name: bytes, value: str) -> bytes:
    """A TEXT property; the value must be clean."""
    return folded_line(name + b":" + escaped(value).encode())


def parameter(name: bytes, value: str) -> bytes:
    r"""A parameter with what stands before it, in quotes where it needs them; the value must be one clean line.

    >>> parameter(b"CN", 'The "Hall"; upstairs'), parameter(b"CN", "Hall")
    (b';CN="The ^\'Hall^\'; upstairs"', b';CN=Hall')
    """
    written = value.translate(_IN_PARAMETER).encode()
    return b';%s="%s"' % (name, written) if _QUOTED.search(value) else b";%s=%s" % (name, written)


def day(value: date) -> bytes:
    """DATE."""
    return b"%04d%02d%02d" % (value.year, value.month, value.day)


def instant(value: datetime) -> bytes:
    """DATE-TIME in UTC, to the second."""
    at = value.astimezone(UTC)
    return b"%04d%02d%02dT%02d%02d%02dZ" % (at.year, at.month, at.day, at.hour, at.minute, at.second)


def folded_line(line: bytes) -> bytes:
    """The line in pieces of at most WIDTH octets that split no character and no escape."""
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
