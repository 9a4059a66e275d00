"""`eventreg organizer …`: accounts of the people who run events."""

import sys

import click
from flask.cli import with_appcontext

from eventreg import addresses, clock
from eventreg.audit import Actor
from eventreg.db import db, write_transaction
from eventreg.events import ownership
from eventreg.organizers import access, leaving, service
from eventreg.organizers.models import ROLES, Organizer

BY = Actor.system("eventreg organizer")


@click.group()
def organizer() -> None:
    """Accounts: add, list, new password, role, disable, enable, remove."""


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
        _tell_of_new_password(changed)
    click.echo(f"{address} has a new password" + (" and signs in without codes." if forget_two_factor else "."))


@organizer.command("disable")
@click.argument("email")
@with_appcontext
def disable(email: str) -> None:
    """Sign EMAIL out everywhere and let nobody in with it again. Its events stay as they are."""
    with write_transaction(db.session()):
        disabled = leaving.disable(db.session(), email=email, actor=BY, now=clock.now())
        address, events = disabled.email, ownership.count_of(db.session(), disabled.id)
    click.echo(f"Disabled {address}: signed out everywhere.")
    if events:
        click.echo(
            f"Its events are still there: {events}. `eventreg organizer remove {address} --to EMAIL` moves them."
        )


@organizer.command("enable")
@click.argument("email")
@with_appcontext
def enable(email: str) -> None:
    """Let EMAIL sign in again, with the password it had."""
    with write_transaction(db.session()):
        address = leaving.enable(db.session(), email=email, actor=BY, now=clock.now()).email
    click.echo(f"Enabled {address}, with the password it had.")


@organizer.command("role")
@click.argument("email")
@click.argument("role", type=click.Choice(ROLES))
@with_appcontext
def role(email: str, role: str) -> None:
    """Give EMAIL the ROLE admin, organizer or door."""
    with write_transaction(db.session()):
        address = leaving.set_role(db.session(), email=email, role=role, actor=BY, now=clock.now()).email
    click.echo(f"{address} has the role {role}.")


@organizer.command("remove")
@click.argument("email")
@click.option("--to", metavar="EMAIL", help="The account that takes over its events and followed calendars.")
@with_appcontext
def remove(email: str, to: str | None) -> None:
    """Delete the account of EMAIL. What it did stays in the audit trail."""
    from eventreg.following.leaving import remove_account

    with write_transaction(db.session()):
        moved = remove_account(db.session(), email=email, to=to, actor=BY, now=clock.now())
    click.echo(f"Removed {addresses.identity(email)}.")
    if to is not None:
        click.echo(f"{addresses.identity(to)} took over {moved.events} events, {moved.calendars} followed calendars.")


def _tell_of_new_password(account: Organizer) -> None:
    """The mail that a change on the account page sends too, so that no new password goes unnoticed."""
    from flask import render_template
    from flask_babel import gettext as _

    from eventreg.outbox import queue

    mail = {
        "subject": _("Your password has been changed"),
        "text": render_template("security/email/change_notice.txt", user=account),
        "html": render_template("security/email/change_notice.html", user=account),
    }
    queue.add(
        db.session(),
        kind="auth",
        recipient=account.email,
        recipient_name=account.name,
        payload=mail,
        now=clock.now(),
    )


def _password(from_stdin: bool) -> str:
    """From the pipe, or typed twice on a terminal. Never on the command line, where `ps` shows it."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise click.UsageError("There is no terminal to ask for a password. Use --password-stdin.")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


COMMANDS = (organizer,)
