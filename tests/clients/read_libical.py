"""Reads each named file with libical, which Evolution, KDE and Thunderbird's own backend are built on.

Runs with the system's Python, to which Debian gives libical (python3-gi, gir1.2-ical-3.0). Prints what it found as
JSON, one object a file; exits 1 when libical refused one.
"""

import json
import sys
from pathlib import Path

import gi

gi.require_version("ICalGLib", "3.0")
from gi.repository import ICalGLib  # noqa: E402


def entry(event):
    status = event.get_first_property(ICalGLib.PropertyKind.STATUS_PROPERTY)
    return {
        "uid": event.get_uid(),
        "summary": event.get_summary(),
        "start": event.get_dtstart().as_ical_string(),
        "end": event.get_dtend().as_ical_string(),
        "location": event.get_location(),
        "description": event.get_description(),
        "sequence": event.get_sequence(),
        "status": status.get_value().as_ical_string() if status else None,
    }


def text_of(prop):
    return prop.get_value().as_ical_string() if prop else None


def read(path):
    calendar = ICalGLib.Component.new_from_string(Path(path).read_bytes().decode())
    if calendar is None:
        raise ValueError("is nothing libical can read")
    if calendar.isa() != ICalGLib.ComponentKind.VCALENDAR_COMPONENT:
        raise ValueError("is no calendar")
    # Restrictions are those of RFC 5546 for its METHOD; what breaks one is marked in the calendar itself.
    is_allowed = calendar.check_restrictions()
    written = calendar.as_ical_string()
    if not is_allowed or calendar.count_errors() or "X-LIC-ERROR" in written:
        raise ValueError(next((line for line in written.splitlines() if "X-LIC-ERROR" in line), "breaks a restriction"))
    events, event = [], calendar.get_first_component(ICalGLib.ComponentKind.VEVENT_COMPONENT)
    while event is not None:
        events.append(entry(event))
        event = calendar.get_next_component(ICalGLib.ComponentKind.VEVENT_COMPONENT)
    return {
        "method": text_of(calendar.get_first_property(ICalGLib.PropertyKind.METHOD_PROPERTY)),
        "events": events,
    }


def tried(path):
    try:
        return read(path)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
        return {"error": f"{type(error).__name__}: {error}"}


found = [tried(path) for path in sys.argv[1:]]
print(json.dumps(found))  # noqa: T201
sys.exit(any("error" in one for one in found))
