"""Events that were written somewhere else, taken as drafts of an organizer.

They are brought up to date as long as nobody has touched them here. What they are comes as plain values; who read
them from what bytes is not asked.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from eventreg import audit
from eventreg.audit import AuditEntry
from eventreg.errors import InvalidField
from eventreg.events import search, service
from eventreg.events.models import Event
from eventreg.events.service import Changes, Draft, _apply, _new
from eventreg.events.values import EventValues, check, columns

LARGEST_SEQUENCE = 1_000_000
"""Of the source's SEQUENCE; a column holds it, and ours goes on from there."""
AT_ONCE = 50
LONGEST_PORTION = 60_000
"""Characters of descriptions in one transaction: some 50 ms of work on the worst of them."""
OWN_ACTIONS = frozenset({"event.imported", "event.imported_again", "event.followed", "event.unfollowed"})
"""What the audit trail says of an event nobody has worked on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One event as its source has it. `notes` say in words what was changed to make it fit."""

    uid: str
    values: EventValues
    sequence: int = 0
    stamp_at: datetime | None = None
    """LAST-MODIFIED, else DTSTAMP."""
    is_cancelled: bool = False
    is_private: bool = False
    url: str = ""
    """Its page there."""
    folded: str | None = field(default=None, compare=False)
    """The description as the search compares it, worked out before a transaction holds up others."""
    notes: tuple[str, ...] = ()
    unknown_zone: str = ""
    """The name of its time zone, where that is not known and its times are a guess."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one: `kind` is taken, changed, unchanged or skipped, `why` says it in words."""

    kind: str
    title: str
    uid: str
    why: str = ""
    slug: str = ""
    event_id: int | None = None
    changes: Changes | None = None


def take(
    session: Session, items: Sequence[Item], *, organizer_id: int, actor: audit.Actor, now: datetime
) -> list[Outcome]:
    """A draft of that organizer for each, or news for the draft it became before. One that fails loses no other.

    What is new and what has not changed takes as many statements for many as for one.
    """
    items = [_with_page(item) for item in items]
    known = _by_uids(session, [item.uid for item in items])
    worked_on = _worked_on(session, [event.id for event in known.values()])
    outcomes: list[Outcome | None] = []
    for item in items:
        event = known.get(item.uid)
        if event is None:
            outcomes.append(_refusal(item))
        elif (why := _why_not(event, item, organizer_id=organizer_id, is_worked_on=event.id in worked_on)) is not None:
            outcomes.append(why)
        else:
            outcomes.append(_again(session, event, item, actor=actor, now=now))
    new = [item for item, said in zip(items, outcomes, strict=True) if said is None]
    made = iter(_drafts(session, new, organizer_id=organizer_id, actor=actor, now=now))
    return [said or next(made) for said in outcomes]


def by_uid(session: Session, uid: str) -> Event | None:
    """The event of that UID, locked."""
    query = select(Event).where(Event.uid == uid).with_for_update()
    return session.scalar(query.execution_options(populate_existing=True))


def is_untouched(session: Session, event: Event) -> bool:
    """Whether nobody has worked on it since it was taken over."""
    return event.status == "draft" and not _worked_on(session, [event.id])


def is_older(event: Event, item: Item) -> bool:
    """Whether the source has said something later before. A source whose SEQUENCE fell back is believed by its clock.

    Source: RFC 5546 section 2.1.5.
    """
    stamps = (item.stamp_at, event.source_stamp_at)
    is_later = stamps[0] is not None and (stamps[1] is None or stamps[0] > stamps[1])
    is_earlier = stamps[0] is not None and stamps[1] is not None and stamps[0] < stamps[1]
    if item.sequence == event.source_sequence:
        return is_earlier
    return item.sequence < event.source_sequence and not is_later


def bring_up_to_date(
    session: Session,
    event: Event,
    item: Item,
    *,
    values: EventValues,
    action: str,
    actor: audit.Actor,
    now: datetime,
    also: Mapping[str, Any] | None = None,
) -> Changes:
    """Takes over what differs, and with it the source's numbers. Raises: InvalidField, before anything is changed."""
    check(values)
    _note_source(event, item)  # before the rest, so that all of it is one UPDATE
    changes = _apply(
        session, event, {**columns(values, folded=item.folded), **(also or {})}, action=action, actor=actor, now=now
    )
    remember(event, item)
    session.flush()
    return changes


def publish_new(
    session: Session, *, item: Item, organizer_id: int, source_id: int, actor: audit.Actor, now: datetime
) -> Event:
    """An event of a followed calendar, published as it comes. Raises: InvalidField."""
    event = _new(session, item.values, organizer_id=organizer_id, now=now, uid=item.uid, folded=item.folded)
    event.status, event.published_at = "published", now
    event.source_id, event.source_url = source_id, item.url
    remember(event, item)
    audit.record(session, actor=actor, action="event.followed", now=now, event_id=event.id)
    session.flush()
    return event


def to_draft(session: Session, event: Event, *, actor: audit.Actor, now: datetime) -> None:
    """Takes it off every page, as a draft that its organizer may publish again."""
    wanted = {"status": "draft", "published_at": None}
    _apply(session, event, wanted, action="event.unfollowed", actor=actor, now=now)


def remember(event: Event, item: Item) -> None:
    """Keeps the source's numbers; ours is never below its SEQUENCE, or who has it from there would not see a change."""
    _note_source(event, item)
    event.sequence = max(event.sequence, item.sequence)


def outcome(kind: str, event: Event, item: Item, changes: Changes | None = None) -> Outcome:
    """What became of an item that has an event here."""
    return Outcome(kind, event.title, event.uid, " ".join(item.notes), event.slug, event.id, changes)


def skipped(item: Item, why: str, *, event: Event | None = None) -> Outcome:
    """An item that was left out, and why; `event` is the one it would have changed, where its owner asks."""
    return Outcome("skipped", item.values.title, item.uid, why, event.slug if event is not None else "")


def totals(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """How many of each kind."""
    return {kind: sum(one.kind == kind for one in outcomes) for kind in ("taken", "changed", "unchanged", "skipped")}


def _note_source(event: Event, item: Item) -> None:
    event.source_sequence = item.sequence
    event.source_stamp_at = item.stamp_at
    event.source_missing_at = None


def _by_uids(session: Session, uids: Sequence[str]) -> dict[str, Event]:
    """The events of those UIDs, locked, in the same order by whoever locks several."""
    query = select(Event).where(Event.uid.in_(uids)).order_by(Event.id).with_for_update()
    return {event.uid: event for event in session.scalars(query.execution_options(populate_existing=True))}


def _worked_on(session: Session, event_ids: Sequence[int]) -> set[int]:
    """Those on which somebody has worked since they were taken over."""
    if not event_ids:
        return set()
    query = select(AuditEntry.event_id).where(AuditEntry.event_id.in_(event_ids), AuditEntry.action.not_in(OWN_ACTIONS))
    return {event_id for event_id in session.scalars(query.distinct()) if event_id is not None}


def _refusal(item: Item) -> Outcome | None:
    """Why it becomes no draft."""
    if item.is_cancelled:
        return skipped(item, _("It is cancelled."))
    try:
        check(item.values)
    except InvalidField as error:
        return skipped(item, error.message)
    return None


def _drafts(
    session: Session, items: Sequence[Item], *, organizer_id: int, actor: audit.Actor, now: datetime
) -> list[Outcome]:
    """New drafts; one by one where somebody else adds one of them at this moment, who is seen then."""
    if not items:
        return []
    try:
        with session.begin_nested():
            events = service.create_imported(
                session, [_draft(item) for item in items], organizer_id=organizer_id, actor=actor, now=now
            )
    except IntegrityError:
        if len(items) == 1:
            return [skipped(items[0], _("Somebody else is adding it at this moment."))]
        return [
            said for item in items for said in take(session, [item], organizer_id=organizer_id, actor=actor, now=now)
        ]
    return [outcome("taken", event, item) for event, item in zip(events, items, strict=True)]


def _draft(item: Item) -> Draft:
    """With the source's numbers from the start; see `remember`."""
    values = replace(item.values, visibility="private") if item.is_private else item.values
    numbers = {"sequence": item.sequence, "source_sequence": item.sequence, "source_stamp_at": item.stamp_at}
    return Draft(item.uid, values, numbers, item.folded)


def _why_not(event: Event, item: Item, *, organizer_id: int, is_worked_on: bool) -> Outcome | None:
    """Why the event it became before stays as it is."""
    if event.source_id is not None:
        return skipped(item, _("A followed calendar brings it already."))
    if event.organizer_id != organizer_id:
        return skipped(item, _("An event of another organizer has its UID."))
    if event.status != "draft":
        why = _("It is published here.") if event.status == "published" else _("It was cancelled here.")
    elif is_worked_on:
        why = _("It was edited here since it was imported.")
    elif item.is_cancelled:
        why = _("It is cancelled in the file; its draft is still here.")
    elif is_older(event, item):
        why = _("The draft here is from a later version of the file.")
    else:
        return None
    return skipped(item, why, event=event)


def _again(session: Session, event: Event, item: Item, *, actor: audit.Actor, now: datetime) -> Outcome:
    visibility = "private" if item.is_private else event.visibility
    values = replace(item.values, visibility=visibility)
    try:
        changes = bring_up_to_date(
            session, event, item, values=values, action="event.imported_again", actor=actor, now=now
        )
    except InvalidField as error:
        return skipped(item, error.message, event=event)
    return outcome("changed" if changes else "unchanged", event, item, changes)


def _with_page(item: Item) -> Item:
    """An imported event belongs here from now on; its page there becomes a line of its description."""
    if not item.url or item.url in item.values.description:
        return item
    line = _("More: %(address)s", address=f"<{item.url}>")
    return with_line(item, line)


def with_line(item: Item, line: str) -> Item:
    """The item with another paragraph at the end of its description."""
    words = f"{item.values.description}\n\n{line}".strip()
    folded = None if item.folded is None else f"{item.folded} {search.fold(line)}".strip()
    return replace(item, values=replace(item.values, description=words), folded=folded)


def portions(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """The items in portions for one transaction each: few enough, and short enough, that others write in between."""
    start = length = 0
    for end, item in enumerate(items):
        long = len(item.values.description)
        if end > start and (end - start >= AT_ONCE or length + long > LONGEST_PORTION):
            yield items[start:end]
            start, length = end, 0
        length += long
    if start < len(items):
        yield items[start:]
