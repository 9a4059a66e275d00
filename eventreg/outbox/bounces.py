"""Mail that came back: the server that took it could not deliver it, and said so in a mail of its own (RFC 3464)."""

import re
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import update
from sqlalchemy.orm import Session

from eventreg.outbox.models import Message
from eventreg.outbox.queue import one_line_of

_KEY = re.compile(r"[0-9a-f]{32}")


def record(session: Session, *, message_key: str, words: str, now: datetime) -> bool:
    """Marks the mail whose Message-ID begins with that key as come back; whether this was news.

    False for a key that is none of ours, and for a mail that is known to have come back or was never sent. `words` are
    those of the server that sent it back. The registration keeps its seat: an address that is full today is none of
    its attendee's doing. Flushes nothing but this one statement; never raises for whatever `words` hold.
    """
    key = message_key.strip().lower()
    if not _KEY.fullmatch(key):
        return False
    reply = _("It came back: %(words)s", words=words) if words.strip() else _("It came back.")
    found = session.scalars(
        update(Message)
        .where(
            Message.message_key == key,
            Message.bounced_at.is_(None),
            Message.state != "aborted",
            # One that was never tried cannot have come back; one in the middle of a second try can.
            Message.attempts > 0,
        )
        .values(state="failed", bounced_at=now, leased_until=None, server_reply=one_line_of(reply))
        .returning(Message.id)
        .execution_options(synchronize_session=False)
    )
    return found.first() is not None
