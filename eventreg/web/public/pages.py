"""How to subscribe, and what is kept of people."""

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from flask import current_app, render_template, request
from flask_babel import gettext as _

from eventreg.db import db
from eventreg.events import listing
from eventreg.events.search import name_key
from eventreg.web import display, qr
from eventreg.web.cleaning import line
from eventreg.web.moment import request_now
from eventreg.web.public import blueprint

GOOGLE = "https://calendar.google.com/calendar/r"
OUTLOOK = "https://outlook.live.com/calendar/0/addfromweb"
OFFICE = "https://outlook.office.com/calendar/0/addfromweb"


@dataclass(frozen=True, slots=True)
class Feed:
    """One calendar to subscribe to, and the addresses that do it. `key` is empty for the whole calendar."""

    key: str
    name: str
    https: str
    webcal: str
    google: str
    outlook: str
    office: str


@blueprint.get("/subscribe")
def subscribe_show() -> str:
    """Four ways to have the calendar in one's own, for everything or a category."""
    asked = name_key(line(request.args.get("category")))[:60]
    known = listing.categories(db.session(), now=request_now())
    chosen = next((choice for choice in known if choice.key == asked), None)
    feed = _feed(chosen.key, chosen.name) if chosen else _feed("", "")
    return render_template(
        "public/subscribe_show.html",
        feed=feed,
        categories=known,
        unknown=asked if asked and chosen is None else "",
        qr=qr.drawn(feed.webcal),
    )


@blueprint.get("/privacy")
def privacy_show() -> str:
    """What is kept of people, and why."""
    return render_template("public/privacy_show.html")


def _feed(key: str, category: str) -> Feed:
    site = current_app.config["SITE_NAME"]
    name = _("%(site)s: %(category)s", site=site, category=category) if category else site
    https = display.absolute("/calendar.ics") + (f"?{urlencode({'category': key}, quote_via=quote)}" if key else "")
    webcal = "webcal" + https.removeprefix("https").removeprefix("http")
    by_web = urlencode({"url": https, "name": name}, quote_via=quote)
    return Feed(
        key=key,
        name=name,
        https=https,
        webcal=webcal,
        google=f"{GOOGLE}?{urlencode({'cid': webcal}, quote_via=quote)}",
        outlook=f"{OUTLOOK}?{by_web}",
        office=f"{OFFICE}?{by_web}",
    )
