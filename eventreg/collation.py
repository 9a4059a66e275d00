"""Sorts names as people expect it, by the Unicode Collation Algorithm: Émile beside Emil, Ørsted among the O.

PostgreSQL does it itself (its ICU collation "und-x-icu", the root locale). SQLite calls `_key` below, which asks
pyuca. Source: Unicode Technical Standard #10; both use its default table, so the two databases agree on letters.
"""

import struct
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

KEPT = 20_000
"""Keys a process keeps, some 300 bytes each: making one takes 50 µs, and a list is sorted again and again."""


class sort_key(FunctionElement[str]):  # noqa: N801 - written like the SQL functions beside it
    """What to order a column of names by, in SQL."""

    name = "sort_key"
    type = String()
    inherit_cache = True


@compiles(sort_key, "postgresql")
def _on_postgresql(element: sort_key, compiler: Any, **kwargs: Any) -> str:
    return f'{compiler.process(element.clauses, **kwargs)} COLLATE "und-x-icu"'


@compiles(sort_key, "sqlite")
def _on_sqlite(element: sort_key, compiler: Any, **kwargs: Any) -> str:
    return f"eventreg_sort_key({compiler.process(element.clauses, **kwargs)})"


def register(sqlite_connection: Any) -> None:
    """Gives a connection of SQLite's driver the function that `sort_key` calls there."""
    sqlite_connection.create_function("eventreg_sort_key", 1, _key, deterministic=True)


@lru_cache(maxsize=KEPT)
def _key(text: str) -> bytes:
    key = _collator().sort_key(text)
    return struct.pack(f">{len(key)}H", *key)


@cache
def _collator() -> Any:
    """Made when the first list is sorted by name: its table takes 12 MB, and a third of a second to read."""
    from pyuca import Collator  # type: ignore[attr-defined]  # noqa: PLC0415 - see above

    return Collator()  # type: ignore[no-untyped-call]
