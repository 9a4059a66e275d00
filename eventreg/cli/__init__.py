"""The console command `eventreg`: Flask's own command group with this service's commands, and plain refusals.

Exit status: 0 done, 1 refused or failed with one line on standard error, 2 wrong usage.
"""

import sys
from collections.abc import Sequence
from typing import NoReturn

import click
from flask.cli import FlaskGroup
from psycopg.errors import UndefinedColumn, UndefinedTable
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError

from eventreg import create_app
from eventreg.cli import admin, demo, events, mail, organizers, reply, serve
from eventreg.db import AWAY, said
from eventreg.errors import EventRegError

MISSING = (UndefinedTable, UndefinedColumn)
"""How PostgreSQL says that a database is older than this release; SQLite says “no such table”."""

cli = FlaskGroup(
    name="eventreg",
    create_app=create_app,
    add_default_commands=False,
    add_version_option=False,
    help="Event registration and RSVP: the service and everything around it.",
)
for module in (serve, demo, organizers, events, mail, reply, admin):
    for command in module.COMMANDS:
        cli.add_command(command)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs a command; what it refuses is one line on standard error and exit status 1."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if "--help" not in words and words:
            # Made here, so that a bad setting is said once and plainly instead of by Flask's loader.
            app = create_app()
            cli.create_app = lambda: app
        status = cli.main(args=words, prog_name="eventreg", standalone_mode=False)
    except EventRegError as error:
        _fail(str(error))
    except (*AWAY, ProgrammingError) as error:  # the last is how PostgreSQL says that a table is missing
        _fail(f"The database cannot be used: {_reason(error)}")
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        sys.exit(0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        _fail("Stopped.")
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    sys.exit(status if isinstance(status, int) else 0)


def _reason(error: SQLAlchemyError) -> str:
    """The database's own words, and the way out where it was never upgraded."""
    words = said(error)
    if isinstance(getattr(error, "orig", None), MISSING) or words.startswith("no such "):
        return f"{words}. Run `eventreg db upgrade` first."
    return words


def _fail(line: str) -> NoReturn:
    click.echo(f"eventreg: {line}", err=True)
    sys.exit(1)
