"""The address of an event, made of its title and numbered where another event has it.

Addresses are asked for by name, which the index of them answers as quickly among a hundred thousand events as among
ten, and for many titles at once.
"""

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from eventreg.events import search
from eventreg.events.models import Event

RESERVED = frozenset({"new"})
LONGEST = 80
"""Of a title's letters; the column has room for a number behind them."""
FEWEST_ASKED = 16
MOST_ASKED = 5_000
"""Names in one statement; databases limit what they take."""


@dataclass(slots=True)
class _Line:
    """The names `base`, `base-2`, `base-3` and so on, as far as the database was asked about them."""

    base: str
    asked: int = 0
    names: list[str] = field(default_factory=list)
    """Those nobody had when it was asked, the nearest last."""

    def next(self, given: Container[str]) -> str | None:
        """The nearest that was not given to another line: "talk" and "talk 2" both come to "talk-2"."""
        while self.names:
            name = self.names.pop()
            if name not in given:
                return name
        return None

    def further(self, needed: int) -> list[str]:
        """The next names to ask about: at least so many, and twice as far as before."""
        begin = self.asked + 1
        self.asked += max(needed, self.asked, FEWEST_ASKED)
        return [f"{self.base}-{number}" if number > 1 else self.base for number in range(begin, self.asked + 1)]


def free(session: Session, titles: Sequence[str]) -> list[str]:
    """An address for each title that no event has and none before it was given."""
    bases = [search.key(title)[:LONGEST].strip("-") or "event" for title in titles]
    lines = {base: _Line(base) for base in bases}
    given: dict[str, None] = {}
    while len(given) < len(bases):
        left = bases[len(given) :]
        _look_ahead(session, lines, Counter(left), given)
        for base in left:
            name = lines[base].next(given)
            if name is None:
                break
            given[name] = None
    return list(given)


def _look_ahead(session: Session, lines: Mapping[str, _Line], wanted: Counter[str], given: Mapping[str, None]) -> None:
    """Until each line has as many names as are wanted of it."""
    while True:
        asked = {}
        for base, count in wanted.items():
            lines[base].names = [name for name in lines[base].names if name not in given]
            if len(lines[base].names) < count:
                asked[base] = lines[base].further(count - len(lines[base].names))
        if not asked:
            return
        taken = _taken(session, [name for names in asked.values() for name in names]) | RESERVED | given.keys()
        for base, names in asked.items():
            lines[base].names[:0] = [name for name in reversed(names) if name not in taken]


def _taken(session: Session, names: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(names), MOST_ASKED):
        part = names[start : start + MOST_ASKED]
        found.update(session.scalars(select(Event.slug).where(Event.slug.in_(part))))
    return found
