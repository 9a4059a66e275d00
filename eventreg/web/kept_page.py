"""One finished answer: its headers and bytes, plain and packed, each with a strong ETag of its own (RFC 9110 8.8.3)."""

import gzip
import hashlib
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flask import Response
from werkzeug.datastructures import Accept, Headers
from werkzeug.http import is_resource_modified, parse_accept_header, quote_etag

from eventreg.events.revision import Facts
from eventreg.web.compression import COMPRESSIBLE, LARGEST, SMALLEST, SUFFIX

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

OF_THE_BODY = frozenset({"content-type", "content-disposition"})
MADE_HERE = frozenset({"content-length", "content-encoding", "etag"})
"""A 304 does without either (RFC 9110 section 15.4.5)."""
BEST_UP_TO = 128 * 1024
"""Bodies up to this many bytes are packed as small as gzip can; larger ones for less work."""
Pairs = list[tuple[str, str]]


class KeptPage:
    """A page, the facts it was made of, and the time in which the clock changes nothing in it."""

    def __init__(self, body: bytes, headers: Headers, *, facts: Facts, since: datetime, until: datetime | None) -> None:
        self.facts, self.since, self.until = facts, since, until
        self._body = body
        self._packed: bytes | None = None
        self._can_be_packed = (headers.get("Content-Type") or "").partition(";")[0] in COMPRESSIBLE and SMALLEST <= len(
            body
        ) <= LARGEST
        self._last_modified = headers.get("Last-Modified")
        tag = hashlib.sha256(body).hexdigest()[:32]
        self._tag, self._packed_tag = quote_etag(tag), quote_etag(tag + SUFFIX)
        common = Headers([pair for pair in headers if pair[0].lower() not in OF_THE_BODY | MADE_HERE])
        own = [pair for pair in headers if pair[0].lower() in OF_THE_BODY]
        self._unchanged: Pairs = [*common, ("ETag", self._tag)]
        self._unchanged_packed: Pairs = [*common, ("ETag", self._packed_tag)]
        self._whole: Pairs = [*own, ("Content-Length", str(len(body))), *self._unchanged]
        self._whole_packed: Pairs = [*own, ("Content-Encoding", "gzip"), *self._unchanged_packed]

    @classmethod
    def of(cls, response: Response, *, facts: Facts, since: datetime, until: datetime | None) -> "KeptPage":
        """What a view made, after every other part has added its headers."""
        body = response.get_data()
        if response.mimetype in COMPRESSIBLE:
            response.vary.add("Accept-Encoding")
        return cls(body, response.headers, facts=facts, since=since, until=until)

    @property
    def size(self) -> int:
        """Bytes it takes, about."""
        return len(self._body) + len(self._packed or b"") + 2000

    def answer(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """The answer to this request as WSGI gives it (PEP 3333)."""
        status, headers, body = self._chosen(environ)
        start_response(status, headers)
        return [body] if body and environ["REQUEST_METHOD"] != "HEAD" else []

    def response(self, environ: "WSGIEnvironment") -> Response:
        """The same as Flask gives it."""
        status, headers, body = self._chosen(environ)
        response = Response(body, status=status)
        response.headers = Headers(headers)
        return response

    def _chosen(self, environ: "WSGIEnvironment") -> tuple[str, Pairs, bytes]:
        """Status line, headers and body: a 304 for who has it already, else packed for who can unpack it."""
        asked = environ.get("HTTP_IF_NONE_MATCH", "")
        if asked or "HTTP_IF_MODIFIED_SINCE" in environ:
            if asked == self._tag or (not self._is_packed_in(asked) and self._is_unchanged(environ, asked)):
                return "304 NOT MODIFIED", self._unchanged.copy(), b""
            if self._is_packed_in(asked):
                return "304 NOT MODIFIED", self._unchanged_packed.copy(), b""
        if self._can_be_packed and _accepts_gzip(environ.get("HTTP_ACCEPT_ENCODING", "")):
            packed = self._pack()
            return "200 OK", [*self._whole_packed, ("Content-Length", str(len(packed)))], packed
        return "200 OK", self._whole.copy(), self._body

    def _is_packed_in(self, asked: str) -> bool:
        return self._packed_tag in asked

    def _is_unchanged(self, environ: "WSGIEnvironment", asked: str) -> bool:
        """If-None-Match counts before If-Modified-Since (RFC 9110 section 13.2.2)."""
        conditions: dict[str, Any] = {"HTTP_IF_NONE_MATCH": asked} if asked else dict(environ)
        return not is_resource_modified(conditions, etag=self._tag, last_modified=self._last_modified)

    def _pack(self) -> bytes:
        """Packed when first asked for; two threads may both do it and get the same bytes."""
        if self._packed is None:
            level = 9 if len(self._body) <= BEST_UP_TO else 6
            self._packed = gzip.compress(self._body, compresslevel=level, mtime=0)
        return self._packed


@lru_cache(maxsize=256)
def _accepts_gzip(header: str) -> bool:
    return parse_accept_header(header, Accept)["gzip"] > 0
