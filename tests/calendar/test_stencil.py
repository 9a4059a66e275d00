from datetime import timedelta
from typing import Any

import pytest

from eventreg.calendar import invitation
from eventreg.calendar.stencil import Stencils
from tests.support.calendars import LINKS, MAILBOX, SITE, STAMP, amira, celebration

HOSTILE = 'Zoë "李", <b>;:\\ \r\nATTENDEE:mailto:evil@example.org\nDTSTAMP:1 ' + "é" * 80
PEOPLE: list[dict[str, Any]] = [
    {"id": 7},
    {"id": 8, "name": "Wim de Wit", "email": "wim@example.org", "rsvp": "maybe"},
    {"id": 9, "name": HOSTILE, "email": "zoë.long-address-that-makes-the-line-fold@a-long-host-name.example.org"},
    {"id": 10, "name": "", "email": "x'y+z=%@example.org", "link_generation": 300},
    {"id": 11, "entry_id": 8, "rsvp": "maybe"},
]
EVENTS: list[dict[str, Any]] = [
    {"online_url": "https://meet.example.org/j/1", "directions": "Door B"},
    {"title": HOSTILE, "description": HOSTILE, "location_name": HOSTILE, "contact_email": ""},
    {"all_day": True, "visibility": "unlisted", "category": ""},
    {"visibility": "private", "online_url": "https://meet.example.org/j/1"},
]


@pytest.mark.parametrize("reply_address", [MAILBOX, "Answers <rsvp@bücher.example>", None])
def test_everybodys_invitation_is_byte_for_byte_the_one_written_alone(reply_address: str | None) -> None:
    stencils = Stencils()
    for number, given in enumerate(EVENTS):
        event = celebration(id=number, **given)
        for seconds, person in enumerate(map(dict, PEOPLE)):
            registration = amira(**person)
            options: dict[str, Any] = {
                "rsvp": registration.rsvp,
                "status": "confirmed",
                "stamp_at": STAMP + timedelta(seconds=seconds),
                "links": LINKS,
                "reply_address": reply_address,
                **SITE,
            }
            made = stencils.request(event, registration, **options)
            assert made == invitation.request(event, registration, **options)
