"""Finished answers of public pages and feeds, kept by each web process and handed out while the database says so.

A view calls `keep` with the facts its page was made of (`events.revision`) and until when the clock changes nothing
in it. The next request for the same page asks the database one small statement, before Flask hears of the request
at all; the same rows, and the bytes go out again: whole, packed or as a 304. Any number of processes and hosts
agree, because none of them decides by itself. What is kept is for everybody: it holds no form, session or cookie.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from flask import Flask, Response, current_app, g, request
from sqlalchemy import Engine

from eventreg import clock
from eventreg.db import db, peek
from eventreg.events.revision import Facts
from eventreg.web import i18n
from eventreg.web.kept_page import KeptPage

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

READ = frozenset({"q", "category", "audience", "from", "to", "past", "page", "after", "before", "v"})
"""The parameters public pages read; any others, like those a social network adds, make no other page."""
OLD_SHARE = 4
"""Pages asked for once may fill one part in this many, so that a robot's thousand searches push out no other page."""
LONGEST_QUERY = 1000
"""Characters; a page asked for with more is made anew each time."""
Key = tuple[str, str, str, str]


class PageCache:
    """Pages by address and language, no more than `limit` bytes of them; the longest unused goes first.

    A page begins among the new ones and moves to the lasting ones when it is asked for again.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.now: Callable[[], datetime] = clock.now
        """What time it is; tests have their own."""
        self._new: OrderedDict[Key, KeptPage] = OrderedDict()
        self._lasting: OrderedDict[Key, KeptPage] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key) -> KeptPage | None:
        """The page as it was made, true or not."""
        with self._lock:
            page = self._lasting.get(key)
            if page is not None:
                self._lasting.move_to_end(key)
                return page
            page = self._new.pop(key, None)
            if page is not None:
                self._lasting[key] = page
                self._trim(self._lasting, self.limit - self.limit // OLD_SHARE)
            return page

    def put(self, key: Key, page: KeptPage) -> None:
        """Keeps it in place of an older one."""
        with self._lock:
            kept = self._lasting if key in self._lasting else self._new
            kept[key] = page
            kept.move_to_end(key)
            self._trim(self._new, self.limit // OLD_SHARE)
            self._trim(self._lasting, self.limit - self.limit // OLD_SHARE)

    def clear(self) -> None:
        """Forgets everything."""
        with self._lock:
            self._new.clear()
            self._lasting.clear()

    @staticmethod
    def _trim(kept: OrderedDict[Key, KeptPage], most: int) -> None:
        size = sum(page.size for page in kept.values())
        while size > most and kept:
            size -= kept.popitem(last=False)[1].size


class Door:
    """WSGI application in front of Flask: answers what is kept and still true, and lets everything else through."""

    def __init__(self, inner: "WSGIApplication", app: Flask, cache: PageCache) -> None:
        self._inner = inner
        self._app = app
        self._cache = cache
        self._engine: Engine | None = None

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Serves one request."""
        if environ["REQUEST_METHOD"] in {"GET", "HEAD"}:
            key = _key(environ)
            page = self._cache.get(key) if key else None
            if page is not None and self._is_true(page):
                return page.answer(environ, start_response)
        return self._inner(environ, start_response)

    def _is_true(self, page: KeptPage) -> bool:
        if not page.since <= self._cache.now() or (page.until is not None and page.until <= self._cache.now()):
            return False
        if not page.facts.statement:
            return True
        if self._engine is None:
            with self._app.app_context():
                self._engine = db.engine
        rows = peek(self._engine, page.facts.statement)
        return rows is not None and tuple(sorted(rows)) == page.facts.rows


def init_app(app: Flask) -> None:
    """Begins with nothing kept. Called before the other parts, so that its hook sees their headers."""
    cache = PageCache(app.config["PAGE_CACHE_MB"] * 1024 * 1024)
    app.extensions["eventreg.page_cache"] = cache
    app.after_request(_store)
    app.wsgi_app = Door(app.wsgi_app, app, cache)  # type: ignore[method-assign]


def of(app: Flask) -> PageCache:
    """The app's cache."""
    cache: PageCache = app.extensions["eventreg.page_cache"]
    return cache


def keep(facts: Facts, *, since: datetime, until: datetime | None) -> None:
    """Marks this request's answer as good for everybody, while the facts hold and the clock stands before `until`.

    `since` is the instant the page was made for; None as `until` means that time changes nothing.
    """
    g.kept_page = (facts, since, until)


def is_kept() -> bool:
    """Whether this request's answer will be kept; its compression and its 304 are then seen to here."""
    return "kept_page" in g


def _store(response: Response) -> Response:
    marked: tuple[Facts, datetime, datetime | None] | None = g.pop("kept_page", None)
    if marked is None or response.status_code != 200:  # noqa: PLR2004
        return response
    facts, since, until = marked
    if tags := g.get("compressed_tags"):  # as they came; see web/compression.py
        request.environ["HTTP_IF_NONE_MATCH"] = tags
    page = KeptPage.of(response, facts=facts, since=since, until=until)
    cache = of(current_app)
    key = _key(request.environ)
    if key and page.size <= cache.limit // OLD_SHARE:
        cache.put(key, page)
    return page.response(request.environ)


def _key(environ: dict[str, Any]) -> Key | None:
    """What the page is kept under; None when it is not."""
    query: str = environ.get("QUERY_STRING", "")
    if len(query) > LONGEST_QUERY or not query.isascii():
        return None
    return (
        environ["PATH_INFO"],
        _read(query) if query else "",
        environ.get("SCRIPT_NAME", ""),
        i18n.language(environ.get("HTTP_ACCEPT_LANGUAGE", "")),
    )


@lru_cache(maxsize=1024)
def _read(query: str) -> str:
    """The query in one spelling, the first of each parameter that is read, decoded as Flask does it."""
    found: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True, errors="werkzeug.url_quote"):
        if name in READ:
            found.setdefault(name, value)
    return urlencode(sorted(found.items()))
