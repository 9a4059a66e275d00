"""What changes events past their objects would leave kept pages as they were; see `eventreg/events/revision.py`."""

import re
from pathlib import Path

import eventreg

ROOT = Path(eventreg.__file__).parent
ALLOWED = {
    "registrations/reminders.py",  # when reminders fall due, which no page shows
    "demo/loading.py",  # reminders that fell due before it was there, which no page shows either
    "registrations/seats.py",  # seats, which every page asks for by themselves
    "events/first_question.py",  # of events made in the same transaction, of which no page is kept
    "events/revision.py",  # the revision itself
    "calendar/blocks.py",  # entries, whose digest every page asks for, and which notes the change
}


def test_events_are_changed_through_their_objects() -> None:
    bulk = re.compile(r"\b(?:update|insert|delete)\(\s*(?:Event|Picture|Question|_EVENTS)\b|UPDATE events\b")
    found = {
        str(file.relative_to(ROOT))
        for file in ROOT.rglob("*.py")
        if "migrations" not in file.parts and bulk.search(file.read_text())
    }
    assert found == ALLOWED
