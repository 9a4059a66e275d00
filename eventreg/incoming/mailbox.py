"""Replies fetched from a mailbox by IMAP, for a site whose mail server delivers nowhere else. Source: RFC 3501.

Every minute one worker looks for mail that nobody has read, takes it in and marks it as read, or moves it where
REPLY_IMAP_DONE_FOLDER says. What was taken in and could not be marked is known when it is met again.
"""

import imaplib
import logging
import re
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from flask import Flask
from imap_tools import BaseMailBox, ImapToolsError, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.utils import encode_folder

from eventreg.calendar.letter import LARGEST
from eventreg.db import said
from eventreg.errors import EventRegError
from eventreg.incoming.ingest import DATABASE_AWAY, ingest

TIMEOUT_SECONDS = 10
"""For connecting and for each answer of the server."""
LONGEST_LOOK_SECONDS = 45
"""The next look comes in a minute; what is left waits for it."""
MOST_AT_ONCE = 200
TROUBLE = (ImapToolsError, imaplib.IMAP4.error, OSError, ValueError)
"""What an IMAP server can do to us: say no, break off, or answer what is none."""
_RESULT = re.compile(rb"^\s*\d+\s+\(")

log = logging.getLogger(__name__)


class MailboxTrouble(EventRegError):
    """The reply mailbox cannot be read; the message says why."""


def poll(app: Flask, now: datetime) -> int:
    """Takes in what is new in the mailbox of the settings; how many mails. Needs an application context.

    A mailbox that cannot be reached is said in the log, once a look, and `eventreg doctor` says it too.
    """
    if not app.config["REPLY_IMAP_HOST"]:
        return 0
    until = time.monotonic() + LONGEST_LOOK_SECONDS
    taken = 0
    try:
        with _opened(app) as mailbox:
            for uid in _unread(mailbox):
                if time.monotonic() > until:
                    break
                _take(app, mailbox, uid, now)
                taken += 1
    except MailboxTrouble as trouble:
        log.warning("%s", trouble)
    except DATABASE_AWAY as error:
        log.warning("The reply mailbox is left as it is, as the database is away: %s", said(error))
    return taken


def trouble(app: Flask) -> str:
    """Why the mailbox cannot be read; empty when it can, or none is set."""
    if not app.config["REPLY_IMAP_HOST"]:
        return ""
    try:
        with _opened(app) as mailbox:
            done = app.config["REPLY_IMAP_DONE_FOLDER"]
            if done and not mailbox.folder.exists(done):
                return f"The reply mailbox has no folder {done}: make it, or change REPLY_IMAP_DONE_FOLDER."
    except MailboxTrouble as found:
        return str(found)
    return ""


@contextmanager
def _opened(app: Flask) -> Iterator[BaseMailBox]:
    """The mailbox, its folder chosen. Raises: MailboxTrouble, also for what happens inside the block."""
    config = app.config
    where = f"{config['REPLY_IMAP_HOST']}:{config['REPLY_IMAP_PORT']}"
    mailbox = None
    try:
        mailbox = _connected(app)
        mailbox.login(config["REPLY_IMAP_USER"], config["REPLY_IMAP_PASSWORD"], config["REPLY_IMAP_FOLDER"])
        yield mailbox
    except TROUBLE as error:
        raise MailboxTrouble(f"The reply mailbox {where} cannot be read: {_words(error)}") from error
    finally:
        if mailbox is not None:
            _leave(mailbox)


def _connected(app: Flask) -> BaseMailBox:
    config = app.config
    host, port = config["REPLY_IMAP_HOST"], config["REPLY_IMAP_PORT"]
    if config["REPLY_IMAP_SSL"]:
        return MailBox(host, port, timeout=TIMEOUT_SECONDS, ssl_context=ssl.create_default_context())
    if config["REPLY_IMAP_STARTTLS"]:
        return MailBoxStartTls(host, port, timeout=TIMEOUT_SECONDS, ssl_context=ssl.create_default_context())
    return MailBoxUnencrypted(host, port, timeout=TIMEOUT_SECONDS)


def _unread(mailbox: BaseMailBox) -> list[str]:
    """UIDs, which stay the same while others come and go; oldest first."""
    return mailbox.uids("UNSEEN UNDELETED", charset=None)[:MOST_AT_ONCE]


def _take(app: Flask, mailbox: BaseMailBox, uid: str, now: datetime) -> None:
    """One mail: read without marking it, taken in, and only then marked. Raises: TROUBLE, DATABASE_AWAY."""
    data = _fetched(mailbox, uid)
    if data is None:  # somebody has moved it away meanwhile
        return
    ingest(app, data, now=now)
    _checked(mailbox.client.uid("STORE", uid, "+FLAGS.SILENT", "(\\Seen)"))
    done = app.config["REPLY_IMAP_DONE_FOLDER"]
    if done:
        _move(mailbox, uid, encode_folder(done))


def _move(mailbox: BaseMailBox, uid: str, folder: bytes) -> None:
    """Moves this mail and no other: without RFC 6851 it is copied and marked, and only RFC 4315 takes out one alone."""
    client = mailbox.client
    if "MOVE" in client.capabilities:
        _checked(client.uid("MOVE", uid, folder))  # type: ignore[arg-type]
        return
    _checked(client.uid("COPY", uid, folder))  # type: ignore[arg-type]
    _checked(client.uid("STORE", uid, "+FLAGS.SILENT", "(\\Deleted)"))
    if "UIDPLUS" in client.capabilities:
        _checked(client.uid("EXPUNGE", uid))


def _fetched(mailbox: BaseMailBox, uid: str) -> bytes | None:
    """As much of the mail as is looked at, so that a huge one costs no more."""
    items = _checked(mailbox.client.uid("FETCH", uid, f"(UID BODY.PEEK[]<0.{LARGEST + 1}>)"))
    return next((item[1] for item in items if isinstance(item, tuple) and _RESULT.match(item[0])), None)


def _checked(answer: tuple[str, list[object]]) -> list[object]:
    status, items = answer
    if status != "OK":
        raise imaplib.IMAP4.error(f"it said {status}: {items[:1]}")
    return items


def _leave(mailbox: BaseMailBox) -> None:
    try:
        mailbox.logout()
    except TROUBLE:
        mailbox.client.shutdown()


def _words(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text[:300]
