"""Answers that programs ask for again and again: strong ETag, Last-Modified, and 304 before anything is built."""

from collections.abc import Callable
from datetime import datetime

from flask import Response, request
from werkzeug.http import is_resource_modified, quote_etag

from eventreg.web import page_cache

PUBLIC = "public, max-age=300"
PRIVATE = "private, no-cache"


def unchanged(*, etag: str, last_modified: datetime, cache_control: str) -> Response | None:
    """304 when the asker has it already, else None.

    If-None-Match counts before If-Modified-Since (RFC 9110 section 13.2.2). What the page cache keeps is made in any
    case, and compared there.
    """
    if page_cache.is_kept():
        return None
    last_modified = last_modified.replace(microsecond=0)
    if is_resource_modified(request.environ, etag=quote_etag(etag), last_modified=last_modified):
        return None
    response = Response(status=304)
    del response.headers["Content-Type"]
    return _marked(response, etag, last_modified, cache_control)


def fresh(
    content: bytes, *, etag: str = "", last_modified: datetime, content_type: str, cache_control: str
) -> Response:
    """200 with what the next request will be compared with; without `etag` the page cache makes one of the bytes."""
    response = Response(content, content_type=content_type)
    return _marked(response, etag, last_modified.replace(microsecond=0), cache_control)


def answer(
    build: Callable[[], bytes], *, etag: str, last_modified: datetime, content_type: str, cache_control: str
) -> Response:
    """One or the other; `build` is called only when its bytes are needed."""
    return unchanged(etag=etag, last_modified=last_modified, cache_control=cache_control) or fresh(
        build(), etag=etag, last_modified=last_modified, content_type=content_type, cache_control=cache_control
    )


def only_for_its_owner(response: Response) -> Response:
    """Marks what a private link opened: nothing shared keeps it, indexes it or passes its address on."""
    response.headers["Cache-Control"] = PRIVATE
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _marked(response: Response, etag: str, last_modified: datetime, cache_control: str) -> Response:
    if etag:
        response.set_etag(etag)
    response.last_modified = last_modified
    response.headers["Cache-Control"] = cache_control
    return response
