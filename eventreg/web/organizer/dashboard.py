"""The desk's first page: my events with their numbers."""

from flask import render_template, request

from eventreg import text
from eventreg.db import db
from eventreg.events import desk
from eventreg.events.matching import LONGEST_SEARCH
from eventreg.organizers import access
from eventreg.registrations import queries
from eventreg.web.access import me, signed_in
from eventreg.web.moment import request_now
from eventreg.web.organizer import blueprint, feed, words
from eventreg.web.organizer.people import LARGEST_ID


@blueprint.get("/")
@signed_in
def event_list() -> str:
    """Upcoming events, or past ones behind their tab. A door helper sees what is published, of everybody."""
    runs_events = access.can_organize(me())
    everybody = access.is_admin(me()) or not runs_events
    filters = desk.DeskFilter(
        organizer_id=None if everybody else me().id,
        past=request.args.get("when") == "past",
        published_only=not runs_events,
        q=text.beginning(request.args.get("q"), most=LONGEST_SEARCH),
        page=page_number(),
        after=edge("after"),
        before=edge("before"),
    )
    session = db.session()
    found = desk.page_of(session, filters, now=request_now())
    return render_template(
        "organizer/event_list.html" if runs_events else "organizer/door_event_list.html",
        filters=filters,
        found=found,
        counts=queries.counts(session, [event.id for event in found.rows]) if runs_events and found.rows else {},
        nothing=queries.Counts(),
        status_of=words.status_of_event,
        now=request_now(),
        feed=feed.address() if runs_events else "",
    )


@blueprint.get("/signed-in")
@signed_in
def signed_in_again() -> str:
    """Where sign-in leads from a page that keeps what was typed: that page is still open in another tab."""
    return render_template("organizer/signed_in.html")


def page_number() -> int:
    """`?page=` as a number; 1 for anything else."""
    given = request.args.get("page", "1")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 7 else 1  # noqa: PLR2004


def edge(name: str) -> int | None:
    """The id in `?after=` or `?before=`, which links to the page beside carry; None for anything else."""
    given = request.args.get(name, "")
    is_id = given.isascii() and given.isdigit() and len(given) <= len(str(LARGEST_ID)) and int(given) < LARGEST_ID
    return int(given) if is_id else None
