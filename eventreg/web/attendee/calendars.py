"""Calendars behind private links: one registration's file, one person's feed, an organizer's feed."""

from flask import Response, current_app
from flask_babel import gettext as _

from eventreg.addresses import bare_address
from eventreg.calendar import desk_feed as desk
from eventreg.db import db
from eventreg.errors import NotFound
from eventreg.links import MANAGE, Links
from eventreg.registrations import queries
from eventreg.web import conditional
from eventreg.web.attendee import blueprint
from eventreg.web.calendar_files import FEED_TYPE, download
from eventreg.web.moment import request_now


@blueprint.get("/r/<token>.ics")
def registration_file(token: str) -> Response:
    """My calendar file for one event, with the join link once I am coming."""
    from eventreg.calendar import invitation  # noqa: PLC0415 - icalendar is large, and few ask

    links = _links()
    found = queries.by_link(db.session(), links.numbers(MANAGE, token, 2))
    if found is None:
        raise NotFound(_("This link does not open a registration. It may have been replaced by a newer one."))
    registration, event = found
    config = current_app.config
    content = invitation.own_file(
        event,
        registration,
        links=links,
        site_name=config["SITE_NAME"],
        contact_email=bare_address(config["CONTACT_EMAIL"]),
    )
    response = download(
        content,
        method=invitation.own_method(registration),
        slug=event.slug,
        title=event.title,
        last_modified=max(event.updated_at, registration.updated_at),
        cache_control=conditional.PRIVATE,
    )
    return conditional.only_for_its_owner(response)


@blueprint.get("/my/<token>.ics")
def personal_feed(token: str) -> Response:
    """My private feed: what I answered yes or maybe to, or wait for."""
    from eventreg.calendar import personal  # noqa: PLC0415 - as above

    links, now, site_name = _links(), request_now(), current_app.config["SITE_NAME"]
    email_key = personal.owner(db.session(), token, links=links)
    if email_key is None:
        raise NotFound(_("This calendar address is no longer in use. Your registration's page shows the new one."))
    source = links.absolute(f"/my/{token}.ics")
    facts = personal.facts(db.session(), email_key, now=now, source=source, site_name=site_name)
    response = conditional.answer(
        lambda: personal.build(
            personal.read(db.session(), email_key, now=now), links=links, source=source, site_name=site_name
        ),
        etag=facts.etag,
        last_modified=facts.last_modified,
        content_type=FEED_TYPE,
        cache_control=conditional.PRIVATE,
    )
    return conditional.only_for_its_owner(response)


@blueprint.get("/desk/<token>.ics")
def desk_feed(token: str) -> Response:
    """An organizer's feed: their events with the number of people coming."""
    links, now, site_name = _links(), request_now(), current_app.config["SITE_NAME"]
    organizer = desk.owner(db.session(), token, links=links)
    if organizer is None:
        raise NotFound(_("This calendar address is no longer in use. Your desk shows the new one."))
    source = links.absolute(f"/desk/{token}.ics")
    given = {"now": now, "source": source, "site_name": site_name}
    seen = desk.facts(desk.read(db.session(), organizer, now=now, with_blocks=False), **given)
    response = conditional.unchanged(
        etag=seen.etag, last_modified=seen.last_modified, cache_control=conditional.PRIVATE
    )
    if response is None:
        rows = desk.read(db.session(), organizer, now=now, with_blocks=True)
        found = desk.facts(rows, **given)
        response = conditional.fresh(
            desk.build(rows, links=links, source=source, site_name=site_name),
            etag=found.etag,
            last_modified=found.last_modified,
            content_type=FEED_TYPE,
            cache_control=conditional.PRIVATE,
        )
    return conditional.only_for_its_owner(response)


def _links() -> Links:
    links: Links = current_app.extensions["eventreg.links"]
    return links
