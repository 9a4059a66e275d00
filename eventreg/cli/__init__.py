"""The console command `eventreg`: Flask's own command group with this service's commands, and plain refusals.

Exit status: 0 done, 1 refused or failed with one line on standard error, 2 wrong usage.
"""

import sys
from collections import UserDict
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

import click
from flask.cli import FlaskGroup
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError

from eventreg import create_app
from eventreg.cli.output import Output
from eventreg.db import AWAY, said
from eventreg.errors import EventRegError

MISSING = frozenset({"42P01", "42703"})
"""How PostgreSQL says that a table or a column is missing, as in a database older than this release.

SQLite says “no such table”. Source: PostgreSQL manual, appendix A.
"""
MODULES = {
    "serve": "serve",
    "worker": "serve",
    "demo": "demo",
    "run-demo": "demo",
    "organizer": "organizers",
    "event": "events",
    "attendees": "events",
    "mail": "mail",
    "reply": "reply",
    "db": "admin",
    "backup": "admin",
    "restore": "admin",
    "doctor": "admin",
    "audit": "audit",
}
"""Where each command is. Only the one that was called is imported: what `serve` has in memory, its processes have."""


class Commands(UserDict[str, Any]):
    """Commands by name, each imported when it is looked at."""

    def __getitem__(self, name: str) -> click.Command:
        found: click.Command | str = super().__getitem__(name)
        if isinstance(found, str):
            commands: Sequence[click.Command] = import_module(f"eventreg.cli.{found}").COMMANDS
            found = next(command for command in commands if command.name == name)
            self[name] = found
        return found


class Group(FlaskGroup):
    """Flask's group, which asks installed libraries for their commands only where it is not one of ours."""

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The command of that name."""
        return self.commands[name] if name in self.commands else super().get_command(ctx, name)


cli = Group(
    commands=Commands(MODULES),
    name="eventreg",
    create_app=create_app,
    add_default_commands=False,
    add_version_option=False,
    help="Event registration and RSVP: the service and everything around it.",
)
click.version_option(package_name="eventreg", message="%(package)s %(version)s")(cli)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs a command; what it refuses is one line on standard error and exit status 1."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    output = Output()
    try:
        status = _run(words)
        output.settle()
    except EventRegError as error:
        _fail(str(error))
    except (*AWAY, ProgrammingError) as error:  # the last is how PostgreSQL says that a table is missing
        _fail(f"The database cannot be used: {_reason(error)}")
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        _fail("Stopped.")
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    sys.exit(status)


def _run(words: list[str]) -> int:
    if words and words[0] != "--version" and "--help" not in words:
        # Made here, so that a bad setting is said once and plainly instead of by Flask's loader.
        app = create_app()
        cli.create_app = lambda: app
    try:
        status = cli.main(args=words, prog_name="eventreg", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 0
    return status if isinstance(status, int) else 0


def _reason(error: SQLAlchemyError) -> str:
    """The database's own words, and the way out where it was never upgraded."""
    words = said(error)
    if getattr(getattr(error, "orig", None), "sqlstate", None) in MISSING or words.startswith("no such "):
        return f"{words}. Run `eventreg db upgrade` first."
    return words


def _fail(line: str) -> NoReturn:
    click.echo(f"eventreg: {line}", err=True)
    sys.exit(1)
