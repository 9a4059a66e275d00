"""The attendee list: search, filter, sort, and a page at a time."""

from dataclasses import asdict, replace

from flask import render_template, request

from eventreg import text
from eventreg.db import db
from eventreg.events.models import Event
from eventreg.organizers import access
from eventreg.outbox import queries as outbox
from eventreg.registrations import queries
from eventreg.registrations.queries import AttendeeFilter
from eventreg.web.access import event_door, me
from eventreg.web.moment import request_now
from eventreg.web.organizer import blueprint, mail_words, words
from eventreg.web.organizer.actions import mail_is_sent
from eventreg.web.organizer.dashboard import edge, page_number

LONGEST_SEARCH = 200
PLAIN = AttendeeFilter()


@blueprint.get("/events/<slug>/attendees")
@event_door
def attendee_list(event: Event) -> str:
    """Who answered what; for a door helper, who is coming and how many they are."""
    if not access.can_edit(me(), event):
        return _door_list(event)
    session = db.session()
    filters = asked_filter()
    found = queries.attendees(session, event.id, filters)
    mails = outbox.latest_for(session, [row.id for row in found.rows])
    return render_template(
        "organizer/attendee_list.html",
        event=event,
        status=words.status_of_event(event, request_now()),
        filters=filters,
        found=found,
        counts=queries.counts(session, [event.id]).get(event.id, queries.Counts()),
        groups=words.groups(),
        group_of=queries.group,
        mail_of={row.id: mail_words.mail_state(mails.get(row.id), event, is_sent=mail_is_sent()) for row in found.rows},
        query_for=query_for,
    )


def _door_list(event: Event) -> str:
    session = db.session()
    filters = replace(asked_filter(), q="", status="attending", sort="name", direction="asc")
    return render_template(
        "organizer/door_attendee_list.html",
        event=event,
        found=queries.attendees(session, event.id, filters),
        coming=queries.counts(session, [event.id]).get(event.id, queries.Counts()).attending,
    )


def asked_filter() -> AttendeeFilter:
    """The filter in the address; an unknown status fits nobody, an unknown order is the usual one."""
    args = request.args
    return AttendeeFilter(
        q=text.beginning(args.get("q"), most=LONGEST_SEARCH),
        status=text.beginning(args.get("status"), most=LONGEST_SEARCH),
        sort=args.get("sort", "") if args.get("sort") in queries.SORTS else PLAIN.sort,
        direction="desc" if args.get("direction") == "desc" else "asc",
        page=page_number(),
        after=edge("after"),
        before=edge("before"),
    )


def query_for(filters: AttendeeFilter, **changes: object) -> dict[str, object]:
    """The filter as the address says it, with some of it changed; what is as usual is left out, and where one is.

    >>> query_for(AttendeeFilter(q="zoe", page=3, after=7), sort="name")
    {'q': 'zoe', 'sort': 'name'}
    """
    wanted = asdict(replace(filters, **{"page": 1, "after": None, "before": None} | changes))  # type: ignore[arg-type]
    usual = asdict(PLAIN)
    return {name: value for name, value in wanted.items() if value != usual[name]}
