"""A web process keeps what it has imported in memory for as long as it lives, so most of what can wait, waits.

What is named here is large, and needed by commands, the worker, the organizers' desk or the other database alone.
"""

import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from eventreg import clock
from eventreg.events.models import Event
from tests.support.live import environment
from tests.support.making import SECRET_KEY
from tests.support.needs import ROOT

COMMANDS = frozenset(
    {"alembic", "eventreg.backup", "eventreg.demo", "eventreg.doctor", "flask_migrate", "mako", "rich"}
)
WORKER = frozenset(
    {
        "aiosmtpd",
        "eventreg.incoming.service",
        "eventreg.jobs",
        "eventreg.mail.batch",
        "eventreg.worker",
        "flask_mail",
        "icalendar",
        "imap_tools",
        "smtplib",
        "urllib3",
    }
)
DESK = frozenset({"PIL", "dateutil", "eventreg.calendar.reading", "pyuca", "xlsxwriter", "zxcvbn"})
NOWHERE = frozenset({"pygments", "redis"})
"""Taken up by other libraries because they are installed; Redis has its place where REDIS_URL is set."""
OF_ANOTHER_DATABASE = {
    "sqlite": frozenset({"psycopg", "sqlalchemy.dialects.postgresql"}),
    "postgresql": frozenset({"sqlalchemy.dialects.sqlite"}),
}


def loaded(*command: str, **settings: object) -> frozenset[str]:
    """The modules that a process of that command says it has."""
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment(**settings), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return frozenset(done.stdout.split())


def test_web_process_that_served_visitors_has_loaded_nothing_large_they_did_not_need(
    make_event: Callable[..., Event], database_url: str, database_kind: str, instance: Path
) -> None:
    event = make_event(starts_at=clock.now() + timedelta(days=7), questions=[])
    found = loaded(
        "-m",
        "tests.support.loaded",
        event.slug,
        instance=instance,
        DATABASE_URL=database_url,
        SECRET_KEY=SECRET_KEY,
        MIN_FILL_SECONDS=0,
    )
    assert "eventreg.registrations.arrivals" in found
    assert found & (COMMANDS | WORKER | DESK | NOWHERE | OF_ANOTHER_DATABASE[database_kind]) == frozenset()


@pytest.mark.sqlite_only
def test_parent_of_all_processes_has_loaded_nothing_large_of_one_of_them(instance: Path) -> None:
    steps = ("import sys", "from eventreg.cli import cli", "cli.commands['serve']", "import eventreg.supervisor")
    found = loaded("-c", "; ".join([*steps, "print(*sys.modules)"]), instance=instance)
    assert "eventreg.supervisor" in found
    assert found & (COMMANDS | WORKER | DESK | NOWHERE | {"eventreg.incoming.lmtp"}) == frozenset()
