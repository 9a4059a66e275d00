"""The database's history (Alembic), and how far a database has come.

Alembic takes as much memory as all of Flask, and only commands change a database. So what a serving process asks is
read here without it, and Flask-Migrate comes in when one of its functions is called.
"""

import re
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import inspect, text
from sqlalchemy.orm import Session

from eventreg.db import db

FOLDER = Path(__file__).parent
_NAMED = re.compile(r"^(revision|down_revision) = (?:['\"](.+)['\"]|None)$", re.MULTILINE)


class History:
    """What Flask-Migrate's functions look for in `app.extensions`."""

    db: SQLAlchemy = db
    directory = str(FOLDER)

    @cached_property
    def migrate(self) -> Any:
        """Flask-Migrate on this folder."""
        from flask_migrate import Migrate  # noqa: PLC0415 - brings Alembic

        return Migrate(db=db, directory=self.directory)  # type: ignore[no-untyped-call]


def init_app(app: Flask) -> None:
    """Registers the history."""
    app.extensions["migrate"] = History()


@lru_cache(maxsize=1)
def _steps() -> dict[str, str | None]:
    """Every revision, and the one it begins at."""
    texts = (path.read_text(encoding="utf-8") for path in (FOLDER / "versions").glob("*.py"))
    named = [dict(_NAMED.findall(text)) for text in texts]
    return {names["revision"]: names["down_revision"] or None for names in named}


def head_revision() -> str:
    """The newest revision this code knows."""
    steps = _steps()
    (head,) = steps.keys() - steps.values()
    return head


def known_revisions() -> frozenset[str]:
    """Every revision this code can start from."""
    return frozenset(_steps())


def is_behind(revision: str | None) -> bool:
    """Whether a database at that revision has to be upgraded before this code can use it.

    One that is further than this code knows is not behind: migrations only add, so the release before goes on serving
    while the next one is brought in, and can be started again.
    """
    return revision is None or revision in known_revisions() - {head_revision()}


def revision_of(session: Session) -> str | None:
    """The revision of the database; None when it was never migrated."""
    if not inspect(session.connection()).has_table("alembic_version"):
        return None
    found: str | None = session.scalar(text("SELECT version_num FROM alembic_version"))
    return found
