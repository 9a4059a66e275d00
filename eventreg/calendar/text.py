r"""Text as calendar programs can bear it.

icalendar lets control characters and lone surrogates through: one bad title then breaks the whole feed for
strict parsers, or cannot be encoded at all. It also turns the two characters `\N` of a title into a line break.
Everything that becomes iCalendar or Atom text passes here first.
"""

import re
from urllib.parse import quote

from eventreg.text import DIRECTION

_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_DROPPED = re.compile(f"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff{DIRECTION}]")

_CLEAN = bytes(range(0x20, 0x7F)) + b"\n"
"""Most text is made of these alone, which is seen in a tenth of the time that looking for others takes."""


def escaped(text: str) -> str:
    r"""A TEXT value as RFC 5545 section 3.3.11 says and in no other way; the text must be clean.

    >>> escaped("C:\\New; 1, 2")
    'C:\\\\New\\; 1\\, 2'
    """
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def clean(text: str | None) -> str:
    r"""Lines parted by `\n`, with nothing in them that is not text; blanks around the whole are dropped.

    >>> clean(" one\u2028two\r\nthree\x00\ud800 ")
    'one\ntwo\nthree'
    """
    text = text or ""
    if text.isascii() and not text.encode().translate(None, _CLEAN):
        return text.strip()
    return _DROPPED.sub("", _BREAKS.sub("\n", text)).replace("\t", " ").strip()


def one_line(text: str | None) -> str:
    r"""The same on a single line, for a title, a place or a name.

    >>> one_line("A day\nof  reflection\t")
    'A day of reflection'
    """
    return " ".join(clean(text).split())


def common_name(name: str) -> str:
    """A name as a parameter. A backslash has no meaning there (RFC 5545 section 3.2), but ical.js gives it one."""
    return one_line(name).replace("\\", "/")


def mailto(address: str) -> str:
    """The address as a URI of ASCII characters. Source: RFC 6068 section 2.

    >>> mailto("rsvp+abc@example.org")
    'mailto:rsvp+abc@example.org'
    """
    return "mailto:" + quote(one_line(address), safe="@+-._~!$'*=/")
