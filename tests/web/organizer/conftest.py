"""What the desk's tests share."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from eventreg.db import Base


@pytest.fixture
def table_contents(session: Session) -> Callable[[], dict[str, list[Any]]]:
    """Everything the database holds, to see that it stays as it is."""

    def read() -> dict[str, list[Any]]:
        session.rollback()
        return {table.name: sorted(map(repr, session.execute(select(table)))) for table in Base.metadata.sorted_tables}

    return read
