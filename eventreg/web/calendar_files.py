"""Calendar bytes as HTTP answers: types, names of files."""

import hashlib
import re
from datetime import datetime
from urllib.parse import quote

from flask import Response

from eventreg.calendar.text import one_line
from eventreg.web import conditional

FEED_TYPE = "text/calendar; charset=utf-8"


def download(
    content: bytes, *, method: str, slug: str, title: str, last_modified: datetime, cache_control: str
) -> Response:
    """A calendar file to save or open; its ETag is a digest of its bytes."""
    response = conditional.answer(
        lambda: content,
        etag=hashlib.sha256(content).hexdigest()[:32],
        last_modified=last_modified,
        content_type=f"{FEED_TYPE}; method={method}",
        cache_control=cache_control,
    )
    response.headers["Content-Disposition"] = attachment(slug, title, "ics")
    return response


def attachment(slug: str, title: str, extension: str) -> str:
    """Content-Disposition with a plain name for old programs and the title for the others (RFC 6266).

    >>> print(attachment("cafe", "Café", "ics"))
    attachment; filename="cafe.ics"; filename*=UTF-8''Caf%C3%A9.ics
    """
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", slug).strip("-.") or "event"
    full = re.sub(r'[\\/:*?"<>|]+', "-", one_line(title))[:80].strip(" .-") or plain
    return f"attachment; filename=\"{plain}.{extension}\"; filename*=UTF-8''{quote(full, safe='')}.{extension}"
