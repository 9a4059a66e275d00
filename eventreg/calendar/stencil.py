"""One event's invitation for many people: written by icalendar once, then only the lines that are each person's own.

Three hundred confirmations of one event differ in their DTSTAMP, ATTENDEE and ORGANIZER; the rest takes longer to
write than all else of a mail.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from icalendar import vCalAddress
from icalendar.parser import Contentline

from eventreg.calendar import invitation
from eventreg.events import rules
from eventreg.events.models import Event
from eventreg.registrations.models import Registration

_OWN = (b"DTSTAMP", b"ATTENDEE", b"ORGANIZER")
_LINES = re.compile(rb"\r\n(?! )")
_NAME = re.compile(rb"[^:;]*")


@dataclass(frozen=True, slots=True)
class Stencils:
    """The invitations made so far. Good for as long as the events are as they were loaded: for one batch of mails."""

    _made: dict[tuple[int, bool], list[bytes]] = field(default_factory=dict)

    def request(
        self, event: Event, registration: Registration, *, rsvp: str, status: str, stamp_at: datetime, **site: Any
    ) -> bytes:
        """The same bytes as `invitation.request` of the same arguments; `site` stands for the rest of them."""
        if not rules.has_page(event):  # its address is the person's own too
            return invitation.request(event, registration, rsvp=rsvp, status=status, stamp_at=stamp_at, **site)
        key = (event.id, invitation.is_coming(event, rsvp, status))
        if key not in self._made:
            whole = invitation.request(event, registration, rsvp=rsvp, status=status, stamp_at=stamp_at, **site)
            self._made[key] = _LINES.split(whole)
        own = {b"DTSTAMP": f"DTSTAMP:{stamp_at.astimezone(UTC):%Y%m%dT%H%M%SZ}".encode()}
        if site["reply_address"]:
            own[b"ATTENDEE"] = _line("ATTENDEE", invitation.attendee(registration, rsvp))
            own[b"ORGANIZER"] = _line("ORGANIZER", invitation.organizer(event, registration, **site))
        return b"\r\n".join(own.get(_name(line), line) for line in self._made[key])


def _name(line: bytes) -> bytes:
    found = _NAME.match(line)
    return found[0] if found is not None else b""


def _line(name: str, value: vCalAddress) -> bytes:
    return bytes(Contentline.from_parts(name, value.params, value).to_ical())
