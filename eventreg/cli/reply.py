"""`eventreg reply`: calendar replies coming in by mail."""

from typing import BinaryIO

import click

from eventreg.errors import EventRegError


@click.group("reply")
def reply() -> None:
    """Answers given in a calendar program."""


@reply.command("ingest")
@click.argument("file", type=click.File("rb"), default="-")
def ingest(file: BinaryIO) -> None:  # noqa: ARG001 - part of the command's face
    """Take in one e-mail with a calendar reply, from FILE or standard input."""
    raise EventRegError("Taking in calendar replies is not part of this version yet; nothing was read or changed.")


COMMANDS = (reply,)
