"""A database's copy: taken while others write, checked without touching anything, put back in one transaction.

PostgreSQL's programs are told the password in their environment, which only the same user and root can read; their
arguments stand in the process list for everybody.
"""

import os
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

from eventreg.errors import EventRegError

REQUIRED = ("alembic_version", "events", "registrations", "organizers", "messages")
"""Tables of every release: a database without one of them is not this service's."""


class DamagedError(Exception):
    """A copy cannot be put back; says why, to be put into a sentence."""


def take(url: sa.URL, copy: Path) -> None:
    """Raises: EventRegError, OSError, sqlite3.Error."""
    if url.get_backend_name() == "sqlite":
        _copy_sqlite(Path(url.database or ""), copy)
        return
    _run("pg_dump", "--format=custom", "--no-owner", f"--file={copy}", url=url)


def check(kind: str, copy: Path) -> str:
    """The migration the copy is at, after all of it was read. Raises: DamagedError, EventRegError."""
    return _check_sqlite(copy) if kind == "sqlite" else _check_postgresql(copy)


def put_back(copy: Path, url: sa.URL) -> None:
    """Replaces the database by a copy that was checked. Raises: EventRegError, OSError."""
    if url.get_backend_name() == "sqlite":
        _put_back_sqlite(copy, Path(url.database or ""))
    else:
        _put_back_postgresql(copy, url)


def _copy_sqlite(source: Path, target: Path) -> None:
    """SQLite's online backup: consistent while others write, and one transaction in the target."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    address = f"{source.resolve().as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True)) as from_, closing(sqlite3.connect(target)) as to:
        from_.backup(to)


def _put_back_sqlite(copy: Path, target: Path) -> None:
    """A file that is damaged beyond use is kept beside the new one."""
    try:
        if target.exists():
            with closing(sqlite3.connect(target)) as there:
                there.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError:
        for suffix in ("", "-wal", "-shm"):
            if (part := Path(f"{target}{suffix}")).exists():
                part.replace(f"{target}.damaged{suffix}")
    try:
        _copy_sqlite(copy, target)
    except sqlite3.Error as error:
        raise EventRegError(f"The database cannot be replaced: {error}.") from error


def _check_sqlite(copy: Path) -> str:
    try:
        with closing(sqlite3.connect(f"{copy.as_uri()}?mode=ro&immutable=1", uri=True)) as database:
            (verdict,) = database.execute("PRAGMA integrity_check(1)").fetchone()
            tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            _require(tables)
            revisions = [revision for (revision,) in database.execute("SELECT version_num FROM alembic_version")]
    except sqlite3.Error as error:
        raise DamagedError(f"SQLite says {str(error)!r}") from error
    if verdict != "ok":
        raise DamagedError(f"SQLite says {verdict.splitlines()[-1]!r}")
    return _only(revisions)


def _check_postgresql(copy: Path) -> str:
    """`--list` reads the contents alone, so all the rest is read too, into nothing."""
    try:
        listed = _run("pg_restore", "--list", str(copy))
        _run("pg_restore", "--file=/dev/null", str(copy))
        revision = _run("pg_restore", "--data-only", "--table=alembic_version", "--file=-", str(copy))
    except EventRegError as error:
        raise DamagedError(str(error).rstrip(".")) from error
    entries = [line.split() for line in listed.splitlines() if not line.startswith(";")]
    _require({words[words.index("DATA") + 2] for words in entries if "DATA" in words[:-2]})
    lines = revision.splitlines()
    start = next((place for place, line in enumerate(lines) if line.startswith("COPY ")), len(lines))
    end = lines.index("\\.", start) if "\\." in lines[start:] else start
    return _only(lines[start + 1 : end])


def _require(tables: set[str]) -> None:
    if missing := [name for name in REQUIRED if name not in tables]:
        raise DamagedError(f"its database has no table {missing[0]}")


def _only(revisions: list[str]) -> str:
    if len(revisions) != 1:
        raise DamagedError("its database does not say at which migration it is")
    return revisions[0]


def _put_back_postgresql(copy: Path, url: sa.URL) -> None:
    """Drops what is there first, in the same transaction: a table of a newer release would be in the way.

    Comments are left out because the search's extension may belong to another role.
    """
    folder = copy.parent
    (folder / "drop.sql").write_text(
        "DO $$ DECLARE found record; BEGIN FOR found IN"
        " SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
        " LOOP EXECUTE format('DROP TABLE %I CASCADE', found.tablename); END LOOP; END $$;\n"
    )
    _run("pg_restore", "--no-owner", "--no-privileges", "--no-comments", f"--file={folder / 'restore.sql'}", str(copy))
    files = [f"--file={folder / name}" for name in ("drop.sql", "restore.sql")]
    _run("psql", "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", *files, url=url)


def _run(program: str, *arguments: str, url: sa.URL | None = None) -> str:
    """What the program printed. Raises: EventRegError in its own words."""
    with tempfile.TemporaryDirectory(prefix="eventreg-connection-") as folder:
        environment = dict(os.environ)
        command = [program, *arguments]
        if url is not None:
            words, secrets = _connection(url, Path(folder))
            command.append(f"--dbname={words}")
            environment |= secrets
        try:
            done = subprocess.run(command, capture_output=True, check=False, env=environment)  # noqa: S603
        except FileNotFoundError as error:
            raise EventRegError(f"{program} is not installed; it comes with PostgreSQL's client programs.") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise EventRegError(f"{program} failed: {next((line for line in said if 'error' in line.lower()), said[-1])}")
    return done.stdout.decode(errors="replace")


def _connection(url: sa.URL, folder: Path) -> tuple[str, dict[str, str]]:
    """The connection in libpq's words, without secrets, and the environment with them.

    libpq knows no variable for the password of a client's key; that one is in a file that only this user can read.
    """
    from psycopg.conninfo import make_conninfo  # noqa: PLC0415 - where PostgreSQL is used

    _arguments, named = url.get_dialect()().create_connect_args(url)
    secrets = {}
    if password := named.pop("password", None):
        secrets["PGPASSWORD"] = str(password)
    if key_password := named.pop("sslpassword", None):
        service = folder / "service"
        service.touch(mode=0o600)
        service.write_text(f"[eventreg]\nsslpassword={key_password}\n")
        secrets["PGSERVICEFILE"] = str(service)
        named["service"] = "eventreg"
    return make_conninfo(**named), secrets
