"""Parsed incoming mail. Pure. Sources: RFC 5322, RFC 2045.

The email package takes (lines x nesting depth) steps, so both are limited before it runs. A mail beyond a limit is
still a `Letter`, without parts or with `is_whole` unset, so that an organizer can be told of it.
"""

import codecs
import contextlib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesParser
from email.policy import Compat32
from email.utils import getaddresses

from eventreg.calendar import html_text
from eventreg.calendar.text import clean, one_line
from eventreg.errors import EventRegError

LARGEST = 256 * 1024
"""Bytes of a mail that is read; of a larger one only its beginning, for the words in it."""
MOST_LINES = 10_000
"""Lines that are read: LARGEST bytes in lines of 26 octets. Each line costs up to 20 microseconds."""
MOST_MULTIPARTS = 20
"""Multiparts in a mail, and so their depth: each line is compared with the boundary of every open one."""
MOST_PARTS = 60
LONGEST_HEADER = 2000
MOST_PARAMETERS = 50
"""Of a Content-Type or Content-Disposition; the email package takes 10 microseconds for each, at every look."""
MOST_SENDERS = 20
_RETURNED = frozenset({"message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers"})
"""Mails inside a mail: somebody else's words, never this sender's answer."""
_TOKEN_PART = re.compile(r"(?<=[^\s<>()\[\]\",;:@+])\+([a-z2-7]{26})@", re.IGNORECASE)
_NO_CHARSETS = frozenset({"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined"})
"""Python's own, which no mail is written in; punycode takes seconds for a mail full of it."""
_MULTIPART = re.compile(rb"(?:^|[\r\n])content-type:\s*multipart/", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s\"(),:;<>@\[\\\]\x00-\x1f\x7f]+@[^\s\"(),:;<>@\[\\\]\x00-\x1f\x7f]+")


class _ShortHeaders(Compat32):
    """Cuts each header where it is read: the email package takes seconds for a Content-Type of many semicolons."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        """Name and value, without the blanks that would hide “base64” from it."""
        name, value = super().header_source_parse(sourcelines)
        is_cut, value = len(value) > LONGEST_HEADER, value[:LONGEST_HEADER]
        if name.lower().startswith("content-"):
            return name, ";".join(value.split(";", MOST_PARAMETERS + 1)[: MOST_PARAMETERS + 1]).rstrip()
        return name, value if is_cut else value.rstrip()  # the length of one that was cut tells so


class UnreadableMail(EventRegError):
    """The bytes are no mail that can be taken apart."""


@dataclass(frozen=True, slots=True)
class Part:
    """One leaf of the mail, its transfer encoding undone."""

    kind: str
    """Content type, lower case."""
    method: str
    """The `method` of a calendar part, upper case; empty where there is none."""
    file_name: str
    charset: str
    content: bytes
    is_attached: bool
    report: tuple[Mapping[str, str], ...] = ()
    """The blocks of a message/delivery-status part (RFC 3464 section 2), by lower-case name."""

    @property
    def text(self) -> str:
        """Its text; what its charset cannot mean is replaced."""
        content = self.content.removeprefix(b"\xef\xbb\xbf")
        with contextlib.suppress(LookupError, ValueError):  # no such charset, or one that is none (base64)
            name = codecs.lookup(self.charset or "utf-8").name
            if name not in _NO_CHARSETS:
                return content.decode(name, "replace")
        return content.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Letter:
    """What of a mail this service looks at."""

    message: Message
    parts: tuple[Part, ...]
    is_whole: bool
    """False where the mail was larger than LARGEST or longer than MOST_LINES, and only its beginning is here."""
    enclosed: tuple[Part, ...] = ()
    """The leaves of mails inside this one: forwarded or returned, so not this sender's answer."""
    is_parsed: bool = True
    """False where it has too many parts or multiparts, or the parser failed: `parts` are then missing or incomplete."""

    def header(self, name: str) -> str:
        """The first header of that name on one line, its encoded words read; empty where there is none."""
        return next(iter(self._headers(name)), "")

    def senders(self) -> tuple[str, ...]:
        """The addresses in From, lower case. They may be forged."""
        return tuple(dict.fromkeys(one_line(address).lower() for address in self._addresses("From")))

    @property
    def author(self) -> str:
        """The one address in the one From, lower case; empty where another program could read another one there.

        A mail that was sent once more by somebody else (Resent-From, RFC 5322 section 3.6.6) has no author here.
        """
        author = self._only_address("From")
        resent = {self._only_address(name) for name in ("Resent-From", "Resent-Sender") if self._raw(name)}
        return author if resent <= {author} else ""

    def reply_tokens(self) -> tuple[str, ...]:
        """What stands behind a plus where a reply token would, in the order in which recipients are believed."""
        found = []
        for name in ("Delivered-To", "X-Original-To", "X-Delivered-To", "Envelope-To", "To", "Cc"):
            for value in self._raw(name):
                found += tokens_in(str(value))
        return tuple(dict.fromkeys(found))

    @property
    def message_id(self) -> str:
        """Message-ID without blanks; empty where it has none."""
        return "".join(self.header("Message-ID").split())

    @property
    def report_type(self) -> str:
        """What a report is about, lower case; empty where it does not say, and in other mail. Source: RFC 6522."""
        return _parameter(self.message, "report-type").lower()

    @property
    def words(self) -> str:
        """What somebody wrote: the first plain text, or the first HTML without its tags."""
        for kind in ("text/plain", "text/html"):
            for part in self.parts:
                if part.kind == kind and not part.is_attached and part.text.strip():
                    return clean(part.text if kind == "text/plain" else html_text.plain(part.text))
        return ""

    def has(self, name: str) -> bool:
        """Whether it has such a header."""
        return bool(self._raw(name))

    def _addresses(self, name: str) -> list[str]:
        try:
            found = getaddresses([str(value) for value in self._raw(name)[:2]])
        except (ValueError, IndexError, RecursionError):
            return []
        return [address for _name, address in found if "@" in address][:MOST_SENDERS]

    def _only_address(self, name: str) -> str:
        found, values = self._addresses(name), self._raw(name)
        if len(found) != 1 or len(values) != 1 or len(str(values[0])) >= LONGEST_HEADER:  # cut: more may follow
            return ""
        return _plain(found[0])

    def _raw(self, name: str) -> list[object]:
        try:
            return list(self.message.get_all(name) or ())
        except Exception:  # noqa: BLE001 - a header that the email package chokes on is as good as none
            return []

    def _headers(self, name: str) -> Iterator[str]:
        for value in self._raw(name):
            text = str(value)
            with contextlib.suppress(Exception):  # else as it is written
                text = str(make_header(decode_header(text)))
            yield one_line(text)


def read(data: bytes) -> Letter:
    """The mail in those bytes, of which LARGEST and MOST_LINES are looked at. Raises: UnreadableMail."""
    lines = data[:LARGEST].splitlines(keepends=True)
    beginning = b"".join(lines[:MOST_LINES])
    is_whole = len(data) <= LARGEST and len(lines) <= MOST_LINES
    try:
        letter = _whole(beginning, is_whole=is_whole)
    except Exception as error:  # noqa: BLE001 - the email package raises many things at many bytes
        try:
            letter = _head(beginning, is_whole=is_whole)
        except Exception:  # noqa: BLE001
            raise UnreadableMail(f"it is no mail that can be read ({type(error).__name__})") from error
    if not letter.message.keys():
        raise UnreadableMail("it is no mail: it has no header")
    return letter


def _whole(data: bytes, *, is_whole: bool) -> Letter:
    """Raises: anything."""
    if sum(1 for _found in _MULTIPART.finditer(data)) > MOST_MULTIPARTS:
        return _head(data, is_whole=is_whole)
    message = BytesParser(policy=_ShortHeaders()).parsebytes(data)
    leaves = list(_leaves(message))
    return Letter(
        message,
        tuple(part for part, is_enclosed in leaves[:MOST_PARTS] if not is_enclosed),
        is_whole,
        enclosed=tuple(part for part, is_enclosed in leaves[:MOST_PARTS] if is_enclosed),
        is_parsed=len(leaves) <= MOST_PARTS,
    )


def _head(data: bytes, *, is_whole: bool) -> Letter:
    message = BytesParser(policy=_ShortHeaders()).parsebytes(data, headersonly=True)
    return Letter(message, (), is_whole, is_parsed=False)


def tokens_in(text: str) -> list[str]:
    """The plus-parts in addresses that have the shape of a reply token.

    >>> tokens_in("Events <rsvp+ABCDEFGHIJKLMNOPQRSTUVWXYZ@example.org>, x+y@example.org")
    ['abcdefghijklmnopqrstuvwxyz']
    """
    return [token.lower() for token in _TOKEN_PART.findall(text)]


def _leaves(message: Message) -> Iterator[tuple[Part, bool]]:
    """Its leaves and whether each stands in a mail inside it; one more than MOST_PARTS where there are more."""
    waiting = [(message, False)]
    count = 0
    while waiting and count <= MOST_PARTS:
        one, is_enclosed = waiting.pop()
        kind = one.get_content_type()
        # Asked of a part without children, it would decode it by whatever its charset says.
        payload = one.get_payload() if one.is_multipart() else None
        children = [child for child in payload if isinstance(child, Message)] if isinstance(payload, list) else None
        report = tuple(map(_fields, children[:20])) if children and kind == "message/delivery-status" else ()
        if children is not None and not report:
            waiting += [(child, is_enclosed or kind in _RETURNED) for child in reversed(children)]
        elif kind not in _RETURNED:
            count += 1
            yield _part(one, kind, report), is_enclosed


def _part(one: Message, kind: str, report: tuple[Mapping[str, str], ...]) -> Part:
    content = b"" if report else one.get_payload(decode=True)
    return Part(
        kind=kind,
        method=_parameter(one, "method").upper(),
        file_name=one_line(one.get_filename() or ""),
        charset=_parameter(one, "charset"),
        content=content if isinstance(content, bytes) else b"",
        is_attached=one.get_content_disposition() == "attachment",
        report=report,
    )


def _plain(address: str) -> str:
    """An address without quotes, comments or control characters, lower case, its host in ASCII; else empty."""
    local, _at, host = address.lower().rpartition("@")
    if not local.isascii() or not _ADDRESS.fullmatch(address) or not unicodedata.is_normalized("NFKC", host):
        return ""
    with contextlib.suppress(UnicodeError):
        return f"{local}@{host if host.isascii() else host.encode('idna').decode()}"
    return ""


def _fields(block: Message) -> Mapping[str, str]:
    return {name.lower(): one_line(str(value)) for name, value in block.items()}


def _parameter(part: Message, name: str) -> str:
    value = part.get_param(name, "")
    if isinstance(value, tuple):  # RFC 2231: charset, language, value
        value = value[2]
    return one_line(str(value)).strip("\"'")[:100]
