"""Telling robots from people without asking people to prove it: an empty field and a moment's time."""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta

from flask import current_app, session

OPENED = "opened"
MOST_REMEMBERED = 20


def note_opening(event_id: int, now: datetime) -> None:
    """Notes in the signed session cookie when this form was shown."""
    opened = dict(session.get(OPENED, {}))
    opened.pop(str(event_id), None)
    opened[str(event_id)] = [int(now.timestamp() * 1000), secrets.token_urlsafe(6)]
    session[OPENED] = dict(list(opened.items())[-MOST_REMEMBERED:])


def opened_at(event_id: int) -> datetime | None:
    """When the form was last shown to this visitor; None when that is not known."""
    noted = session.get(OPENED, {}).get(str(event_id))
    if noted is None:
        return None
    millis = noted[0] if isinstance(noted, list) else noted  # the version before noted the moment alone
    return datetime.fromtimestamp(millis / 1000, UTC)


def opening(event_id: int) -> str:
    """Names the present opening of the form; it is signed in the session, so that none can be made up.

    A copied cookie is the same opening. Ask only after the CSRF token has been checked.
    """
    facts = (session.get("csrf_token", ""), event_id, session.get(OPENED, {}).get(str(event_id)))
    return hashlib.blake2b(repr(facts).encode(), digest_size=16).hexdigest()


def is_too_quick(event_id: int, now: datetime) -> bool:
    """Whether the form came back quicker than MIN_FILL_SECONDS, or was never opened; then its time begins now."""
    least = timedelta(seconds=current_app.config["MIN_FILL_SECONDS"])
    if not least:
        return False
    opened = opened_at(event_id)
    if opened is None:
        note_opening(event_id, now)
        return True
    return now - opened < least
