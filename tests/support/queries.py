"""Counting the statements a block sends to the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, event


@dataclass
class Queries:
    """The statements so far, without BEGIN and COMMIT."""

    statements: list[str] = field(default_factory=list)
    parameters: list[Any] = field(default_factory=list)
    """What each was sent with."""

    @property
    def count(self) -> int:
        return len(self.statements)

    @property
    def writes(self) -> list[str]:
        return [one for one in self.statements if one.lstrip()[:6].upper() in {"INSERT", "UPDATE", "DELETE"}]


@contextmanager
def query_counter() -> Iterator[Queries]:
    """Counts what any engine of this process executes inside the block."""
    queries = Queries()

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if not statement.startswith(("BEGIN", "SAVEPOINT", "RELEASE")):
            queries.statements.append(statement)
            queries.parameters.append(parameters)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield queries
    finally:
        event.remove(Engine, "before_cursor_execute", note)
