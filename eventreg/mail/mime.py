"""The bytes of a mail. Sources: RFC 5322, RFC 2045 to 2047, RFC 6047 for the calendar part.

The email package builds a tree, folds it and reads it back, which takes longer than everything else a mail needs.
The mails here have one shape, so their bytes are put together directly: the same input, the same bytes.
"""

import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.headerregistry import Address
from email.utils import format_datetime, formataddr
from functools import lru_cache

from eventreg.addresses import for_envelope

LONGEST_LINE = 78
"""RFC 5322 section 2.1.1; a body with longer lines is encoded."""
LONGEST_ENCODED_WORD = 75
"""RFC 2047 section 2. The email package's own limits give words of 76 and lines of 78 octets, those of a policy too."""
_LONGEST_TOKEN = 60
"""Text without a blank for longer cannot be folded, so it becomes encoded words, which can."""
_AUTOMATIC = "Auto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\n"
"""Every mail here is sent by a program, so no vacation note or receipt should answer it.

Sources: RFC 3834; [MS-OXCMAIL] 2.1.3.2.20. Answers from calendars are people's and are not suppressed. A refusal within
the SMTP dialogue, which is how a mail comes back from most servers, does not depend on it.
"""
_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+")
_METHOD = re.compile(rb"^METHOD:([A-Z]+)\r?$", re.MULTILINE)
_MIDDLE_DOTS = re.compile(r"^\.|\.\.|\.@")


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail ready to leave. `sender` is where its own failure to arrive is told, the envelope's MAIL FROM."""

    subject: str
    sender: str
    content: bytes

    def as_bytes(self) -> bytes:
        """The mail as it is sent."""
        return self.content


@dataclass(frozen=True, slots=True)
class Head:
    """What the header says. `sender` is the whole value of From, see `sender_header`."""

    subject: str
    sender: str
    recipient: str
    reply_to: str
    date: datetime
    message_id: str
    key: str
    """Names the boundaries, so that the mail has the same bytes at every try."""


def assemble(head: Head, *, text: str, html: str, ics: bytes | None) -> bytes:
    """Text and HTML as alternatives; a calendar part as a third, where Outlook looks, and once more as a file.

    Raises: ValueError, or an error of the email package, for an address that is none.
    """
    outer, inner = (f"=_{head.key}_{number}" for number in range(2))
    bodies = [_text_part("plain", text), _text_part("html", html)]
    if ics is None:
        top = _multipart("alternative", outer, bodies)
    else:
        encoded = _base64(ics)
        method = (method_of(ics) or "").encode()
        invitation = (
            b'Content-Type: text/calendar; charset="UTF-8"; method="%b";\r\n component="VEVENT"\r\n'
            b"Content-Transfer-Encoding: base64\r\n\r\n%b" % (method, encoded)
        )
        file = (
            b'Content-Type: application/ics; name="invite.ics"\r\nContent-Transfer-Encoding: base64\r\n'
            b'Content-Disposition: attachment; filename="invite.ics"\r\n\r\n%b' % encoded
        )
        top = _multipart("mixed", outer, [_multipart("alternative", inner, [*bodies, invitation]), file])
    return _header(head).encode("ascii") + top


def method_of(ics: bytes | None) -> str | None:
    """METHOD of a calendar part, read from its bytes so that MIME can never say another."""
    found = _METHOD.search(ics) if ics is not None else None
    return found[1].decode() if found else None


@lru_cache(maxsize=16)
def sender_header(name: str, address: str) -> str:
    """From: the name in one line, the address, and never anything that could be a second one."""
    written = formataddr((name, address)) if name.isascii() else ""
    if written and len("From: ") + len(written) <= LONGEST_LINE:
        return written
    return f"{_words(name, header='From')}\r\n <{address}>" if name else address


def checked(address: str) -> str:
    """An address as To and Reply-To hold it, in ASCII. Raises: as `Address` does, for what is none or several."""
    if _PLAIN_ADDRESS.fullmatch(address) and not _MIDDLE_DOTS.search(address):
        return address
    written = str(Address(addr_spec=for_envelope(address) if not address.isascii() else address))
    if not written.isascii():
        raise ValueError("only ASCII characters can stand before the @ of a mail address")
    return written


def encoded(text: str, *, header: str) -> str:
    """Text as a header holds it, folded. What is not ASCII becomes encoded words, as does what looks like one."""
    if text.isascii() and "=?" not in text:
        if len(header) + 2 + len(text) <= LONGEST_LINE - 2:
            return text
        if max(map(len, text.split(" "))) <= _LONGEST_TOKEN:
            return Header(text, "us-ascii", header_name=header).encode(linesep="\r\n")
    return _words(text, header=header)


def _words(text: str, *, header: str) -> str:
    return Header(text, "utf-8", header_name=header, maxlinelen=LONGEST_ENCODED_WORD).encode(linesep="\r\n")


def _header(head: Head) -> str:
    return (
        f"Subject: {encoded(head.subject, header='Subject')}\r\n"
        f"From: {head.sender}\r\n"
        f"To: {checked(head.recipient)}\r\n"
        f"Reply-To: {checked(head.reply_to)}\r\n"
        f"Date: {format_datetime(head.date)}\r\n"
        f"Message-ID: {head.message_id}\r\n"
        f"{_AUTOMATIC}"
        "MIME-Version: 1.0\r\n"
    )


def _multipart(subtype: str, boundary: str, parts: Sequence[bytes]) -> bytes:
    edge = f"--{boundary}".encode()
    inside = b"".join(b"%b\r\n%b\r\n" % (edge, part) for part in parts)
    return b'Content-Type: multipart/%b;\r\n boundary="%b"\r\n\r\n%b%b--\r\n' % (
        subtype.encode(),
        boundary.encode(),
        inside,
        edge,
    )


def _text_part(subtype: str, text: str) -> bytes:
    """7bit where it can be: everybody's mail server takes that. Else whichever encoding is shorter."""
    octets = text.encode()
    if octets.isascii() and max(map(len, octets.split(b"\n"))) <= LONGEST_LINE:
        return _part(subtype, "7bit", octets.replace(b"\n", b"\r\n"))
    quoted = binascii.b2a_qp(octets, istext=True)
    if len(quoted) <= len(octets) * 4 / 3:
        return _part(subtype, "quoted-printable", quoted.replace(b"\n", b"\r\n"))
    return _part(subtype, "base64", _base64(octets.replace(b"\n", b"\r\n")))


def _part(subtype: str, encoding: str, content: bytes) -> bytes:
    return (
        f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n'.encode()
        + content
    )


def _base64(octets: bytes) -> bytes:
    letters = binascii.b2a_base64(octets, newline=False)
    return b"".join([b"%b\r\n" % letters[start : start + 76] for start in range(0, len(letters), 76)])
