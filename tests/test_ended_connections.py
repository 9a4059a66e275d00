"""PostgreSQL ends connections: in the middle of a transaction that is an error, between two it is nobody's concern."""

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from eventreg.db import db, peek, table_of, write_transaction
from eventreg.ready import Ready
from eventreg.registrations.models import FeedReset
from tests.support.databases import Databases

pytestmark = pytest.mark.postgresql
ADD = Ready(sa.insert(table_of(FeedReset)).inline())


@pytest.fixture
def database_url(databases: Databases) -> str:
    return databases.empty("postgresql")


def end_all() -> None:
    """The server ends all connections to this database, as it does when it is restarted."""
    engine = sa.create_engine(db.engine.url, poolclass=sa.NullPool)
    with engine.connect() as other:
        other.execute(
            sa.text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )


def add(session: Session, email: str) -> None:
    ADD.run(session, {"email_key": email, "generation": 1})


def kept(session: Session) -> list[str]:
    return list(session.scalars(sa.select(FeedReset.email_key).order_by(FeedReset.email_key)))


def test_one_that_ended_while_nobody_used_it_is_replaced_unnoticed(session: Session) -> None:
    for round_number, email in enumerate(["amira@example.org", "wim@example.org"]):
        with write_transaction(session):
            add(session, email)
        end_all()
        assert peek(db.engine, f"SELECT {round_number}") == [(round_number,)]
        end_all()
    assert kept(session) == ["amira@example.org", "wim@example.org"]


def test_one_that_ends_in_the_middle_is_told_as_sqlalchemy_tells_it(session: Session) -> None:
    def broken() -> None:
        with write_transaction(session):
            add(session, "amira@example.org")
            end_all()
            add(session, "sam@example.org")

    with pytest.raises(OperationalError) as told:
        broken()
    assert told.value.connection_invalidated
    with write_transaction(session):
        add(session, "wim@example.org")
    assert kept(session) == ["wim@example.org"]
