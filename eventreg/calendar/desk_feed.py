"""An organizer's private feed: every event at their desk, drafts too, with the live head count in the title.

Opened by a signed link that holds the account and its feed's generation; a reset raises that. Made of the stored
blocks, in which only the lines that differ at the desk are replaced.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import ColumnElement, Row, case, func, select
from sqlalchemy.orm import Session

from eventreg.calendar import feed
from eventreg.calendar.entry_text import END
from eventreg.calendar.lines import folded_line
from eventreg.calendar.text import escaped, one_line
from eventreg.events.models import Event
from eventreg.links import DESK_FEED, Links
from eventreg.organizers import access
from eventreg.organizers.models import Organizer
from eventreg.registrations.models import Registration
from eventreg.registrations.queries import group_column

Numbers = Sequence[Row[*tuple[Any, ...]]]
"""One row an event: what its entry says at the desk beside its block."""
HIGHEST_SEQUENCE = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Facts:
    """What answers a conditional request, read without any block."""

    etag: str
    last_modified: datetime


def owner(session: Session, token: str, *, links: Links) -> Organizer | None:
    """Whose feed the token opens; None when it is wrong or was reset, or the account may run no events any more."""
    numbers = links.numbers(DESK_FEED, token, 2)
    organizer = session.get(Organizer, numbers[0]) if numbers else None
    if numbers is None or organizer is None or organizer.feed_generation != numbers[1]:
        return None
    return organizer if organizer.active and access.can_organize(organizer) else None


def read(session: Session, organizer: Organizer, *, now: datetime, with_blocks: bool) -> Numbers:
    """The events of the feed in their order, one statement."""
    found = (
        select(
            Registration.event_id,
            _heads("attending"),
            _heads("waitlisted"),
            _heads("pending"),
            func.max(Registration.updated_at).label("answered_at"),
        )
        .where(Registration.event_id.in_(select(Event.id).where(*_conditions(organizer, now))))
        .group_by(Registration.event_id)
        .subquery()
    )
    columns: list[Any] = [
        Event.id, Event.slug, Event.title, Event.status, Event.capacity, Event.sequence, Event.created_at,
        Event.updated_at, Event.ics_digest, found.c.attending, found.c.waitlisted, found.c.pending, found.c.answered_at,
    ]  # fmt: skip
    if with_blocks:
        columns.append(Event.ics_block)
    query = (
        select(*columns)
        .outerjoin(found, found.c.event_id == Event.id)
        .where(*_conditions(organizer, now))
        .order_by(Event.starts_at, Event.uid)
    )
    return session.execute(query).all()


def facts(rows: Numbers, *, now: datetime, source: str, site_name: str) -> Facts:
    """The strong tag and date of the feed made of those rows."""
    seen = [tuple(value for name, value in row._asdict().items() if name != "ics_block") for row in rows]
    tag = hashlib.sha256(repr((source, site_name, seen)).encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return Facts(etag=tag, last_modified=max([feed.day_of(now), *(_modified_at(row) for row in rows)]))


def build(rows: Numbers, *, links: Links, source: str, site_name: str) -> bytes:
    """The feed's bytes."""
    header = feed.calendar_head(
        name=_("My desk: %(site)s", site=one_line(site_name)),
        about=_("Your events with the number of people coming. Keep this address to yourself."),
        source=source,
        page=links.absolute("/organize/"),
        changed_at=max((_modified_at(row) for row in rows), default=None),
    )
    return b"".join([header, *(_at_the_desk(row, links) for row in rows if row.ics_block), END])


def title_of(row: Any) -> str:
    """The title with what a glance at the calendar should tell: “Anniversary (42/120, 3 waiting)”."""
    title = one_line(row.title)
    if row.status == "cancelled":
        return _("Cancelled: %(title)s", title=title)
    if row.status == "draft":
        return _("Draft: %(title)s", title=title)
    coming = row.attending or 0
    said = [f"{coming}/{row.capacity}" if row.capacity else str(coming)]
    if row.waitlisted:
        said.append(ngettext("%(num)s waiting", "%(num)s waiting", row.waitlisted))
    if row.pending:
        said.append(ngettext("%(num)s to approve", "%(num)s to approve", row.pending))
    return _("%(title)s (%(numbers)s)", title=title, numbers=", ".join(said))


def _at_the_desk(row: Any, links: Links) -> bytes:
    """The stored block with the desk's title, stamps, status and page in the place of the public ones."""
    page, public = links.desk(row.slug).encode(), links.event(row.slug).encode()
    stamp = _modified_at(row).strftime("%Y%m%dT%H%M%SZ").encode()
    replaced = {
        b"SUMMARY": escaped(title_of(row)).encode(),
        b"DTSTAMP": stamp,
        b"LAST-MODIFIED": stamp,
        b"SEQUENCE": b"%d" % _sequence(row),
        b"URL": page,
    }
    if row.status == "draft":
        replaced[b"STATUS"] = b"TENTATIVE"
    lines = []
    for line in row.ics_block.replace(b"\r\n ", b"").split(b"\r\n"):
        name = line.partition(b":")[0]
        if name in replaced:
            lines.append(b"%s:%s" % (name, replaced[name]))
        elif name == b"DESCRIPTION":
            lines.append(line.removesuffix(public) + page if line.endswith(public) else line)
        else:
            lines.append(line)
    return b"\r\n".join(map(folded_line, lines))


def _sequence(row: Any) -> int:
    """Rises with the event's own and with every later answer, or Google would keep the old number of people.

    The seconds between the first and the last change: no counter is kept for it, and it never falls.
    """
    passed = int((_modified_at(row) - row.created_at).total_seconds())
    return min(int(row.sequence) + max(passed, 0), HIGHEST_SEQUENCE)


def _modified_at(row: Any) -> datetime:
    answered_at = row.answered_at or row.updated_at
    latest: datetime = max(row.updated_at, answered_at)
    return latest.astimezone(UTC).replace(microsecond=0)


def _heads(group: str) -> ColumnElement[int]:
    return func.sum(case((group_column == group, Registration.party_size), else_=0)).label(group)


def _conditions(organizer: Organizer, now: datetime) -> list[ColumnElement[bool]]:
    everybodys = access.is_admin(organizer)
    return [*feed.in_window(now), *([] if everybodys else [Event.organizer_id == organizer.id])]
