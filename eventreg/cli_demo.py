"""`eventreg demo` loads the demo calendar; `eventreg run-demo` is what `make run` runs."""

import os
from pathlib import Path

import click
from flask import Flask, current_app
from flask.cli import ScriptInfo, with_appcontext
from flask_babel import gettext as _
from flask_migrate import upgrade

from eventreg import clock
from eventreg import demo as demos
from eventreg.db import db, write_transaction
from eventreg.demo import account as demo_account
from eventreg.settings import DEFAULT_BASE_URL

ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - named, not bound to
"""Listening on every address, a browser on this machine still needs one."""


@click.command("demo")
@with_appcontext
def load_demo() -> None:
    """Load the demo calendar; refuses a database that already has events."""
    account = _load()
    click.echo(_("The demo calendar is loaded."))
    _echo_lines(_account_lines(account))


@click.command("run-demo")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on.")
@click.pass_context
def run_demo(context: click.Context, host: str, port: int) -> None:
    """Migrate, load the demo calendar into an empty database, and serve it until Ctrl-C."""
    from eventreg import supervisor

    app = context.ensure_object(ScriptInfo).load_app()
    base_url = app.config["BASE_URL"]
    if base_url == DEFAULT_BASE_URL:
        base_url = f"http://{ANY_ADDRESS.get(host, host)}:{port}"
    # Read by the processes that serve.
    os.environ |= {"EVENTREG_DEMO": "1", "EVENTREG_BASE_URL": base_url}
    with app.app_context():
        upgrade()
        if demos.has_events(db.session):
            account = demo_account.kept(db.session, Path(app.instance_path))
        else:
            account = _load()
        db.session.remove()
        db.engine.dispose()
        _echo_lines(_welcome(app, base_url, account))
    supervisor.serve(host=host, port=port)


def _load() -> demos.Account:
    with write_transaction(db.session):
        account = demos.load(db.session, now=clock.now(), links=current_app.extensions["eventreg.links"])
    demo_account.keep(Path(current_app.instance_path), account)
    return account


def _account_lines(account: demos.Account | None) -> list[tuple[str, str]]:
    if account is None:
        return []
    return [(_("Organizer"), account.email), (_("Password"), account.password)]


def _welcome(app: Flask, base_url: str, account: demos.Account | None) -> list[tuple[str, str]]:
    server = app.config["MAIL_SERVER"]
    kept = _(
        "kept in %(folder)s and shown at %(address)s", folder=app.config["MAIL_FOLDER"], address=base_url + "/dev/mail"
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
