"""Links that open an event in somebody's web calendar. The addresses are the vendors' own."""

from datetime import UTC, timedelta
from urllib.parse import quote, urlencode

from eventreg.events import wording
from eventreg.events.models import Event

GOOGLE = "https://calendar.google.com/calendar/render"
OUTLOOK = "https://outlook.live.com/calendar/0/deeplink/compose"
OFFICE = "https://outlook.office.com/calendar/0/deeplink/compose"


def google(event: Event, *, page: str, join: bool = False) -> str:
    """Google Calendar's “new event” page, filled in. `page` is the absolute address of the event."""
    if event.all_day:
        end = wording.last_day(event) + timedelta(days=1)
        dates = f"{wording.first_day(event):%Y%m%d}/{end:%Y%m%d}"
    else:
        dates = "/".join(
            moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ") for moment in (event.starts_at, event.ends_at)
        )
    query = {
        "action": "TEMPLATE",
        "text": event.title,
        "dates": dates,
        "details": page,
        "location": _where(event, join),
    }
    return f"{GOOGLE}?{urlencode(query, quote_via=quote)}"


def outlook(event: Event, *, page: str, join: bool = False, office: bool = False) -> str:
    """Outlook's “new event” page, filled in, for private (outlook.com) or work accounts (Microsoft 365)."""
    query = {
        "path": "/calendar/action/compose",
        "rru": "addevent",
        "subject": event.title,
        "body": page,
        "location": _where(event, join),
    }
    if event.all_day:
        end = wording.last_day(event) + timedelta(days=1)
        query |= {"allday": "true", "startdt": wording.first_day(event).isoformat(), "enddt": end.isoformat()}
    else:
        starts, ends = (
            moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for moment in (event.starts_at, event.ends_at)
        )
        query |= {"startdt": starts, "enddt": ends}
    return f"{OFFICE if office else OUTLOOK}?{urlencode(query, quote_via=quote)}"


def _where(event: Event, join: bool) -> str:
    if join and event.online_url:
        spot = ", ".join(part for part in (event.location_name, event.location_address) if part)
        return f"{spot} {event.online_url}".strip()
    return wording.place(event)
