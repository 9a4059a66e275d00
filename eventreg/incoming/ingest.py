"""Entry point for incoming mail (command, LMTP, mailbox): any bytes, one transaction and one log line a recipient."""

import logging
import traceback
from datetime import datetime

from flask import Flask
from sqlalchemy.exc import ProgrammingError

from eventreg.calendar import letter as letters
from eventreg.calendar.letter import Letter
from eventreg.db import AWAY, db, write_transaction
from eventreg.incoming import service
from eventreg.incoming.service import Arrival, Taken

DATABASE_AWAY = (*AWAY, ProgrammingError)
"""The last is how PostgreSQL says that a table is missing."""

log = logging.getLogger(__name__)
log.setLevel(logging.INFO)  # one line a mail is what there is to see, also where other news is not wanted


def ingest(app: Flask, data: bytes, *, now: datetime, envelope: str = "") -> Taken:
    """Takes in one mail; `envelope` is the recipient the mail server named. Needs an application context.

    Raises: one of DATABASE_AWAY, and nothing was done then; for the mail itself nothing, whatever it holds.
    """
    return ingest_for(app, data, parsed(data), now=now, envelope=envelope)


def parsed(data: bytes) -> Letter | str:
    """The mail in those bytes, or why it is none. For many recipients it is parsed once."""
    try:
        return letters.read(data)
    except letters.UnreadableMail as error:
        return str(error)


def ingest_for(app: Flask, data: bytes, letter: Letter | str, *, now: datetime, envelope: str) -> Taken:
    """As `ingest`, with what `parsed` made of the bytes."""
    if isinstance(letter, str):
        taken = Taken("ignored", "mail", letter)
    else:
        taken = _take(app, Arrival(data=data[: letters.LARGEST], letter=letter, envelope=envelope), now)
    log.info("Mail received: %s", taken)
    return taken


def _take(app: Flask, arrival: Arrival, now: datetime) -> Taken:
    session = db.session()
    try:
        with write_transaction(session):
            return service.take(session, arrival, links=app.extensions["eventreg.links"], now=now)
    except DATABASE_AWAY:
        raise
    except Exception as error:
        # A fault of ours: said in the log, and not to a mail server, which could only send the mail back.
        log.error("A mail could not be taken in: %r at %s", error, _place(error))  # noqa: TRY400 - one line a mail
        log.debug("In full", exc_info=error)
        return Taken("ignored", "mail", "it could not be taken in; the log says why")


def _place(error: Exception) -> str:
    """Where in the program it was raised."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{last.filename}:{last.lineno}"
