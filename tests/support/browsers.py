"""A real browser: Debian's Chromium, driven by Playwright, and everything a page did that it should not."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.support.needs import CHROMIUM

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def running_browser() -> Iterator[Any]:
    """One Chromium for the whole test process."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Watched:
    """What a browser's pages said and asked for, to be compared with nothing."""

    own: str
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def follow(self, context: Any) -> None:
        """Listens to every page of a browser context."""
        context.on("page", self._follow_page)
        context.on("request", self._request)
        context.on("response", self._response)

    def _follow_page(self, page: Any) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.errors.append(f"{page.url}: {error}"))

    def _console(self, message: Any) -> None:
        # A page answered 4xx is logged as an error by the browser itself; its status is the tests' own business.
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            self.errors.append(f"{message.location.get('url')}: {message.text}")

    def _request(self, request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in {"data", "blob", "about"} and f"{parts.scheme}://{parts.netloc}" != self.own:
            self.foreign.append(request.url)

    def _response(self, response: Any) -> None:
        if response.request.resource_type != "document" and response.status >= 400:
            self.failed.append(f"{response.status} {response.url}")
        if response.status >= 500:
            self.failed.append(f"{response.status} {response.url}")

    def assert_clean(self) -> None:
        """Fails with everything that was said, asked of others, or missing."""
        assert (self.errors, self.foreign, self.failed) == ([], [], [])
