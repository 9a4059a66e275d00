"""`eventreg demo` loads the demo calendar; `eventreg run-demo` is what `make run` runs."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
from flask import Flask, current_app
from flask.cli import ScriptInfo, with_appcontext
from flask_babel import gettext as _

from eventreg import clock
from eventreg.cli.starting import check_surroundings
from eventreg.db import db, write_transaction
from eventreg.settings import DEFAULT_BASE_URL

if TYPE_CHECKING:
    from eventreg.demo import Account


@click.command("demo")
@with_appcontext
def load_demo() -> None:
    """Load the demo calendar; refuses a database that already has events."""
    account = _load()
    click.echo(_("The demo calendar is loaded."))
    _echo_lines(_account_lines(account))


@click.command("run-demo")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes a free one."
)
@click.pass_context
def run_demo(context: click.Context, host: str, port: int) -> None:
    """Migrate, load the demo calendar into an empty database, and serve it until Ctrl-C."""
    from eventreg import supervisor

    app = context.ensure_object(ScriptInfo).load_app()
    check_surroundings(app)
    os.environ["EVENTREG_DEMO"] = "1"  # read by the processes that serve
    account = supervisor.apart(lambda: _prepare(app))
    given = app.config["BASE_URL"]
    supervisor.serve(
        host=host,
        port=port,
        base_url=None if given == DEFAULT_BASE_URL else given,
        announce=lambda url: _echo_lines(_welcome(app, url if given == DEFAULT_BASE_URL else given, account)),
    )


def _prepare(app: Flask) -> "Account | None":
    """Brings the database up to date, and fills an empty one; the demo's account."""
    from flask_migrate import upgrade

    from eventreg import demo as demos
    from eventreg.demo import account as demo_account

    with app.app_context():
        upgrade()
        try:
            if not demos.has_events(db.session()):
                return _load()
            return demo_account.kept(db.session(), Path(current_app.instance_path))
        finally:
            db.session.remove()
            db.engine.dispose()


def _load() -> "Account":
    from eventreg import demo as demos
    from eventreg.demo import account as demo_account

    with write_transaction(db.session()):
        account = demos.load(db.session(), now=clock.now(), links=current_app.extensions["eventreg.links"])
        demo_account.keep(Path(current_app.instance_path), account)  # or the account would be lost with its password
    return account


def _account_lines(account: "Account | None") -> list[tuple[str, str]]:
    if account is None:
        return []
    return [(_("Organizer"), account.email), (_("Password"), account.password)]


def _welcome(app: Flask, base_url: str, account: "Account | None") -> list[tuple[str, str]]:
    from eventreg.web import kept_mail

    server = app.config["MAIL_SERVER"]
    kept = _(
        "kept in %(folder)s and shown at %(address)s",
        folder=app.config["MAIL_FOLDER"],
        address=base_url + kept_mail.address(app),
    )
    return [
        (_("Calendar"), base_url),
        (_("Desk"), base_url + "/organize/"),
        *_account_lines(account),
        (_("Mail"), _("sent by %(server)s", server=server) if server else kept),
        (_("Stop"), "Ctrl-C"),
    ]


def _echo_lines(lines: list[tuple[str, str]]) -> None:
    width = max((len(name) for name, _value in lines), default=0)
    for name, value in lines:
        click.echo(f"  {click.style(name.ljust(width), bold=True)}  {value}")


COMMANDS = (load_demo, run_demo)
