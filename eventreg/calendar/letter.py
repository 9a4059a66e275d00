"""A mail as it came in, taken apart. Pure, and ready for any bytes: what the parser chokes on is `UnreadableMail`.

Sources: RFC 5322 and RFC 2045 for the form, RFC 3834 for what answers by itself.
"""

import codecs
import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from email.policy import Compat32
from email.utils import getaddresses

from eventreg.calendar import html_text
from eventreg.calendar.text import clean, one_line
from eventreg.errors import EventRegError

LARGEST = 256 * 1024
"""Bytes of a mail that is read; of a larger one only its beginning, for the words in it."""
MOST_PARTS = 60
LONGEST_HEADER = 2000
_RETURNED = frozenset({"message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers"})
"""Mails inside a mail: somebody else's words, never this sender's answer."""
_TOKEN_PART = re.compile(r"(?<=[^\s<>()\[\]\",;:@+])\+([a-z2-7]{26})@", re.IGNORECASE)
_NO_CHARSETS = frozenset({"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined"})
"""Python's own, which no mail is written in; punycode takes seconds for a mail full of it."""
_AUTOMATIC_SUBJECT = re.compile(
    r"(?i)^\s*(out of (the )?office|automatic reply|auto(matic|-| )?(response|reply)|autosvar|abwesenheits|"
    r"automatische antwort|réponse automatique|risposta automatica|respuesta automática)"
)


class _ShortHeaders(Compat32):
    """Cuts each header where it is read: the email package takes seconds for a Content-Type of many semicolons."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        """Name and value, without the blanks that would hide “base64” from it."""
        name, value = super().header_source_parse(sourcelines)
        return name, value[:LONGEST_HEADER].rstrip()


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
    """False where the mail was larger than LARGEST and only its beginning is here."""

    def header(self, name: str) -> str:
        """The first header of that name on one line, its encoded words read; empty where there is none."""
        return next(iter(self._headers(name)), "")

    def senders(self) -> tuple[str, ...]:
        """The addresses in From, lower case. They may be forged."""
        written = [str(value) for value in self._raw("From")]
        try:
            found = [address for _name, address in getaddresses(written)]
        except (ValueError, IndexError, RecursionError):
            return ()
        return tuple(dict.fromkeys(one_line(address).lower() for address in found if "@" in address))

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
    def is_automatic(self) -> bool:
        """Whether a program wrote it: an out-of-office note, a read receipt, a mailing list, a monitor."""
        submitted = self.header("Auto-Submitted").partition(";")[0].strip().lower()
        return (
            submitted not in {"", "no"}
            or self.message.get_content_type() == "multipart/report"
            or self.header("Precedence").lower() in {"auto_reply", "bulk", "junk", "list"}
            or any(self._raw(name) for name in ("X-Autoreply", "X-Autorespond", "X-Autoresponder", "List-Id"))
            or _AUTOMATIC_SUBJECT.match(self.header("Subject")) is not None
        )

    @property
    def words(self) -> str:
        """What somebody wrote: the first plain text, or the first HTML without its tags."""
        for kind in ("text/plain", "text/html"):
            for part in self.parts:
                if part.kind == kind and not part.is_attached and part.text.strip():
                    return clean(part.text if kind == "text/plain" else html_text.plain(part.text))
        return ""

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
    """The mail in those bytes, of which LARGEST are looked at. Raises: UnreadableMail."""
    try:
        message = message_from_bytes(data[:LARGEST], policy=_ShortHeaders())
        parts = tuple(_parts(message))
    except Exception as error:  # the email package raises many things at many bytes
        raise UnreadableMail(f"it is no mail that can be read ({type(error).__name__})") from error
    if not message.keys():
        raise UnreadableMail("it is no mail: it has no header")
    return Letter(message, parts, len(data) <= LARGEST)


def tokens_in(text: str) -> list[str]:
    """The plus-parts in addresses that have the shape of a reply token.

    >>> tokens_in("Events <rsvp+ABCDEFGHIJKLMNOPQRSTUVWXYZ@example.org>, x+y@example.org")
    ['abcdefghijklmnopqrstuvwxyz']
    """
    return [token.lower() for token in _TOKEN_PART.findall(text)]


def _parts(message: Message) -> Iterator[Part]:
    """Its leaves, those of returned mails left out."""
    waiting = [message]
    count = 0
    while waiting and count < MOST_PARTS:
        one = waiting.pop(0)
        count += 1
        kind = one.get_content_type()
        if kind in _RETURNED:
            continue
        # Asked of a part without children, it would decode it by whatever its charset says.
        payload = one.get_payload() if one.is_multipart() else None
        children = [child for child in payload if isinstance(child, Message)] if isinstance(payload, list) else None
        report = tuple(map(_fields, children[:20])) if children and kind == "message/delivery-status" else ()
        if children is not None and not report:
            waiting[:0] = children
            continue
        content = b"" if report else one.get_payload(decode=True)
        yield Part(
            kind=kind,
            method=_parameter(one, "method").upper(),
            file_name=one_line(one.get_filename() or ""),
            charset=_parameter(one, "charset"),
            content=content if isinstance(content, bytes) else b"",
            is_attached=one.get_content_disposition() == "attachment",
            report=report,
        )


def _fields(block: Message) -> Mapping[str, str]:
    return {name.lower(): one_line(str(value)) for name, value in block.items()}


def _parameter(part: Message, name: str) -> str:
    value = part.get_param(name, "")
    if isinstance(value, tuple):  # RFC 2231: charset, language, value
        value = value[2]
    return one_line(str(value)).strip("\"'")[:100]
