"""How to subscribe, and what is kept of people."""

from dataclasses import dataclass, replace
from urllib.parse import quote, urlencode

from flask import current_app, render_template, request

from eventreg.calendar.feed import Selection
from eventreg.db import db
from eventreg.events import choices, revision
from eventreg.events.listing import EventFilter
from eventreg.web import display, page_cache, qr
from eventreg.web.moment import request_now
from eventreg.web.public import blueprint, filters

GOOGLE = "https://calendar.google.com/calendar/r"
OUTLOOK = "https://outlook.live.com/calendar/0/addfromweb"
OFFICE = "https://outlook.office.com/calendar/0/addfromweb"


@dataclass(frozen=True, slots=True)
class Feed:
    """One calendar to subscribe to, and the addresses that do it."""

    name: str
    https: str
    webcal: str
    google: str
    outlook: str
    office: str


@blueprint.get("/subscribe")
def subscribe_show() -> str:
    """Four ways to have the calendar in one's own: everything, a category, or any filter of the list."""
    now = request_now()
    page_cache.keep(revision.of_list(revision.counter(db.session())), since=now, until=None)
    asked = filters.read(request.args)
    known = choices.choices(db.session(), now=now)
    wanted = filters.only_known(replace(asked.wanted, past=False, page=1), known)
    feed = _feed(wanted, known)
    return render_template(
        "public/subscribe_show.html",
        feed=feed,
        wanted=wanted,
        filter_words=filters.words(wanted, known) if wanted != EventFilter(category=wanted.category) else [],
        categories=known.categories,
        problems=[*asked.problems, *filters.unknown(asked.wanted, known)],
        qr=qr.drawn(feed.webcal),
    )


@blueprint.get("/privacy")
def privacy_show() -> str:
    """What is kept of people, and why."""
    page_cache.keep(revision.ALWAYS, since=request_now(), until=None)
    return render_template("public/privacy_show.html")


def _feed(wanted: EventFilter, known: choices.Choices) -> Feed:
    zone = current_app.config["DEFAULT_TIMEZONE"]
    chosen = Selection(wanted.category, wanted.audience, wanted.q, wanted.from_on, wanted.to_on, zone)
    name = chosen.named(
        current_app.config["SITE_NAME"],
        category=next((choice.name for choice in known.categories if choice.key == wanted.category), ""),
        audience=next((choice.name for choice in known.audiences if choice.key == wanted.audience), ""),
    )
    https = display.absolute(f"/calendar.ics{chosen.query()}")
    webcal = "webcal" + https.removeprefix("https").removeprefix("http")
    by_web = urlencode({"url": https, "name": name}, quote_via=quote)
    return Feed(
        name=name,
        https=https,
        webcal=webcal,
        google=f"{GOOGLE}?{urlencode({'cid': webcal}, quote_via=quote)}",
        outlook=f"{OUTLOOK}?{by_web}",
        office=f"{OFFICE}?{by_web}",
    )
