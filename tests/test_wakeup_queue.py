"""Huey's tables in PostgreSQL, made by whoever comes first."""

import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from eventreg.wakeup_queue import open_queue
from tests.support.databases import Databases

pytestmark = pytest.mark.postgresql
PROCESSES = 12


def test_processes_that_open_the_queue_at_once_all_have_it(databases: Databases, tmp_path: Path) -> None:
    url = databases.empty("postgresql")
    together = threading.Barrier(PROCESSES)
    sizes = list[int]()

    def come() -> None:
        engine = sa.create_engine(url)
        together.wait()
        sizes.append(open_queue(engine, tmp_path, lock_seconds=1).storage.queue_size())
        engine.dispose()

    threads = [threading.Thread(target=come) for _ in range(PROCESSES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sizes == [0] * PROCESSES
