"""`eventreg organizer …`: accounts of the people who run events."""

import sys

import click
from flask.cli import with_appcontext

from eventreg import clock
from eventreg.db import db, write_transaction
from eventreg.organizers import access, service
from eventreg.organizers.models import ROLES


@click.group()
def organizer() -> None:
    """Accounts: add, list, new password."""


@organizer.command("add")
@click.argument("email")
@click.option("--name", default="", help="The person's name, shown at the desk and in the history.")
@click.option("--role", type=click.Choice(ROLES), default="organizer", show_default=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input, one line.")
@with_appcontext
def add(email: str, name: str, role: str, password_stdin: bool) -> None:
    """Create an account for EMAIL; asks for a password on a terminal."""
    password = _password(password_stdin)
    with write_transaction(db.session()):
        made = service.add(db.session(), email=email, name=name, role=role, password=password, now=clock.now())
        address = made.email
    click.echo(f"Added {address} with the role {role}.")


@organizer.command("list")
@with_appcontext
def list_organizers() -> None:
    """Every account: e-mail, role, sign-in codes, name."""
    for one in service.everybody(db.session()):
        codes = "codes" if one.tf_primary_method else "no codes"
        click.echo("\t".join((one.email, access.role_of(one), codes if one.active else "disabled", one.name)))


@organizer.command("password")
@click.argument("email")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input, one line.")
@click.option("--forget-two-factor", is_flag=True, help="Also switch sign-in codes off: the phone is lost.")
@with_appcontext
def password(email: str, password_stdin: bool, forget_two_factor: bool) -> None:
    """Set a new password for EMAIL, which signs the account out everywhere."""
    new = _password(password_stdin)
    with write_transaction(db.session()):
        changed = service.set_password(
            db.session(), email=email, password=new, now=clock.now(), forget_two_factor=forget_two_factor
        )
        address = changed.email
    click.echo(f"{address} has a new password" + (" and signs in without codes." if forget_two_factor else "."))


def _password(from_stdin: bool) -> str:
    """From the pipe, or typed twice on a terminal. Never on the command line, where `ps` shows it."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise click.UsageError("There is no terminal to ask for a password. Use --password-stdin.")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


COMMANDS = (organizer,)
