"""Statements that are put together once and given to the bare driver, in the transaction of a session.

What SQLAlchemy does around each statement it runs (looking for the compiled one, collecting values, wrapping the
result) takes longer than the database does over the statement. That is worth sparing for the few statements of every
registration, and for nothing else.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ClauseElement, Dialect
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

Row = tuple[Any, ...]


def execute(connection: Connection, text: str, parameters: Any = (), *, many: bool = False) -> Any:
    """The driver's cursor after that statement, run once or, with `many`, for each of the parameters.

    Whoever listens to the engine's statements hears of it. Raises: what SQLAlchemy raises.
    """
    driver: Any = connection.connection.driver_connection
    for heard in connection.dispatch.before_cursor_execute:
        heard(connection, None, text, parameters, None, many)
    driver_error = connection.dialect.loaded_dbapi.Error
    try:
        return driver.cursor().executemany(text, parameters) if many else driver.execute(text, parameters)
    except driver_error as error:
        is_gone = connection.dialect.is_disconnect(error, driver, None)
        if is_gone:
            connection.invalidate(error)
        raise DBAPIError.instance(
            text, parameters, error, driver_error, connection_invalidated=is_gone, dialect=connection.dialect
        ) from error


class Ready:
    """One statement: the same for every database, or made for each by the name of its dialect.

    It must be given the same names each time, and an INSERT every column that may not be empty: nobody looks at the
    defaults of the model. Rows are as the driver gives them.
    """

    def __init__(self, statement: ClauseElement | Callable[[str], ClauseElement]) -> None:
        self._statement = statement
        self._made: dict[str, _Made] = {}

    def run(self, session: Session, values: Mapping[str, Any]) -> None:
        """Runs one that gives no rows."""
        connection = session.connection()
        made = self._for(connection.dialect, values)
        execute(connection, made.text, made.parameters(values))

    def run_all(self, session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
        """The same for each of one or more; one statement, however many."""
        if len(rows) == 1:  # psycopg makes more of several, even if there is one
            self.run(session, rows[0])
            return
        connection = session.connection()
        made = self._for(connection.dialect, rows[0])
        execute(connection, made.text, [made.parameters(values) for values in rows], many=True)

    def first(self, session: Session, values: Mapping[str, Any]) -> Row | None:
        """The first of the rows; None when there are none."""
        connection = session.connection()
        made = self._for(connection.dialect, values)
        cursor = execute(connection, made.text, made.parameters(values))
        row: Row | None = cursor.fetchone()
        cursor.close()  # or SQLite would take the statement for one that is not done
        return row

    def _for(self, dialect: Dialect, names: Iterable[str]) -> "_Made":
        made = self._made.get(dialect.name)
        if made is None:
            given = self._statement
            chosen = given if isinstance(given, ClauseElement) else given(dialect.name)
            made = self._made[dialect.name] = _Made(chosen, dialect, names)
        return made


class _Made:
    """A statement in the words of one driver, and how its values are written there."""

    def __init__(self, statement: ClauseElement, dialect: Dialect, names: Iterable[str]) -> None:
        compiled: Any = statement.compile(dialect=dialect, column_keys=list(names))
        self.text: str = compiled.string
        types = {name: bind.type for bind, name in compiled.bind_names.items()}
        self._names = compiled.positiontup if compiled.positional else list(types)
        self._is_positional: bool = compiled.positional
        self._own: dict[str, Any] = compiled.params
        self._writers: list[Callable[[Any], Any] | None] = [
            types[name].dialect_impl(dialect).bind_processor(dialect) for name in self._names
        ]

    def parameters(self, values: Mapping[str, Any]) -> Any:
        """The values as the driver takes them."""
        known = {**self._own, **values}
        written = [
            known[name] if write is None else write(known[name])
            for name, write in zip(self._names, self._writers, strict=True)
        ]
        return written if self._is_positional else dict(zip(self._names, written, strict=True))
