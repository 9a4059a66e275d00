"""What calendar programs, feed readers and search engines fetch. None of it sets a cookie or asks who is there."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

from flask import Response, current_app, request
from flask_babel import gettext as _

from eventreg.addresses import bare_address
from eventreg.calendar import atom, entry_text, feed
from eventreg.db import db
from eventreg.errors import NotFound
from eventreg.events import queries, revision
from eventreg.links import Links
from eventreg.text import beginning
from eventreg.web import conditional, page_cache
from eventreg.web.calendar_files import FEED_TYPE, download
from eventreg.web.moment import request_now
from eventreg.web.public import blueprint, filters

SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
SITEMAP_LIMIT = 50_000
"""Addresses in one file, by the sitemap protocol."""
LONGEST_FILTER = 200
"""Characters of a filter that are read; nobody searches for more."""


@blueprint.get("/calendar.ics")
def calendar_feed() -> Response:
    """The public calendar, whole or of one category, to subscribe to."""
    chosen, now = _selection(), request_now()
    _keep_for_today(now)
    found = feed.read(db.session(), chosen, now=now)
    return _filtered(
        feed.build(found, chosen, links=_links(), site_name=current_app.config["SITE_NAME"]),
        last_modified=found.last_modified,
        content_type=FEED_TYPE,
        cache_control=conditional.PUBLIC,
    )


@blueprint.get("/events/<slug>.ics")
def event_file(slug: str) -> Response:
    """One event as a calendar file; an unlisted one too, at its own address."""
    event = queries.open_to_public(db.session(), slug)
    if event is None:
        raise NotFound(_("There is no such event."))
    page_cache.keep(revision.of_event(event), since=request_now(), until=None)
    config = current_app.config
    content = entry_text.event_file(
        event, links=_links(), site_name=config["SITE_NAME"], contact_email=bare_address(config["CONTACT_EMAIL"])
    )
    response = download(
        content,
        method="PUBLISH",
        slug=event.slug,
        title=event.title,
        last_modified=event.updated_at,
        cache_control=conditional.PUBLIC,
    )
    if event.visibility != "public":
        response.headers["X-Robots-Tag"] = "noindex"
    return response


@blueprint.get("/feed.atom")
def atom_feed() -> Response:
    """The newest announcements for feed readers."""
    chosen, now = _selection(), request_now()
    _keep_for_today(now)
    events = atom.read(db.session(), chosen, now=now)
    return _filtered(
        atom.build(events, chosen, links=_links(), site_name=current_app.config["SITE_NAME"]),
        last_modified=feed.last_modified(db.session(), now=now),
        content_type="application/atom+xml; charset=utf-8",
        cache_control=conditional.PUBLIC,
    )


def _filtered(content: bytes, **headers: Any) -> Response:
    """A feed; search engines keep the whole one and none of its endless selections."""
    response = conditional.fresh(content, **headers)
    if request.args:
        response.headers["X-Robots-Tag"] = "noindex"
    return response


@blueprint.get("/robots.txt")
def robots() -> Response:
    """What crawlers may fetch. Calendars behind private links stay allowed: Google Calendar asks this file first."""
    base = urlsplit(_links().base_url).path
    lines = ["User-agent: *"]
    lines += [f"Disallow: {base}{path}" for path in ("/organize/", "/auth/", "/api/")]
    lines += ["", f"Sitemap: {_links().absolute('/sitemap.xml')}", ""]
    return Response("\n".join(lines), content_type="text/plain; charset=utf-8")


@blueprint.get("/sitemap.xml")
def sitemap() -> Response:
    """Every public event's address."""
    now = request_now()
    page_cache.keep(revision.of_list(revision.counter(db.session())), since=now, until=None)
    return conditional.fresh(
        _sitemap(_links()),
        last_modified=feed.last_modified(db.session(), now=now),
        content_type="application/xml; charset=utf-8",
        cache_control=conditional.PUBLIC,
    )


def _sitemap(links: Links) -> bytes:
    root = ET.Element("urlset", xmlns=SITEMAP)
    ET.SubElement(ET.SubElement(root, "url"), "loc").text = links.absolute("/events/")
    for slug, updated_at in queries.listed_addresses(db.session(), limit=SITEMAP_LIMIT - 1):
        url = ET.SubElement(root, "url")
        ET.SubElement(url, "loc").text = links.event(slug)
        ET.SubElement(url, "lastmod").text = updated_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _keep_for_today(now: datetime) -> None:
    """The window moves by whole UTC days; seats are in no feed."""
    facts = revision.of_list(revision.counter(db.session()))
    page_cache.keep(facts, since=now, until=feed.day_of(now) + timedelta(days=1))


def _selection() -> feed.Selection:
    args, wanted = request.args, filters.read(request.args).wanted
    named = {name: beginning(args.get(name), most=LONGEST_FILTER) for name in ("category", "audience", "q")}
    zone = current_app.config["DEFAULT_TIMEZONE"]
    return feed.Selection(**named, from_on=wanted.from_on, to_on=wanted.to_on, timezone=zone)


def _links() -> Links:
    links: Links = current_app.extensions["eventreg.links"]
    return links
