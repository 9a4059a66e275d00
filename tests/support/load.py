"""People who answer an event all at once and go on trying until they were met with the thank-you page.

What they were promised is kept, so that a test can compare it with the database and the mail server afterwards.
"""

import http
import http.client
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import unescape
from http.cookies import SimpleCookie
from itertools import count
from typing import Self
from urllib.parse import urlencode, urljoin, urlsplit

from tests.support import HANG_SECONDS
from tests.support.html import Form, Page

PATIENCE_SECONDS = 12.0
"""How long one request may take; after that the person tries again, elsewhere where there is an elsewhere."""
PAUSE_SECONDS = 0.1
LEFT_OUT_SECONDS = 3
TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
HEADING = re.compile(r"<h1[^>]*>(.*?)</h1>", re.DOTALL)
NOT_READY = "This site is not ready just now"
"""Heading of the page that is shown while the database is away, locked or full."""
GONE = (OSError, http.client.HTTPException)
"""What a request ends with when the other side died or is out of reach."""


@dataclass(frozen=True, slots=True)
class Promise:
    """One person's thank-you page: its sentence, and when it was there (seconds of the monotonic clock).

    `repeated` when an earlier try of theirs ended without an answer and may have been taken: by design the form then
    says what a newcomer would get, so that it never tells who is coming.
    """

    email: str
    sentence: str
    at: float
    repeated: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that was neither the form nor the thank-you page."""

    status: int
    heading: str
    text: str
    retry_after: str | None
    seconds: float


class Visitor:
    """One person's browser: cookies, and a fresh connection for each request."""

    def __init__(self, *, patience: float = PATIENCE_SECONDS) -> None:
        self._cookies: dict[str, str] = {}
        self._patience = patience

    def send(self, url: str, body: str | None = None) -> tuple[int, str, http.client.HTTPMessage]:
        """Status, text and headers. Raises one of GONE."""
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=self._patience)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request("GET" if body is None else "POST", parts.path, body, headers)
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        for line in response.headers.get_all("Set-Cookie") or ():
            self._cookies.update({name: morsel.value for name, morsel in SimpleCookie(line).items()})
        return response.status, text, response.headers

    def fill_in(self, url: str, **values: str) -> Form:
        """The form for an answer at that address, filled in and not yet sent."""
        status, text, _headers = self.send(url)
        assert status == http.HTTPStatus.OK, text
        return Page(text, urlsplit(url).path).form("email", "csrf_token").set(**values)

    def post(self, url: str, form: Form) -> tuple[int, str, http.client.HTTPMessage]:
        """Sends it, and follows where it leads. Raises one of GONE."""
        status, text, headers = self.send(url, urlencode(form.data()))
        if status == http.HTTPStatus.SEE_OTHER:
            return self.send(urljoin(url, headers["Location"]))
        return status, text, headers


def heading(text: str) -> str:
    """The words of a page's h1."""
    found = HEADING.search(text)
    return unescape(found[1].strip()) if found else text[:300]


@dataclass
class Load:
    """`people` at a time answer "yes" to the form at `path`, each try on the next of `hosts`, until `stop()`."""

    hosts: Sequence[str]
    path: str
    people: int = 4
    patience: float = PATIENCE_SECONDS
    name: str = "person"
    promises: list[Promise] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    broken: int = 0
    """Requests that ended without an answer."""
    unfinished: list[str] = field(default_factory=list)
    """People who had no thank-you page when patience ended after `stop()`."""
    errors: list[Exception] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._numbers = count()
        self._turns = count()
        self._left_out: dict[str, float] = {}
        self._stopping = threading.Event()
        self._given_up = threading.Event()
        self._changed = threading.Condition()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(self.people)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stopping.set()
        self._given_up.set()

    def stop(self, *, seconds: float = 120) -> None:
        """Nobody new comes; everybody who is here gets `seconds` to finish."""
        self._stopping.set()
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._given_up.set()
        for thread in self._threads:
            thread.join(self.patience * 2)
        assert self.errors == []
        assert self.unfinished == [], f"no thank-you page within {seconds:g} s for {self.unfinished}\n{self.story()}"

    def wait_for(self, more: int, *, seconds: float = HANG_SECONDS) -> None:
        """Waits until that many further people were thanked."""
        self._wait(self.promises, more, "thanked", seconds)

    def wait_for_refusals(self, more: int, *, seconds: float = HANG_SECONDS) -> None:
        """Waits until that many further requests were refused."""
        self._wait(self.refusals, more, "refused", seconds)

    def _wait(self, grows: Sequence[object], more: int, what: str, seconds: float) -> None:
        wanted = len(grows) + more
        with self._changed:
            reached = self._changed.wait_for(lambda: len(grows) >= wanted or self.errors, timeout=seconds)
        assert reached, f"not {more} more {what} within {seconds:g} s\n{self.story()}"
        assert self.errors == []

    def story(self) -> str:
        """What happened, for a test that failed."""
        last = [f"{one.status} {one.heading!r} after {one.seconds:.1f} s" for one in self.refusals[-5:]]
        return (
            f"{len(self.promises)} thanked, {len(self.refusals)} refused (last: {last}), {self.broken} broken off, "
            f"errors: {self.errors}"
        )

    def _work(self) -> None:
        try:
            while not self._stopping.is_set():
                self._answer(f"{self.name}{next(self._numbers)}@example.org")
        except Exception as error:  # noqa: BLE001 - shown by whoever waits
            self.errors.append(error)
            with self._changed:
                self._changed.notify_all()

    def _answer(self, email: str) -> None:
        visitor = Visitor(patience=self.patience)
        fields = {"name": email, "email": email, "rsvp": "yes", "party_size": "1"}
        sent = 0
        while not self._given_up.is_set():
            form = self._try(visitor, self.path)
            if form is None or (token := TOKEN.search(form)) is None:
                continue
            sent += 1
            thanks = self._try(visitor, self.path, urlencode(fields | {"csrf_token": token[1]}))
            # The answer was taken; only its page is still to be seen.
            while thanks is not None and thanks.startswith("/") and not self._given_up.is_set():
                page = self._try(visitor, thanks)
                if page is not None:
                    with self._changed:
                        self.promises.append(Promise(email, heading(page), time.monotonic(), sent > 1))
                        self._changed.notify_all()
                    return
        self.unfinished.append(email)

    def _next_host(self) -> str:
        """In turn; one that just gave no answer is left out for a while, as a load balancer would."""
        host = self.hosts[next(self._turns) % len(self.hosts)]
        others = [one for one in self.hosts if self._left_out.get(one, 0) < time.monotonic()]
        return host if host in others or not others else others[0]

    def _try(self, visitor: Visitor, path: str, body: str | None = None) -> str | None:
        """The page, or the path it leads on to; None when it has to be tried again."""
        host = self._next_host()
        started = time.monotonic()
        try:
            status, text, headers = visitor.send(host + path, body)
        except GONE:
            self.broken += 1
            self._left_out[host] = time.monotonic() + LEFT_OUT_SECONDS
            self._given_up.wait(PAUSE_SECONDS)
            return None
        if status == http.HTTPStatus.SEE_OTHER:
            return urlsplit(headers["Location"]).path
        if status == http.HTTPStatus.OK:
            return text
        seconds = time.monotonic() - started
        with self._changed:
            self.refusals.append(Refusal(status, heading(text), text, headers["Retry-After"], seconds))
            self._changed.notify_all()
        self._given_up.wait(PAUSE_SECONDS)
        return None
