"""What there is to filter by: the categories and audiences of listed events, found by leaps through an index."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import String, TextualSelect, column, text
from sqlalchemy.orm import Session

from eventreg.db import UTCDateTime
from eventreg.events.search import fold, name_key


@dataclass(frozen=True, slots=True)
class Choice:
    """A category or an audience that events name, and whether it is worth offering for what comes or what was."""

    key: str
    name: str
    upcoming: bool
    past: bool


@dataclass(frozen=True, slots=True)
class Choices:
    """Everything there is to filter by, in order of names."""

    categories: tuple[Choice, ...]
    audiences: tuple[Choice, ...]


def choices(session: Session, *, now: datetime) -> Choices:
    """The categories and audiences of all listed events. Two statements."""
    audiences: dict[str, Choice] = {}
    for row in session.execute(_AUDIENCES):
        for name in row.name.split(", "):
            if name.strip():
                _note(audiences, _choice(name_key(name), name.strip(), row, now))
    return Choices(categories(session, now=now), _in_order(audiences))


def categories(session: Session, *, now: datetime) -> tuple[Choice, ...]:
    """The categories alone. One statement."""
    found: dict[str, Choice] = {}
    for row in session.execute(_CATEGORIES):
        if row.found:
            _note(found, _choice(row.found, row.name, row, now))
    return _in_order(found)


def _choice(key: str, name: str, row: Any, now: datetime) -> Choice:
    return Choice(key, name, upcoming=row.latest > now, past=row.earliest <= now)


def _note(known: dict[str, Choice], found: Choice) -> None:
    """The latest spelling of a name wins; what it is good for adds up."""
    before = known.get(found.key)
    if before:
        found = replace(found, upcoming=found.upcoming or before.upcoming, past=found.past or before.past)
    known[found.key] = found


def _in_order(known: dict[str, Choice]) -> tuple[Choice, ...]:
    return tuple(sorted(known.values(), key=lambda choice: fold(choice.name)))


def _leaps(key: str, name: str) -> TextualSelect:
    """Each value of the column `key` once, with the `name` of its latest event and when the first and last end.

    From one value to the next through the index on (`key`, `ends_at`): neither database does so by itself for
    DISTINCT, which reads every event.
    """
    listed = "FROM events WHERE visibility = 'public' AND status <> 'draft'"
    return text(
        f"WITH RECURSIVE leaps(found) AS (SELECT min({key}) {listed} UNION ALL"  # noqa: S608 - names of columns
        f" SELECT (SELECT min({key}) {listed} AND {key} > found) FROM leaps WHERE found IS NOT NULL)"
        f" SELECT found, (SELECT {name} {listed} AND {key} = found ORDER BY ends_at DESC LIMIT 1) AS name,"
        f" (SELECT min(ends_at) {listed} AND {key} = found) AS earliest,"
        f" (SELECT max(ends_at) {listed} AND {key} = found) AS latest"
        " FROM leaps WHERE found IS NOT NULL ORDER BY latest, name"
    ).columns(
        column("found", String), column("name", String), column("earliest", UTCDateTime), column("latest", UTCDateTime)
    )


_CATEGORIES = _leaps("category_key", "category")
_AUDIENCES = _leaps("audience", "audience")
