"""An event as schema.org sees it (JSON-LD), for search engines. Holds no join link and no attendee."""

from typing import Any

from flask import current_app

from eventreg.events import wording
from eventreg.events.models import Event, Picture
from eventreg.events.rules import Door
from eventreg.web import display, markdown

SCHEMA = "https://schema.org/"


def event_data(event: Event, *, picture: Picture | None) -> dict[str, Any]:
    """The description, ready to be written as JSON."""
    page = display.absolute(f"/events/{event.slug}")
    data: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Event",
        "@id": page,
        "url": page,
        "name": event.title,
        "description": event.summary or markdown.plain(event.description),
        "startDate": display.iso_start(event),
        "endDate": display.iso_end(event),
        "eventStatus": SCHEMA + ("EventCancelled" if event.status == "cancelled" else "EventScheduled"),
        "eventAttendanceMode": SCHEMA + _mode(event),
        "location": _location(event, page),
        "organizer": {
            "@type": "Organization",
            "name": current_app.config["SITE_NAME"],
            "url": display.absolute("/"),
        },
    }
    if event.audience:
        data["audience"] = {"@type": "Audience", "audienceType": event.audience}
    if event.capacity is not None:
        found = display.availability(event)
        left = 0 if found.door is Door.WAITLIST else max(found.seats_left or 0, 0)
        data |= {"maximumAttendeeCapacity": event.capacity, "remainingAttendeeCapacity": left}
    if picture is not None:
        data["image"] = [display.absolute(f"/events/{event.slug}/picture-{picture.digest}.webp")]
    return data


def _mode(event: Event) -> str:
    has_place = bool(event.location_name or event.location_address)
    if event.online_url:
        return "MixedEventAttendanceMode" if has_place else "OnlineEventAttendanceMode"
    return "OfflineEventAttendanceMode"


def _location(event: Event, page: str) -> Any:
    """The place, the page in place of the join link, or both."""
    places: list[dict[str, Any]] = []
    if event.location_name or event.location_address or not event.online_url:
        place: dict[str, Any] = {"@type": "Place", "name": event.location_name or wording.place(event)}
        if event.location_address:
            place["address"] = event.location_address
        places.append(place)
    if event.online_url:
        places.append({"@type": "VirtualLocation", "url": page})
    return places[0] if len(places) == 1 else places
