"""What every template can use: times and places in words, availability, addresses. Templates hold no arithmetic."""

from collections.abc import Callable, Collection
from datetime import UTC, date, datetime
from typing import Any

from flask import Flask, current_app, g, request
from flask_babel import get_locale
from flask_babel import gettext as _

from eventreg import mail, timezones
from eventreg.addresses import bare_address
from eventreg.events import rules, wording
from eventreg.events.models import Event
from eventreg.links import Links
from eventreg.web import calendar_links, covers, markdown
from eventreg.web.moment import request_now

DASH = "–"  # noqa: RUF001 - the en dash between hours is meant


def init_app(app: Flask) -> None:
    """Registers the filters and globals on the app's Jinja environment."""
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(FILTERS)
    app.jinja_env.globals.update(GLOBALS)
    app.jinja_env.globals.update(
        site_name=app.config["SITE_NAME"],
        contact_email=bare_address(app.config["CONTACT_EMAIL"]),
        default_timezone=app.config["DEFAULT_TIMEZONE"],
        mail_is_sent=mail.destination(app) == "server",
    )


def event_time(event: Event) -> str:
    """“Monday, October 19, 2026, 3:00-6:00 PM EDT”, with an en dash."""
    return wording.event_time(event, dash=DASH)


def event_hours(event: Event) -> str:
    """The hours, where a heading names the day."""
    return wording.event_hours(event, dash=DASH)


def note_held(event_ids: Collection[int]) -> None:
    """Says of which events on this page the free places are held for people who wait; see `registrations.held`."""
    g.held = event_ids


def availability(event: Event) -> rules.Availability:
    """Where registration stands at this request's instant."""
    return rules.availability(event, request_now(), seats_are_held=event.id in g.get("held", ()))


def status_line(event: Event) -> str:
    """What is left, now, in words."""
    return wording.status_words(availability(event), event)


def google_link(event: Event, join: bool = False) -> str:
    """Google Calendar, filled in; with the join link only on a registered person's own page."""
    return calendar_links.google(event, page=_page_of(event), join=join)


def outlook_link(event: Event, join: bool = False, office: bool = False) -> str:
    """Outlook, filled in, likewise."""
    return calendar_links.outlook(event, page=_page_of(event), join=join, office=office)


def _page_of(event: Event) -> str:
    """The event's page; where it has none for everybody, the page its reader is on, which is their own."""
    return absolute(f"/events/{event.slug}" if rules.has_page(event) else request.path)


def cover_src(event: Event) -> str:
    """Where the drawn cover is; inside the address itself while the event has no public page."""
    if event.status == "draft" or event.visibility == "private":
        return covers.data_uri(event.slug, event.category_key)
    return site_path(f"/events/{event.slug}/cover.svg?v={covers.version(event.slug, event.category_key)}")


def locale() -> str:
    """The page's language as an HTML `lang`."""
    return str(get_locale() or "en").replace("_", "-")


def iso(moment: datetime) -> str:
    """An instant for a `datetime` attribute: `2026-10-19T19:00:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_start(event: Event) -> str:
    """The beginning for a `datetime` attribute or schema.org: with offset, or a bare date for all-day events."""
    if event.all_day:
        return wording.first_day(event).isoformat()
    return event.starts_at.astimezone(timezones.zone(event.timezone)).isoformat(timespec="seconds")


def iso_end(event: Event) -> str:
    """The end, likewise; an all-day event's last day, inclusive as schema.org wants it."""
    if event.all_day:
        return wording.last_day(event).isoformat()
    return event.ends_at.astimezone(timezones.zone(event.timezone)).isoformat(timespec="seconds")


def time_attributes(event: Event, style: str) -> dict[str, str]:
    """The attributes of an event's `<time>`. `style` is "long" or "short": how the script words “your time”."""
    attributes = {"datetime": iso_start(event)}
    if not event.all_day:
        attributes |= {
            "data-starts": iso(event.starts_at),
            "data-ends": iso(event.ends_at),
            "data-zone": event.timezone,
            "data-style": style,
            "data-your-time": _("Your time: {time}"),
        }
    return attributes


def date_parts(day: date) -> dict[str, Any]:
    """Month, day and weekday for the date block."""
    return {"month": wording.day_part(day, "LLL"), "day": day.day, "weekday": wording.day_part(day, "EEE")}


def site_path(path: str) -> str:
    """A path of this site below whatever prefix it is mounted on; `path` begins with a slash."""
    return request.script_root + path


def absolute(path: str = "/") -> str:
    """An absolute address made of BASE_URL, never of the Host header."""
    links: Links = current_app.extensions["eventreg.links"]
    return links.absolute(path)


FILTERS: dict[str, Callable[..., Any]] = {
    "event_time": event_time,
    "event_hours": event_hours,
    "time_on": wording.time_on,
    "instant": wording.instant,
    "short_instant": wording.short_instant,
    "full_day": wording.full_day,
    "short_day": wording.short_day,
    "month_name": wording.month_name,
    "first_day": wording.first_day,
    "last_day": wording.last_day,
    "iso": iso,
    "iso_start": iso_start,
    "iso_end": iso_end,
    "place": wording.place,
    "short_place": wording.short_place,
    "audience": wording.audience,
    "markdown": markdown.render,
    "plain": markdown.plain,
    "date_parts": date_parts,
}
GLOBALS: dict[str, Callable[..., Any]] = {
    "availability": availability,
    "status_line": status_line,
    "google_link": google_link,
    "outlook_link": outlook_link,
    "cover_src": cover_src,
    "map_url": wording.map_address,
    "locale": locale,
    "time_attributes": time_attributes,
    "seat_words": wording.seat_words,
    "closing_words": wording.closing_words,
    "site_path": site_path,
    "absolute": absolute,
}
