"""What a search and the filters ask of an event, for the list, the months and the feeds alike.

A word matches wherever it stands in the event's folded text. PostgreSQL finds it by an index over groups of three
letters and chooses by itself whether to use it. SQLite has such an index as a table, `event_search`, which is asked
first: few matches, and they are named; many, and the list meets enough of them soon, walking along by time.
"""

from sqlalchemy import ColumnElement, text
from sqlalchemy.orm import Session

from eventreg.events.models import Event
from eventreg.events.search import fold

LONGEST_SEARCH = 200
MOST_WORDS = 8
SHORTEST = 3
"""Letters of a word that the index knows."""
FEW = 500
_FOUND = text("SELECT rowid FROM event_search WHERE event_search MATCH :wanted LIMIT :most")


def about(session: Session, *, q: str, category: str, audience: str) -> list[ColumnElement[bool]]:
    """The conditions; `category` and `audience` are keys. At most one statement, on SQLite alone."""
    words = fold(q[:LONGEST_SEARCH]).split()[:MOST_WORDS]
    conditions: list[ColumnElement[bool]] = [Event.search_text.contains(word, autoescape=True) for word in words]
    if category:
        conditions.append(Event.category_key == category)
    if audience:
        conditions.append(Event.audience_keys.contains(f"|{audience}|", autoescape=True))
    few = _few(session, words, audience)
    if few is not None:
        conditions.append(Event.id.in_(few))
    return conditions


def _few(session: Session, words: list[str], audience: str) -> list[int] | None:
    """The ids of everything that may fit, if they are few and the database keeps an index to ask."""
    known = [f"search_text : {_quoted(word)}" for word in words if len(word) >= SHORTEST]
    if audience:
        known.append(f"audience_keys : {_quoted(f'|{audience}|')}")
    if not known or session.get_bind().dialect.name != "sqlite":
        return None
    found = session.scalars(_FOUND, {"wanted": " AND ".join(known), "most": FEW + 1}).all()
    return list(found) if len(found) <= FEW else None


def _quoted(words: str) -> str:
    """A string of FTS5's query language."""
    return '"' + words.replace('"', '""') + '"'
