"""Reads each named file with PyPI's `ical`, Home Assistant's strict parser, from the tests' own environment.

Prints what it found as JSON, one object a file; exits 1 when `ical` refused one.
"""

import json
import sys
from datetime import datetime
from pathlib import Path

from ical.calendar_stream import CalendarStream


def moment(time):
    return time.strftime("%Y%m%dT%H%M%SZ") if isinstance(time, datetime) else time.strftime("%Y%m%d")


def entry(event):
    return {
        "uid": event.uid,
        "summary": event.summary,
        "start": moment(event.dtstart),
        "end": moment(event.dtend),
        "location": event.location,
        "description": event.description,
        "sequence": event.sequence,
        "status": event.status.value if event.status else None,
    }


def read(path):
    (calendar,) = CalendarStream.from_ics(Path(path).read_bytes().decode()).calendars
    if not calendar.prodid or not calendar.version:
        raise ValueError("has no PRODID or VERSION")
    return {"method": calendar.method, "events": [entry(event) for event in calendar.events]}


def tried(path):
    try:
        return read(path)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
        return {"error": f"{type(error).__name__}: {error}"[:500]}


found = [tried(path) for path in sys.argv[1:]]
print(json.dumps(found))  # noqa: T201
sys.exit(any("error" in one for one in found))
