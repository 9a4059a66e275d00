"""gzip for what is text, when the browser asks for it.

The compressed form is another representation, so its strong ETag gets a suffix (RFC 9110 section 8.8.3.3) and
every compressible answer says `Vary: Accept-Encoding`. The suffix is taken off again before a view compares
If-None-Match, so views know nothing of all this. Streamed answers (exports) pass through as they are.
"""

import gzip
import io
import secrets
from functools import lru_cache

from flask import Flask, Response, g, request
from werkzeug.datastructures import ResponseCacheControl

SUFFIX = "-gzip"
SMALLEST = 600
"""Bytes below which gzip saves nothing worth the work."""
LARGEST = 8 * 1024 * 1024
KEPT = 128 * 1024
"""Bodies for everybody up to this many bytes are compressed once and remembered."""
COMPRESSIBLE = frozenset(
    {
        "text/html",
        "text/plain",
        "text/css",
        "text/javascript",
        "text/calendar",
        "application/json",
        "application/problem+json",
        "application/javascript",
        "application/atom+xml",
        "application/xml",
        "application/manifest+json",
        "image/svg+xml",
    }
)


def init_app(app: Flask) -> None:
    """Compresses every suitable answer of this app."""
    app.before_request(_forget_suffix)
    app.after_request(compress)


def _forget_suffix() -> None:
    tags = request.headers.get("If-None-Match", "")
    if f'{SUFFIX}"' in tags:
        g.compressed_tags = tags
        request.environ["HTTP_IF_NONE_MATCH"] = tags.replace(f'{SUFFIX}"', '"')


def compress(response: Response) -> Response:
    """The same answer in fewer bytes, or as it was."""
    if "kept_page" in g:  # web/page_cache.py packs it once for all
        return response
    if response.status_code == 304:  # noqa: PLR2004
        return _restore_suffix(response)
    if response.mimetype not in COMPRESSIBLE or "Content-Encoding" in response.headers:
        return response
    response.vary.add("Accept-Encoding")
    if response.status_code == 206 or not _accepts_gzip() or not _in_memory(response):  # noqa: PLR2004
        return response
    body = response.get_data()
    if SMALLEST <= len(body) <= LARGEST:
        response.set_data(_page(body) if response.mimetype == "text/html" else _file(body, response.cache_control))
        response.headers["Content-Encoding"] = "gzip"
        response.headers.pop("Accept-Ranges", None)
        tag, weak = response.get_etag()
        if tag and not weak:
            response.set_etag(tag + SUFFIX)
    return response


def _restore_suffix(response: Response) -> Response:
    response.vary.add("Accept-Encoding")
    tag, weak = response.get_etag()
    if tag and not weak and f'"{tag}{SUFFIX}"' in g.get("compressed_tags", ""):
        response.set_etag(tag + SUFFIX)
    return response


def _accepts_gzip() -> bool:
    return request.accept_encodings["gzip"] > 0


def _in_memory(response: Response) -> bool:
    """Whether the body is at hand; a small static file is read, a streamed answer left alone."""
    if request.endpoint == "static" and (response.content_length or LARGEST) < LARGEST:
        response.direct_passthrough = False
        return True
    return not response.direct_passthrough and not response.is_streamed


def _file(body: bytes, caching: ResponseCacheControl) -> bytes:
    """Stylesheet, script, feed: the same bytes every time. What one person alone may see is not remembered."""
    if "private" not in caching and len(body) <= KEPT:
        return _kept(body)
    return gzip.compress(body, compresslevel=6, mtime=0)


@lru_cache(maxsize=32)
def _kept(body: bytes) -> bytes:
    return gzip.compress(body, compresslevel=9, mtime=0)


def _page(body: bytes) -> bytes:
    """A page may hold a CSRF token beside a visitor's text: a length varying at random tells nothing (BREACH)."""
    buffer = io.BytesIO()
    name = "x" * secrets.randbelow(64)
    with gzip.GzipFile(filename=name, fileobj=buffer, mode="wb", compresslevel=6, mtime=0) as packed:
        packed.write(body)
    return buffer.getvalue()
