"""Any bytes that may be a calendar -> the events in them, and what was left out and why. Pure.

Never raises for what it is given: a part that cannot be read is named and left out, the rest is taken. Repeating
events become single events up to a horizon, each with a UID made of the series' and its place in the series.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from flask_babel import gettext as _
from flask_babel import ngettext

from eventreg.calendar import expansion, making, source_lines
from eventreg.calendar.bounds import Steps
from eventreg.calendar.expansion import Dates, Member
from eventreg.calendar.making import NotAnEvent
from eventreg.calendar.source_lines import Component, Source
from eventreg.calendar.source_text import LONGEST_TITLE, cut
from eventreg.calendar.source_times import BadTime, Span, span_of
from eventreg.calendar.source_zones import Zones
from eventreg.calendar.text import one_line
from eventreg.events.importing import Item

MOST_BYTES = 2 * 1024 * 1024
"""Of an uploaded file."""
MOST_PER_SERIES = 500
MOST_ITEMS = 2_000
LONGEST_PART = 80
MOST_STEPS = 1_000_000
"""Of work on all series of a file: about a second; those after that are left out unread."""
HORIZON = timedelta(days=550)
"""How far ahead repeating events are taken: 18 months, as far as the feeds reach."""
FARTHEST = timedelta(days=5 * 366)
"""How far ahead a single event is believed."""
PLAIN_KINDS = ("VTODO", "VJOURNAL", "VFREEBUSY")


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that was left out. `title` names it as people do; `line` is where it begins in the file."""

    title: str
    uid: str
    line: int
    why: str
    is_unread: bool = False
    """Whether it may well be there and could not be understood; otherwise it was, and is not wanted."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file holds. `is_complete`: nothing of it is cut off or unread, so what is missing is missing there."""

    title: str = ""
    items: tuple[Item, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    partly: tuple[Skipped, ...] = ()
    """Series that were taken, of which a part could not be read: there may be more dates than those taken."""
    is_calendar: bool = False
    is_complete: bool = False


@dataclass(slots=True)
class _Work:
    """One reading on its way."""

    zones: Zones
    now: datetime
    earliest: datetime
    horizon: datetime
    is_called_off: bool
    items: dict[str, Item] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)
    partly: list[Skipped] = field(default_factory=list)
    steps: Steps = field(default_factory=lambda: Steps(MOST_STEPS))
    is_complete: bool = True

    def skip(self, component: Component, why: str, *, is_unread: bool = False) -> None:
        """Leaves it out."""
        self.skipped.append(_named(component, why, is_unread=is_unread))


def _named(component: Component, why: str, *, is_unread: bool) -> Skipped:
    return Skipped(making.label(component), one_line(component.text("UID"))[:255], component.line, why, is_unread)


def read(
    data: bytes, *, now: datetime, default_timezone: str, horizon: datetime | None = None, past: bool = False
) -> Reading:
    """The events of a calendar file. `past` takes those of the last ten years too that are over.

    `default_timezone` is for floating times of a calendar that names no zone; series are taken up to `horizon`.
    """
    source = source_lines.take_apart(data)
    if not source.is_calendar:
        return Reading()
    own_name = source.calendar.text("X-WR-TIMEZONE").strip() or source.calendar.text("TIMEZONE-ID")
    work = _Work(
        zones=Zones(source.components, own_name=own_name, default=default_timezone, now=now),
        now=now,
        earliest=now - timedelta(days=3660) if past else now,
        horizon=horizon or now + HORIZON,
        is_called_off=source.calendar.text("METHOD").strip().upper() == "CANCEL",
    )
    if source.calendar.text("METHOD").strip().upper() in {"REPLY", "COUNTER", "DECLINECOUNTER", "REFRESH"}:
        why = _("This file answers an invitation; it announces no event.")
        return Reading(skipped=(Skipped("", "", 1, why),), is_calendar=True)
    _read_components(source, work)
    items = sorted(work.items.values(), key=lambda one: (one.values.starts_at, one.uid))
    if len(items) > MOST_ITEMS:
        work.is_complete = False
        why = _("A file brings at most %(most)s events; %(count)s later ones were left out.")
        work.skipped.append(Skipped("", "", 1, why % {"most": MOST_ITEMS, "count": len(items) - MOST_ITEMS}))
    title = one_line(source.calendar.text("X-WR-CALNAME") or source.calendar.text("NAME"))
    return Reading(
        title=cut(title, LONGEST_TITLE),
        items=tuple(items[:MOST_ITEMS]),
        skipped=tuple(work.skipped),
        partly=tuple(work.partly),
        is_calendar=True,
        is_complete=source.is_complete and work.is_complete and work.zones.steps.left >= 0,
    )


def _read_components(source: Source, work: _Work) -> None:
    groups: dict[str, list[Component]] = {}
    for component in source.components:
        if component.name == "VEVENT":
            uid = one_line(component.text("UID"))
            groups.setdefault(uid or f"\n{component.line}", []).append(component)
    for uid, components in groups.items():
        try:
            _read_uid("" if uid.startswith("\n") else uid, components, work)
        except Exception:  # noqa: BLE001 - hostile input is what this is for; what cannot be read is named
            for component in components:
                work.skip(component, _("It cannot be read."), is_unread=True)
    _count_others(source, work)
    if source.is_too_long:
        why = _(
            "What comes after the first %(lines)s lines or %(entries)s entries was left out.",
            lines=source_lines.MOST_LINES,
            entries=source_lines.MOST_COMPONENTS,
        )
        work.skipped.append(Skipped("", "", 1, why))


def _count_others(source: Source, work: _Work) -> None:
    for kind in PLAIN_KINDS:
        found = [one for one in source.components if one.name == kind]
        if found:
            why = ngettext(
                "%(num)s entry of the kind %(kind)s is no event.",
                "%(num)s entries of the kind %(kind)s are no events.",
                len(found),
                kind=kind,
            )
            work.skipped.append(Skipped("", "", found[0].line, why))


def _read_uid(uid: str, components: list[Component], work: _Work) -> None:
    """All VEVENTs of one UID: one event, or a series with its exceptions."""
    members = list(_members(components, work))
    mains = [one for one in members if one.component.first("RECURRENCE-ID") is None]
    older = _all_but_newest(mains)
    for member in older:
        work.skip(member.component, _("A newer version of it, with the same UID, stands in the same file."))
    left_out = {id(one) for one in older}
    members = [one for one in members if id(one) not in left_out]
    is_series = any(one.component.first("RRULE") or one.component.first("RDATE") for one in members)
    is_series = is_series or len(members) > len(mains) - len(older)
    if is_series:
        _take_series(uid, members, work)
    else:
        for member in members:
            _take_single(member, uid, work)


def _members(components: list[Component], work: _Work) -> Iterator[Member]:
    for component in components:
        if not component.is_closed:
            work.skip(component, _("It is cut off: its end is missing."), is_unread=True)
            continue
        if component.is_too_long:
            why = _("It has more than %(most)s lines.", most=source_lines.MOST_PROPERTIES)
            work.skip(component, why, is_unread=True)
            continue
        try:
            yield Member(component, span_of(component, work.zones))
        except BadTime:
            work.skip(component, _("It has no start or end that can be read."), is_unread=True)


def _all_but_newest(members: list[Member]) -> list[Member]:
    newest = max(members, key=lambda one: _age(one.component), default=None)
    return [one for one in members if one is not newest]


def _age(component: Component) -> tuple[int, datetime]:
    sequence, stamp_at = making.numbers(component)
    return sequence, stamp_at or datetime.min.replace(tzinfo=UTC)


def _take(made: Item, component: Component, work: _Work) -> None:
    """Keeps it, or says why not. A stamp of a clock gone wrong would make every later change look older."""
    if made.stamp_at is not None and made.stamp_at > work.now:
        made = replace(made, stamp_at=work.now)
    if made.values.ends_at <= work.earliest:
        work.skip(component, _("It is over."))
    elif made.values.starts_at > work.now + FARTHEST:
        work.skip(component, _("It is more than five years ahead."))
    else:
        work.items.setdefault(made.uid, made)


def _take_single(member: Member, uid: str, work: _Work) -> None:
    try:
        said = making.words(member.component)
        made = making.item(said, uid=uid, span=member.span, is_called_off=work.is_called_off)
    except NotAnEvent as error:
        work.skip(member.component, str(error), is_unread=True)
    except BadTime:
        work.skip(member.component, _("It has no start or end that can be read."), is_unread=True)
    else:
        _take(made, member.component, work)


def _take_series(uid: str, members: Sequence[Member], work: _Work) -> None:
    first = members[0].component
    if work.steps.left <= 0 or len(work.items) >= 2 * MOST_ITEMS:
        work.skip(
            first,
            _("Its dates were not worked out: the file holds too many, or rules that take too long."),
            is_unread=True,
        )
        work.is_complete = False
        return
    steps = Steps(expansion.MOST_STEPS, of=work.steps)
    found = expansion.dates(members, work.zones, earliest=work.earliest, horizon=work.horizon, steps=steps)
    work.is_complete = work.is_complete and work.steps.left >= 0
    why = _why_partial(found)
    if why and found.found:
        work.partly.append(_named(first, why, is_unread=True))
    _take_dates(uid, found.found, members, work, why=why)


def _why_partial(found: Dates) -> str:
    """What of a series could not be read, in words; "" when all of it was."""
    if found.damaged:
        part = cut(one_line(", ".join(dict.fromkeys(found.damaged))), LONGEST_PART)
        return _("A part of how it repeats cannot be read: %(part)s. The rest was taken.", part=part)
    if found.is_too_often:
        return _("It repeats more often than every hour; its first date was taken.")
    if found.is_too_much:
        return _("Working out its dates takes too long; those found so far were taken.")
    return ""


def _take_dates(uid: str, found: Sequence[expansion.Date], members: Sequence[Member], work: _Work, *, why: str) -> None:
    """Each with the newest numbers of the whole series: a date whose exception is taken back must look newer too."""
    first = members[0]
    sequence, stamp_at = max(_age(one.component) for one in members)
    words: dict[int, making.Words] = {}
    refused: set[int] = set()
    for one in found[:MOST_PER_SERIES]:
        if (component := one.member.component).line in refused:  # what is wrong with one date of it is wrong with all
            continue
        said = words[component.line] = words.get(component.line) or making.words(component)
        span = replace(one.member.span, starts=one.starts, ends=one.ends)
        try:
            made = making.item(
                said,
                uid=uid,
                span=span,
                is_called_off=work.is_called_off,
                recurrence_id=one.recurrence_id,
                sequence=sequence,
                stamp_at=stamp_at if stamp_at.year > 1 else None,
                also=(why,) if why else (),
            )
        except NotAnEvent as error:
            work.skip(component, str(error), is_unread=True)
            refused.add(component.line)
            continue
        _take(made, component, work)
    if len(found) > MOST_PER_SERIES:
        more = _("Of its dates the next %(most)s were taken; %(count)s later ones were left out.")
        work.skip(first.component, more % {"most": MOST_PER_SERIES, "count": len(found) - MOST_PER_SERIES})
    elif not found and why:
        work.skip(first.component, why, is_unread=True)
    elif not found:
        work.skip(first.component, _("None of its dates lies ahead within 18 months."))
    elif _began_before(first.span, work.earliest):
        work.skip(first.component, _("Those of its dates that are over were left out."))


def _began_before(span: Span, earliest: datetime) -> bool:
    if isinstance(span.ends, datetime):
        return span.ends <= earliest
    return span.ends <= earliest.date()
