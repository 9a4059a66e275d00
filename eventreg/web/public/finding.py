"""The list and the months."""

import calendar
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from flask import Response as FlaskResponse
from flask import abort, current_app, make_response, redirect, render_template, request, url_for
from flask_babel import get_locale
from werkzeug.wrappers import Response

from eventreg import timezones
from eventreg.db import db
from eventreg.events import choices, listing, revision, rules, wording
from eventreg.events.listing import EventFilter
from eventreg.events.models import Event
from eventreg.registrations import held
from eventreg.web import display, page_cache
from eventreg.web.moment import request_now
from eventreg.web.public import blueprint, filters

TITLES_A_DAY = 3
MONTHS_BEYOND = 2
"""Empty months that links lead to after the last event."""
ROWS_A_MONTH = 100
"""How many rows the phone's form of a month shows before it sends on to the list."""


@dataclass(frozen=True, slots=True)
class Day:
    """A square of a month: its date, its events by id, and where it stands."""

    on: date
    ids: list[int]
    is_outside: bool
    is_today: bool

    @property
    def shown(self) -> list[int]:
        """As many as a square holds."""
        return self.ids[:TITLES_A_DAY]

    @property
    def more(self) -> int:
        """How many it does not."""
        return len(self.ids) - len(self.shown)


@blueprint.get("/")
@blueprint.get("/events/")
def event_list() -> FlaskResponse:
    """Upcoming events, or what the filters ask for."""
    now, zone = request_now(), _zone()
    wanted, unread = _asked()
    ground = listing.ground(db.session(), now=now)
    known = choices.choices(db.session(), now=now)
    after, before = (listing.Place.read(request.args.get(name, "")) for name in ("after", "before"))
    page = listing.find(db.session(), wanted, now=now, timezone=zone, after=after, before=before)
    _keep(ground.counted, page.events, ground.next_end)
    today = timezones.local_date(now, zone)
    first = _month_beside(wanted, page.events, today)
    html = render_template(
        "public/event_list.html",
        wanted=wanted,
        known=known,
        problems=[*unread, *filters.unknown(wanted, known)],
        page=page,
        groups=_groups(page.events, wanted),
        today=today,
        first=first,
        weeks=_weeks(wanted, first),
        weekdays=_weekdays(),
        **_words(wanted, known),
    )
    return _for_robots(html, is_indexed=not wanted.is_narrowed and page.number == 1)


@blueprint.get("/calendar")
def month_now() -> Response:
    """On to the present month, filters and all."""
    today = timezones.local_date(request_now(), _zone())
    query = filters.query(_asked()[0], from_on=None, to_on=None, past=False, page=1)
    values: dict[str, Any] = {"year": today.year, "month": today.month, **query}
    return redirect(url_for("public.month_show", **values))


@blueprint.get("/calendar/<int(fixed_digits=4):year>/<int(fixed_digits=2):month>")
def month_show(year: int, month: int) -> FlaskResponse:
    """A month as a table, and as the list of that month where the window is narrow.

    Search engines keep only months that show something, and no link leads far beyond the first and last event.
    """
    if not (filters.FIRST_YEAR <= year <= filters.LAST_YEAR and 1 <= month <= len(calendar.month_name) - 1):
        abort(404)
    now = request_now()
    asked, problems = _asked()
    wanted = replace(asked, from_on=None, to_on=None, past=False, page=1)
    ground = listing.ground(db.session(), now=now)
    known = choices.choices(db.session(), now=now)
    first = date(year, month, 1)
    weeks = _weeks(wanted, first)
    days = [day for week in weeks for day in week if day.ids and not day.is_outside]
    listed_days = _listed(days)
    with_seats = {event_id for day in listed_days for event_id in day.ids}
    events = listing.load(db.session(), with_seats.union(*(day.shown for day in days)))
    _keep(ground.counted, [events[event_id] for event_id in with_seats & events.keys()], ground.next_end)
    lowest, highest = _bounds(ground, timezones.local_date(now, _zone()))
    is_indexed = bool(days) and not wanted.is_narrowed
    page = render_template(
        "public/month_show.html",
        wanted=wanted,
        known=known,
        problems=[*problems, *filters.unknown(wanted, known)],
        first=first,
        last=listing.month_end(first),
        earlier=_neighbour(first, -1) if first > lowest else None,
        later=_neighbour(first, 32) if first < highest else None,
        is_indexed=is_indexed,
        today=timezones.local_date(now, _zone()),
        weeks=weeks,
        weekdays=_weekdays(),
        events=events,
        listed_days=listed_days,
        has_more=len(listed_days) < len(days),
        total=len({event_id for day in days for event_id in day.ids}),
        **_words(wanted, known),
    )
    return _for_robots(page, is_indexed=is_indexed)


def _for_robots(page: str, *, is_indexed: bool) -> FlaskResponse:
    """A page that search engines are told not to keep, in its header too."""
    response = make_response(page)
    if not is_indexed:
        response.headers["X-Robots-Tag"] = "noindex"
    return response


def _bounds(ground: listing.Ground, today: date) -> tuple[date, date]:
    """The first and last month that links lead to: as far as there are events, this month, and a little further."""
    zone = _zone()
    first = today if ground.first_start is None else min(today, timezones.local_date(ground.first_start, zone))
    last = today if ground.last_end is None else max(today, timezones.local_date(ground.last_end, zone))
    months = last.year * 12 + last.month - 1 + MONTHS_BEYOND
    return first.replace(day=1), date(min(months // 12, date.max.year), months % 12 + 1, 1)


def _keep(counted: int, shown: Iterable[Event], next_end: datetime | None) -> None:
    """Good until an event changes, one shown gets another seat count, any listed one ends, or the day does."""
    now, zone = request_now(), _zone()
    shown = list(shown)
    moments = [next_end, *(rules.next_change(event, now) for event in shown)]
    midnight = timezones.day_start(timezones.local_date(now, zone) + timedelta(days=1), zone)
    seats_held = held.among(db.session(), shown)
    display.note_held(seats_held)
    facts = revision.of_list(counted, ((event.id, event.seats_taken) for event in shown))
    page_cache.keep(
        held.noted(facts, shown, seats_held),
        since=now,
        until=min([midnight, *(moment for moment in moments if moment is not None)]),
    )


def _asked() -> tuple[EventFilter, tuple[str, ...]]:
    asked = filters.read(request.args)
    return asked.wanted, asked.problems


def _zone() -> str:
    zone: str = current_app.config["DEFAULT_TIMEZONE"]
    return zone


def _words(wanted: EventFilter, known: choices.Choices) -> dict[str, Any]:
    return {
        "filter_words": filters.words(wanted, known),
        "looser": filters.looser(wanted),
        "query": filters.query,
        "link_to": filters.link_to,
        "categories": filters.offered(known.categories, wanted.category, past=wanted.past),
        "audiences": filters.offered(known.audiences, wanted.audience, past=wanted.past),
    }


def _month_beside(wanted: EventFilter, events: Iterable[Event], today: date) -> date:
    """The first of the month that stands beside the list: the one asked for, or where its first row is."""
    day = next(map(wording.first_day, events), today)
    if not wanted.past:
        day = max(day, today)
    return (wanted.from_on or day).replace(day=1)


def _groups(events: Any, wanted: EventFilter) -> list[tuple[date | None, list[Event]]]:
    """The rows under their days, in the order found; what began before today comes first, under no day."""
    today = timezones.local_date(request_now(), _zone())
    groups: dict[date | None, list[Event]] = {}
    for event in events:
        day: date | None = wording.first_day(event)
        if day is not None and day < today and wording.last_day(event) >= today and not wanted.past:
            day = None
        groups.setdefault(day, []).append(event)
    return sorted(groups.items(), key=lambda group: group[0] or date.min, reverse=wanted.past)


def _weeks(wanted: EventFilter, first: date) -> list[list[Day]]:
    """The month in weeks, beginning as the reader's language has it. One statement."""
    now, zone = request_now(), _zone()
    busy = listing.month(db.session(), wanted, first=first, now=now, timezone=zone)
    today = timezones.local_date(now, zone)
    grid = calendar.Calendar(_first_weekday()).monthdatescalendar(first.year, first.month)
    return [[Day(on, busy.get(on, []), on.month != first.month, on == today) for on in week] for week in grid]


def _weekdays() -> list[dict[str, str]]:
    """Short and full names of the days of a week, in order."""
    monday = date(2024, 1, 1)
    days = [monday + timedelta(days=(_first_weekday() + index) % 7) for index in range(7)]
    return [{"short": wording.day_part(day, "EEE"), "full": wording.day_part(day, "EEEE")} for day in days]


def _first_weekday() -> int:
    locale = get_locale()
    # Plain "en" names no country; the week of the site's English begins on Sunday.
    if locale is None or locale.language == "en":
        return 6
    weekday: int = locale.first_week_day
    return weekday


def _neighbour(first: date, days: int) -> date | None:
    """The first of the month before or after; None at the edge of what is shown."""
    other = (first + timedelta(days=days)).replace(day=1)
    return other if filters.FIRST_YEAR <= other.year <= filters.LAST_YEAR else None


def _listed(days: list[Day]) -> list[Day]:
    """The days whose rows fit. An event of several days stands on each of them."""
    rows = 0
    shown: list[Day] = []
    for day in days:
        rows += len(day.ids)
        if rows > ROWS_A_MONTH:
            break
        shown.append(day)
    return shown
