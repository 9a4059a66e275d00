"""Calendar files gone wrong: the shapes of real programs with seeded faults in them."""

import random
from pathlib import Path

FOREIGN = Path(__file__).parent / "foreign"
SNIPPETS = (
    b"BEGIN:VEVENT", b"END:VEVENT", b"END:VCALENDAR", b"BEGIN:VCALENDAR", b"\r\n", b"\n ", b"\r", b"\0", b"\xff",
    b"\xc3", b"\xed\xa0\x80", b"\xf0\x9f\x8e\xb6", b"\\n", b";", b":", b'"', b",", b"99999999999999999999", b"-1", b"0",
    b"00000000", b"99991231T235959Z", b"00010101T000000Z", b"20261332", b"DTSTART:20261010T100000Z\r\n",
    b"DTEND:19000101\r\n",
    b"DURATION:P99999W\r\n", b"DURATION:-PT5M\r\n", b"RRULE:FREQ=SECONDLY\r\n", b"RRULE:FREQ=DAILY;COUNT=3\r\n",
    b"RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;UNTIL=20270101\r\n", b"RRULE:\r\n", b"RDATE:20261010T100000Z,x\r\n",
    b"RDATE;VALUE=PERIOD:20261010T100000Z/PT1H\r\n", b"EXDATE;VALUE=DATE:20261010\r\n", b"RECURRENCE-ID:20261010\r\n",
    b"SEQUENCE:99999999999\r\n", b"TZID=Nowhere", b"TZOFFSETTO:+9999\r\n", b"SUMMARY:" + b"x" * 500 + b"\r\n",
    b"DESCRIPTION:<p><a href='javascript:x'>" + b"<b>" * 50 + b"\r\n", b"UID:\r\n", b"UID:" + b"u" * 400 + b"\r\n",
    b"CATEGORIES:" + "\ufdfa".encode() * 60 + b"\r\n", b"STATUS:CANCELLED\r\n", b"VALUE=DATE", b"\xe2\x80\xa8",
)  # fmt: skip


def originals() -> list[bytes]:
    """The files as their programs write them."""
    return [path.read_bytes().replace(b"\n", b"\r\n") for path in sorted(FOREIGN.glob("*.ics"))]


def mutated(seed: int, count: int) -> "list[bytes]":
    """That many files, always the same for a seed."""
    chance = random.Random(seed)
    sources = originals()
    return [_mutate(chance, chance.choice(sources), sources) for _ in range(count)]


def _mutate(chance: random.Random, data: bytes, sources: list[bytes]) -> bytes:
    for _ in range(chance.choice((1, 1, 2, 3, 6))):
        lines = data.split(b"\r\n")
        place, end = sorted((chance.randrange(len(data) + 1), chance.randrange(len(data) + 1)))
        kind = chance.randrange(9)
        if kind == 0:
            data = data[:place] + chance.choice(SNIPPETS) + data[place:]
        elif kind == 1:
            data = data[:place] + bytes([chance.randrange(256)]) + data[place + 1 :]
        elif kind == 2:
            data = data[:place] + data[min(end, place + 40) :]
        elif kind == 3:
            data = data[:place]
        elif kind == 4:
            del lines[chance.randrange(len(lines))]
            data = b"\r\n".join(lines)
        elif kind == 5:
            lines.insert(chance.randrange(len(lines)), chance.choice(lines))
            data = b"\r\n".join(lines)
        elif kind == 6:
            one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
            lines[one], lines[other] = lines[other], lines[one]
            data = b"\r\n".join(lines)
        elif kind == 7:
            other_lines = chance.choice(sources).split(b"\r\n")
            lines[chance.randrange(len(lines))] = chance.choice(other_lines)
            data = b"\r\n".join(lines)
        else:
            at = chance.randrange(len(lines))
            lines[at] = lines[at].partition(b":")[0] + b":" + chance.choice(SNIPPETS)
            data = b"\r\n".join(lines)
        data = data or b"\r\n"
    return data
