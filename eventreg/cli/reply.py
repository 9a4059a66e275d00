"""`eventreg reply`: mail to the reply mailbox coming in."""

from typing import IO

import click
from flask import Flask, current_app
from flask.cli import AppGroup, ScriptInfo

from eventreg import clock, tasks
from eventreg.calendar.letter import LARGEST
from eventreg.cli.starting import check_start
from eventreg.errors import EventRegError

reply = AppGroup("reply", help="Answers given in a calendar program, and mail that came back.")


@reply.command("ingest")
@click.argument("file", default="-")
def ingest(file: str) -> None:
    """Take in one e-mail from FILE or standard input: a calendar reply, mail that came back, or somebody's words.

    Says in one line what became of it: applied, ignored, or held for the organizer.
    """
    from eventreg.incoming import ingest as incoming

    try:
        with click.open_file(file, "rb") as stream:
            data = _read(stream)
    except OSError as error:
        raise EventRegError(f"The mail in {file} cannot be read: {error.strerror or error}.") from error
    except RuntimeError as error:  # how click says that there is no standard input at all
        raise EventRegError("There is no standard input to read the mail from.") from error
    taken = incoming.ingest(current_app._get_current_object(), data, now=clock.now())  # type: ignore[attr-defined] # noqa: SLF001 - the app itself
    if taken.may_owe_mail:
        tasks.nudge()
    click.echo(str(taken))


@reply.command("serve", with_appcontext=False)
@click.option("--lmtp", "port", type=click.IntRange(1, 65535), required=True, help="Port to take mail in on.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.pass_context
def serve(context: click.Context, port: int, host: str) -> None:
    """Take in replies from the site's mail server by LMTP, until Ctrl-C."""
    import logging

    from eventreg.incoming import lmtp
    from eventreg.incoming.port import listen

    app: Flask = context.ensure_object(ScriptInfo).load_app()
    check_start(app)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s replies: %(message)s")
    with listen(host, port) as listener:
        click.echo(f"Taking in replies by LMTP on {host}:{port}. Ctrl-C stops it.")
        lmtp.serve(app, listener, after=tasks.nudge)


def _read(stream: IO[bytes]) -> bytes:
    """As much of it as is looked at, and one byte to show that there was more; the rest is read away, not kept."""
    data = stream.read(LARGEST + 1)
    while stream.read(LARGEST):
        pass
    return data


COMMANDS = (reply,)
