"""One event at the desk: its facts, its numbers, what can be done with it, and its history."""

from collections.abc import Iterable, Sequence

from flask import render_template, request

from eventreg.audit import AuditEntry, history
from eventreg.db import db
from eventreg.events.models import Event
from eventreg.incoming import review
from eventreg.outbox import queries as outbox
from eventreg.registrations import answered, outgrown, queries
from eventreg.registrations.models import Registration
from eventreg.web.access import event_editor
from eventreg.web.moment import request_now
from eventreg.web.organizer import blueprint, mail_words, words

ON_OVERVIEW = 8
NAMED = 10
PER_PAGE = 50


@blueprint.get("/events/<slug>")
@event_editor
def event_show(event: Event) -> str:
    """The overview."""
    session = db.session()
    not_reached = outbox.not_reached(session, event.id)
    newest = history.of_event(session, event.id, limit=ON_OVERVIEW + 1)
    counts = queries.counts(session, [event.id]).get(event.id, queries.Counts())
    return render_template(
        "organizer/event_show.html",
        event=event,
        counts=counts,
        groups=words.groups(),
        status=words.status_of_event(event, request_now()),
        is_over=event.ends_at <= request_now(),
        visibility=words.visibilities()[event.visibility],
        not_reached=not_reached[:NAMED],
        not_reached_count=len(not_reached),
        name_of=queries.names_of(session, not_reached[:NAMED]),
        reminder=mail_words.reminder(event, request_now()),
        history=words.history(newest[:ON_OVERVIEW], event, names(newest), labels(newest)),
        has_more=len(newest) > ON_OVERVIEW,
        to_review=review.count(session, event.id),
        outgrown=_outgrown(event, counts),
    )


def _outgrown(event: Event, counts: queries.Counts) -> Sequence[Registration]:
    """Parties larger than the event, whose turn never comes; looked for only where somebody waits or asks."""
    if event.status == "cancelled" or event.ends_at <= request_now() or not (counts.waitlisted or counts.pending):
        return []
    return outgrown.of_event(db.session(), event, most=NAMED)


@blueprint.get("/events/<slug>/history")
@event_editor
def event_history(event: Event) -> str:
    """Everything, newest first, a page at a time."""
    before = request.args.get("before", "")
    entries = history.of_event(
        db.session(),
        event.id,
        limit=PER_PAGE + 1,
        before_id=int(before) if before.isascii() and before.isdigit() and len(before) < 10 else None,  # noqa: PLR2004
    )
    return render_template(
        "organizer/event_history.html",
        event=event,
        status=words.status_of_event(event, request_now()),
        history=words.history(entries[:PER_PAGE], event, names(entries), labels(entries)),
        has_more=len(entries) > PER_PAGE,
    )


def names(entries: Iterable[AuditEntry]) -> dict[int, str]:
    """Who the entries speak of, by registration id, in one statement."""
    ids = {entry.registration_id for entry in entries if entry.registration_id is not None}
    return queries.names_of(db.session(), ids) if ids else {}


def labels(entries: Iterable[AuditEntry]) -> dict[int, str]:
    """The words of questions that older entries name by their id alone."""
    return answered.labels_of(db.session(), answered.unnamed(name for entry in entries for name in entry.changes))
