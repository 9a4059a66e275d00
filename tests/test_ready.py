"""Statements that are given to the bare driver do what SQLAlchemy's would, and fail as they would."""

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from eventreg.db import table_of, write_transaction
from eventreg.ready import Ready
from eventreg.registrations.models import FeedReset
from tests.support.queries import query_counter

RESETS = table_of(FeedReset)
ADD = Ready(sa.insert(RESETS).inline())
RAISE = Ready(
    sa.update(RESETS)
    .where(RESETS.c.email_key == sa.bindparam("whose"))
    .values(generation=RESETS.c.generation + sa.bindparam("more", type_=sa.Integer))
    .returning(RESETS.c.generation)
)


def kept(session: Session) -> dict[str, int]:
    return {row.email_key: row.generation for row in session.execute(sa.select(RESETS).order_by(RESETS.c.email_key))}


def test_rows_are_written_and_read_in_the_sessions_transaction(session: Session) -> None:
    ADD.run(session, {"email_key": "amira@example.org", "generation": 1})
    assert RAISE.first(session, {"whose": "amira@example.org", "more": 4}) == (5,)
    assert RAISE.first(session, {"whose": "sam@example.org", "more": 4}) is None
    assert kept(session) == {"amira@example.org": 5}
    session.rollback()
    assert kept(session) == {}


@pytest.mark.parametrize("count", [1, 3])
def test_several_rows_are_one_statement_that_listeners_hear(session: Session, count: int) -> None:
    rows = [{"email_key": f"p{number}@example.org", "generation": number} for number in range(count)]
    with query_counter() as queries:
        ADD.run_all(session, rows)
    assert (queries.count, len(queries.writes)) == (1, 1)
    assert kept(session) == {f"p{number}@example.org": number for number in range(count)}


def test_a_refusal_is_sqlalchemys_and_the_transaction_ends_unwritten(session: Session) -> None:
    row = {"email_key": "amira@example.org", "generation": 1}

    def twice() -> None:
        with write_transaction(session):
            ADD.run_all(session, [row])
            ADD.run(session, row)

    with pytest.raises(IntegrityError) as told:
        twice()
    assert told.value.statement is not None
    assert "feed_resets" in told.value.statement
    assert kept(session) == {}
