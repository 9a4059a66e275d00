"""`eventreg mail`: what waits, what failed and why, and the mail server's own words."""

import secrets
from datetime import datetime, timedelta

import click
from flask import current_app
from flask.cli import AppGroup
from flask_babel import gettext as _

from eventreg import clock, tasks
from eventreg.addresses import normalised
from eventreg.db import db, write_transaction
from eventreg.errors import EventRegError
from eventreg.outbox import queries, queue

mail = AppGroup("mail", help="Mail that waits or has failed, and the mail server.")


@mail.command("status")
def status() -> None:
    """Show how much mail is in each state, and why it waits or has failed."""
    config = current_app.config
    if config["MAIL_SERVER"]:
        click.echo(f"Mail leaves through {config['MAIL_SERVER']}:{config['MAIL_PORT']}.")
    else:
        click.echo(f"No mail server is set. Mail is kept in {config['MAIL_FOLDER']}.")
    for state, count in queries.state_counts(db.session()).items():
        click.echo(f"{state:<9} {count:>7}")
    held_back, came_back = queries.held_back_and_bounced(db.session())
    if held_back:
        click.echo(f"{held_back} of the queued wait because their address has had enough mail for an hour.")
    if came_back:
        click.echo(
            f"{came_back} of the failed came back after they were sent; `mail retry --bounced` sends them again."
        )
    for reason in queries.reasons(db.session()):
        words = reason.server_reply or "not tried yet"
        click.echo(f"{reason.count} {reason.state}, oldest {reason.oldest_at:%Y-%m-%d %H:%M} UTC: {words}")
    if days := config["MAIL_KEEP_DAYS"]:
        click.echo(f"The words of finished mails are forgotten after {days} days; kept files go with them.")


@mail.command("test")
@click.argument("address")
def test(address: str) -> None:
    """Send a mail to ADDRESS at once and say what the mail server answered."""
    from eventreg.mail import compose, gather
    from eventreg.mail.deliver import UndeliveredError, send_now
    from eventreg.outbox.models import Message

    recipient = normalised(address)
    app, now, key = current_app._get_current_object(), clock.now(), secrets.token_hex(16)  # type: ignore[attr-defined] # noqa: SLF001 - the app itself
    message = Message(kind="test", recipient=recipient, payload={}, message_key=key, created_at=now, stamp_at=now)
    written = compose.plain(message, site=gather.site_of(app), templates=gather.templates_of(app))
    try:
        words = send_now(app, written, recipient=recipient, kind="test", now=now, key=key)
    except UndeliveredError as error:
        server = f"{app.config['MAIL_SERVER']}:{app.config['MAIL_PORT']}" if app.config["MAIL_SERVER"] else "the folder"
        raise EventRegError(f"The mail was not taken by {server}: {error}") from error
    click.echo(words)


@mail.command("retry")
@click.option("--bounced", is_flag=True, help="Also send again what was sent and came back.")
def retry(bounced: bool) -> None:
    """Try again, now, everything that failed or waits for its next try."""
    now = clock.now()
    with write_transaction(db.session()):
        count = queue.retry_failed(db.session(), now=now, with_bounced=bounced, since=_kept_since(now))
    tasks.nudge()
    click.echo(_("%(count)d to be tried again.", count=count))


def _kept_since(now: datetime) -> datetime | None:
    """What was owed before that has been forgotten, and cannot be written again."""
    days = current_app.config["MAIL_KEEP_DAYS"]
    return now - timedelta(days=days) if days else None


COMMANDS = (mail,)
