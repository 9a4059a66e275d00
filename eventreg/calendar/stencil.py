"""One event's invitation for many people: written by icalendar once, then only the lines that are each person's own.

Three hundred confirmations of one event differ in their DTSTAMP, ATTENDEE and ORGANIZER; the rest takes longer to
write than all else of a mail.
"""

import re
from collections.abc import Callable, Container, Iterable
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, TypeVar

from icalendar import vCalAddress
from icalendar.parser import Contentline

from eventreg.calendar import invitation
from eventreg.calendar.lines import folded_line
from eventreg.events import rules
from eventreg.events.models import Event
from eventreg.registrations.models import Registration

T = TypeVar("T")
MOST = 1000
"""How many are kept, of a few kilobytes each."""
_LINES = re.compile(rb"\r\n(?! )")
_END_OF_NAME = re.compile(rb"[:;]")


class Stencils:
    """What was made of events lately, by one site in one language. Every change of an event makes it anew."""

    def __init__(self) -> None:
        self._made: dict[tuple[Any, ...], Any] = {}

    def remember(self, event: Event, name: object, make: Callable[[], T]) -> T:
        """What `make` makes of that event as it is, under that name."""
        key = (name, event.id, event.revision, event.sequence, event.updated_at, event.status)
        if key not in self._made:
            while len(self._made) >= MOST:
                self._made.pop(next(iter(self._made)), None)
            self._made[key] = make()
        made: T = self._made[key]
        return made

    def request(
        self, event: Event, registration: Registration, *, rsvp: str, status: str, stamp_at: datetime, **site: Any
    ) -> bytes:
        """The same bytes as `invitation.request` of the same arguments; `site` stands for the rest of them."""
        if not rules.has_page(event):  # its address is the person's own too
            return invitation.request(event, registration, rsvp=rsvp, status=status, stamp_at=stamp_at, **site)

        own = {b"DTSTAMP": f"DTSTAMP:{stamp_at.astimezone(UTC):%Y%m%dT%H%M%SZ}".encode()}
        if site["reply_address"]:
            own[b"ATTENDEE"] = _line("ATTENDEE", invitation.attendee(registration, rsvp))
            own[b"ORGANIZER"] = _line("ORGANIZER", invitation.organizer(event, registration, **site))

        def make() -> list[bytes]:
            whole = invitation.request(event, registration, rsvp=rsvp, status=status, stamp_at=stamp_at, **site)
            return _pieces(_LINES.split(whole), own.keys())

        pieces = self.remember(event, invitation.is_coming(event, rsvp, status), make)
        return b"\r\n".join([own.get(piece, piece) for piece in pieces])


def _pieces(lines: Iterable[bytes], own: Container[bytes]) -> list[bytes]:
    """The lines: the names of those that are each person's own, and what stands between them."""

    def own_name(line: bytes) -> bytes:
        name = _END_OF_NAME.split(line, 1)[0]
        return name if name in own else b""

    return [name or b"\r\n".join(between) for name, between in groupby(lines, key=own_name)]


def _line(name: str, value: vCalAddress) -> bytes:
    return folded_line(Contentline.from_parts(name, value.params, value).encode())
