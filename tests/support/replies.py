"""Answers as calendar programs mail them, written after their documented forms; see tests/incoming/shapes/."""

import base64
import random
import re
from datetime import datetime

from tests.support.needs import ROOT

SHAPES = ROOT / "tests" / "incoming" / "shapes"
OUT_OF_OFFICE = ("exchange", "gmail", "outlook", "apple", "vacation")
NAMES = ("gmail", "exchange", "apple", "thunderbird", "file_only")


def mailed(
    shape: str = "gmail",
    *,
    to: str = "rsvp@example.org",
    uid: str = "5f0c1f0e@events.example.org",
    stamp: datetime | str = "20261006T160000Z",
    partstat: str = "DECLINED",
    sequence: int | str = 0,
    attendee: str = "amira@example.org",
    sender: str | None = None,
    message_id: str = "c7a1",
) -> bytes:
    """The mail that program would send for that answer."""
    values = {
        "TO": to,
        "UID": uid,
        "STAMP": stamp if isinstance(stamp, str) else f"{stamp:%Y%m%dT%H%M%SZ}",
        "PARTSTAT": partstat,
        "SEQUENCE": str(sequence),
        "ATTENDEE": attendee,
        "FROM": sender or attendee,
        "ID": message_id,
    }
    text = (SHAPES / f"{shape}.eml").read_text("utf-8")
    text = re.sub(r"@@BASE64:(.+?)@@", lambda found: _encoded(_filled(_shape(found[1]), values)), text)
    return _filled(text, values).replace("\n", "\r\n").encode()


def out_of_office(program: str, *, to: str = "rsvp@example.org") -> bytes:
    """The note that program sends for somebody who is away."""
    return mailed(f"out_of_office_{program}", to=to)


def bare(calendar: str, *, to: str = "rsvp@example.org", headers: str = "") -> bytes:
    """A mail that is nothing but that calendar text."""
    head = f"From: amira@example.org\nTo: {to}\nMessage-ID: <bare@example.org>\n{headers}"
    head += "MIME-Version: 1.0\nContent-Type: text/calendar; method=REPLY; charset=utf-8\n\n"
    return (head + calendar).replace("\n", "\r\n").encode("utf-8", "surrogateescape")


def calendar(*lines: str, method: str = "REPLY", **changed: str | None) -> str:
    """One answer as calendar text: `changed` replaces properties by name (None leaves one out), `lines` are added."""
    properties: dict[str, str | None] = {
        "UID": "UID:5f0c1f0e@events.example.org",
        "DTSTAMP": "DTSTAMP:20261006T160000Z",
        "SEQUENCE": "SEQUENCE:0",
        "ATTENDEE": "ATTENDEE;PARTSTAT=DECLINED:mailto:amira@example.org",
    } | changed
    body = [line for line in properties.values() if line is not None] + list(lines)
    return "\n".join(["BEGIN:VCALENDAR", f"METHOD:{method}", "BEGIN:VEVENT", *body, "END:VEVENT", "END:VCALENDAR", ""])


def words(
    text: str = "May I bring my dog?", *, to: str, sender: str = "amira@example.org", subject: str = "Re: A day"
) -> bytes:
    """A mail somebody wrote with their own hands."""
    return (
        f"From: Amira Haddad <{sender}>\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: <w1@example.org>\r\n"
        f"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
    ).encode()


def mutated(mail: bytes, chance: random.Random) -> bytes:
    """The mail with some of its bytes changed, lost, doubled, or moved."""
    made = bytearray(mail)
    for _ in range(chance.randint(1, 6)):
        at, until = sorted(chance.randrange(len(made) + 1) for _ in range(2))
        until = min(until, at + chance.choice((1, 4, 60, 2000)))
        kind = chance.randrange(6)
        if kind == 0:
            made[at:until] = b""
        elif kind == 1:
            made[at:at] = made[at:until] * chance.randint(1, 3)
        elif kind == 2:
            made[at:at] = chance.randbytes(chance.randint(1, 8))
        elif kind == 3 and at < len(made):
            made[at] = chance.randrange(256)
        elif kind == 4:
            made[at:at] = chance.choice(PIECES)
        else:
            made[at:until] = made[at:until].swapcase()
    return bytes(made)


PIECES = (
    b"\r\n",
    b"\r\n\r\n",
    b":",
    b";",
    b'"',
    b"\0",
    b"=?utf-8?q?",
    b"BEGIN:VEVENT\r\n",
    b"END:VEVENT\r\n",
    b"\xff",
    b"--",
)


def _shape(name: str) -> str:
    return (SHAPES / name).read_text("utf-8")


def _filled(text: str, values: dict[str, str]) -> str:
    return re.sub(r"@@([A-Z]+)@@", lambda found: values[found[1]], text)


def _encoded(text: str) -> str:
    return base64.encodebytes(text.replace("\n", "\r\n").encode()).decode().strip()
