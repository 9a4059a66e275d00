"""A real IMAP server with one empty mailbox, in a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imap_tools import BaseMailBox, MailBoxUnencrypted

from tests.support.smtp import free_port, wait_until

USER, PASSWORD = "rsvp", "correct horse"


@dataclass(frozen=True, slots=True)
class ImapServer:
    """Where it listens, and its one account."""

    port: int

    def settings(self, **given: Any) -> dict[str, Any]:
        """The settings that read its mailbox."""
        return {
            "REPLY_IMAP_HOST": "127.0.0.1",
            "REPLY_IMAP_PORT": self.port,
            "REPLY_IMAP_USER": USER,
            "REPLY_IMAP_PASSWORD": PASSWORD,
            "REPLY_IMAP_SSL": False,
            **given,
        }

    def open(self, folder: str = "INBOX") -> BaseMailBox:
        """The mailbox as its owner sees it."""
        return MailBoxUnencrypted("127.0.0.1", self.port, timeout=10).login(USER, PASSWORD, folder)

    def put(self, *mails: bytes) -> None:
        """Delivers mails to the inbox, unread."""
        with self.open() as mailbox:
            for mail in mails:
                mailbox.append(mail, "INBOX")

    def make(self, folder: str) -> None:
        """A folder more."""
        with self.open() as mailbox:
            mailbox.folder.create(folder)

    def count(self, criteria: str, folder: str = "INBOX") -> int:
        """How many mails answer an IMAP search."""
        with self.open(folder) as mailbox:
            return len(mailbox.uids(criteria, charset=None))


@contextmanager
def running_imap_server() -> Iterator[ImapServer]:
    """A server until the block ends."""
    port = free_port()
    account = ["dict", "--demo-data", "--demo-user", USER, "--demo-password", PASSWORD]
    process = subprocess.Popen(
        [
            str(Path(sys.executable).with_name("pymap")),
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--no-tls",
            *account,
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    server = ImapServer(port)
    try:
        wait_until(lambda: _is_there(server), seconds=30, what="the IMAP server's start")
        with server.open() as mailbox:  # without the letters it comes with
            mailbox.delete(mailbox.uids("ALL", charset=None))
        yield server
    finally:
        process.kill()
        process.wait()


def _is_there(server: ImapServer) -> bool:
    try:
        server.open().logout()
    except OSError:
        return False
    return True
