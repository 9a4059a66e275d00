"""The filters of the list and the months: read from an address, put back into one, and said in words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import urlencode

from flask_babel import gettext as _

from eventreg.events import wording
from eventreg.events.choices import Choice, Choices
from eventreg.events.listing import EventFilter
from eventreg.events.matching import LONGEST_SEARCH
from eventreg.events.search import name_key
from eventreg.text import beginning

FIRST_YEAR, LAST_YEAR = 1970, 2199
HIGHEST_PAGE = 1_000_000
YES = frozenset({"1", "true", "yes", "on"})
NO = frozenset({"", "0", "false", "no", "off"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks for. `problems` name the filters that could not be read and were left out."""

    wanted: EventFilter
    problems: tuple[str, ...]


def read(args: Mapping[str, str]) -> Asked:
    """The filter of an address; never refuses."""
    problems: list[str] = []
    wanted = EventFilter(
        q=beginning(args.get("q"), most=LONGEST_SEARCH),
        category=name_key(beginning(args.get("category"), most=LONGEST_SEARCH))[:60],
        audience=name_key(beginning(args.get("audience"), most=LONGEST_SEARCH))[:60],
        from_on=_day(args, "from", _("From"), problems),
        to_on=_day(args, "to", _("To"), problems),
        past=_flag(args, problems),
        page=_page(args, problems),
    )
    if wanted.from_on and wanted.to_on and wanted.to_on < wanted.from_on:
        problems.append(_("“To” is a day before “From”, so no event lies between them."))
    return Asked(wanted, tuple(problems))


def unknown(wanted: EventFilter, known: Choices) -> list[str]:
    """Says which category or audience no event names."""
    problems = []
    if wanted.category and _named(known.categories, wanted.category) is None:
        problems.append(_("There is no category called “%(name)s”.", name=wanted.category))
    if wanted.audience and _named(known.audiences, wanted.audience) is None:
        problems.append(_("There is no audience called “%(name)s”.", name=wanted.audience))
    return problems


def only_known(wanted: EventFilter, known: Choices) -> EventFilter:
    """The filter without a category or audience that no event names."""
    return replace(
        wanted,
        category=wanted.category if _named(known.categories, wanted.category) else "",
        audience=wanted.audience if _named(known.audiences, wanted.audience) else "",
    )


def query(wanted: EventFilter, **changes: object) -> dict[str, str]:
    """The filter as query parameters, without what says nothing.

    >>> query(EventFilter(q="tea", page=3), page=4)
    {'q': 'tea', 'page': '4'}
    """
    now: EventFilter = replace(wanted, **changes)  # type: ignore[arg-type]
    values = {
        "q": now.q,
        "category": now.category,
        "audience": now.audience,
        "from": now.from_on.isoformat() if now.from_on else "",
        "to": now.to_on.isoformat() if now.to_on else "",
        "past": "1" if now.past else "",
        "page": str(now.page) if now.page > 1 else "",
    }
    return {name: value for name, value in values.items() if value}


def link_to(wanted: EventFilter, number: int, *, before: str = "", after: str = "") -> str:
    """The query of another page, with the place it goes on from, so that nothing is counted off to find it.

    >>> link_to(EventFilter(), 2, after="1792436400000000.12")
    '?page=2&after=1792436400000000.12'
    """
    place = {"before": before, "after": after} if number > 1 else {}
    values = query(wanted, page=number) | {name: value for name, value in place.items() if value}
    return f"?{urlencode(values)}" if values else ""


def words(wanted: EventFilter, known: Choices) -> list[str]:
    """The filter in words, a piece for each part."""
    said = []
    if wanted.q:
        said.append(_("matching “%(words)s”", words=wanted.q))
    if wanted.category:
        said.append(_("in %(category)s", category=_named(known.categories, wanted.category) or wanted.category))
    if wanted.audience:
        said.append(_("for %(audience)s", audience=_named(known.audiences, wanted.audience) or wanted.audience))
    if wanted.from_on and wanted.from_on == wanted.to_on:
        said.append(_("on %(day)s", day=wording.full_day(wanted.from_on)))
    else:
        if wanted.from_on:
            said.append(_("from %(day)s", day=wording.full_day(wanted.from_on)))
        if wanted.to_on:
            said.append(_("until %(day)s", day=wording.full_day(wanted.to_on)))
    return said


def looser(wanted: EventFilter) -> list[tuple[str, dict[str, str]]]:
    """What to leave out when nothing was found: words and the query that remains."""
    ways = []
    if wanted.q:
        ways.append((_("Search for something other than “%(words)s”", words=wanted.q), query(wanted, q="", page=1)))
    if wanted.category:
        ways.append((_("Look in all categories"), query(wanted, category="", page=1)))
    if wanted.audience:
        ways.append((_("Look at events for everyone"), query(wanted, audience="", page=1)))
    if wanted.from_on or wanted.to_on:
        ways.append((_("Look at all dates"), query(wanted, from_on=None, to_on=None, page=1)))
    if wanted.past:
        ways.append((_("Look at what is coming instead"), query(wanted, past=False, page=1)))
    elif not wanted.from_on:
        ways.append((_("Look at past events"), query(wanted, past=True, page=1)))
    return ways


def offered(known: tuple[Choice, ...], chosen: str, *, past: bool) -> list[Choice]:
    """The choices worth offering: those of events to come, or of past ones, and the one chosen in any case."""
    return [choice for choice in known if choice.key == chosen or (choice.past if past else choice.upcoming)]


def _named(known: tuple[Choice, ...], key: str) -> str | None:
    return next((choice.name for choice in known if choice.key == key), None)


def _day(args: Mapping[str, str], name: str, label: str, problems: list[str]) -> date | None:
    given = beginning(args.get(name), most=LONGEST_SEARCH)
    if not given:
        return None
    try:
        day = date.fromisoformat(given) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", given) else None
    except ValueError:
        day = None
    if day is not None and FIRST_YEAR <= day.year <= LAST_YEAR:
        return day
    problems.append(
        _(
            "“%(filter)s” was left out: “%(given)s” is not a date between %(first)s and %(last)s like 2026-10-19.",
            filter=label,
            given=given[:40],
            first=str(FIRST_YEAR),
            last=str(LAST_YEAR),
        )
    )
    return None


def _flag(args: Mapping[str, str], problems: list[str]) -> bool:
    given = beginning(args.get("past"), most=LONGEST_SEARCH).lower()
    if given not in YES | NO:
        problems.append(_("“Past events” was left out: “%(given)s” is neither yes nor no.", given=given[:40]))
    return given in YES


def _page(args: Mapping[str, str], problems: list[str]) -> int:
    given = beginning(args.get("page"), most=LONGEST_SEARCH)
    if not given:
        return 1
    if re.fullmatch(r"[0-9]{1,20}", given) and int(given) >= 1:
        return min(int(given), HIGHEST_PAGE)
    problems.append(_("“%(given)s” is not the number of a page, so this is the first.", given=given[:40]))
    return 1
