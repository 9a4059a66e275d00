"""The database's history (Alembic), and how far a database has come."""

from functools import lru_cache
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.orm import Session


@lru_cache(maxsize=1)
def head_revision() -> str | None:
    """The newest revision this code knows."""
    return ScriptDirectory(str(Path(__file__).parent)).get_current_head()


@lru_cache(maxsize=1)
def known_revisions() -> frozenset[str]:
    """Every revision this code can start from."""
    return frozenset(script.revision for script in ScriptDirectory(str(Path(__file__).parent)).walk_revisions())


def is_behind(revision: str | None) -> bool:
    """Whether a database at that revision has to be upgraded before this code can use it.

    One that is further than this code knows is not behind: migrations only add, so the release before goes on serving
    while the next one is brought in, and can be started again.
    """
    return revision is None or revision in known_revisions() - {head_revision()}


def revision_of(session: Session) -> str | None:
    """The revision of the database; None when it was never migrated."""
    return MigrationContext.configure(session.connection()).get_current_revision()
