"""Small comforts that need a browser: your time, copying, the order of the focus, no sideways scrolling."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server

from tests.support.factories import Factory

pytestmark = [pytest.mark.sqlite_only, pytest.mark.browser]
START = datetime(2026, 10, 19, 19, 0, tzinfo=UTC)


@pytest.fixture
def site(app: Flask, factory: Factory) -> Iterator[str]:
    """The site on a port of its own, with one ordinary event and one of long words."""
    factory.event(title="Tea", starts_at=START, ends_at=START + timedelta(hours=3), capacity=80, category="Talks")
    factory.event(title="W" * 200, summary="x" * 400, location_name="y" * 200, category="C" * 60, description="z" * 900)
    factory.event(title="Festival", starts_at=START, ends_at=START + timedelta(days=2), all_day=True)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@contextmanager
def opened(browser: Any, address: str, **options: Any) -> Iterator[Any]:
    context = browser.new_context(**{"timezone_id": "America/New_York", "locale": "en-US"} | options)
    page = context.new_page()
    page.goto(address)
    yield page
    context.close()


def test_your_time_is_added_where_it_differs_and_nowhere_else(browser: Any, site: str) -> None:
    at = f"{site}/events/tea"
    with opened(browser, at, timezone_id="Europe/Berlin") as page:
        said = page.inner_text(".facts dd:first-of-type").replace("\u202f", " ").replace("\u2009", " ")
        assert said.startswith("Monday, October 19, 2026, 3:00–6:00 PM EDT\nYour time: Monday, October 19, 2026")
        assert re.search(r"9:00 PM GMT\+2 – Tuesday, October 20, 2026.* 12:00 AM GMT\+2$", said)
    for zone in ("America/New_York", "America/Toronto"):
        with opened(browser, at, timezone_id=zone) as page:
            assert page.query_selector(".your-time") is None
    with opened(browser, f"{site}/events/festival", timezone_id="Asia/Tokyo") as page:
        assert page.query_selector(".your-time") is None


@pytest.mark.parametrize("width", [320, 360, 700, 1280])
def test_no_page_scrolls_sideways_whatever_its_words(browser: Any, site: str, width: int) -> None:
    with opened(browser, site, viewport={"width": width, "height": 800}, timezone_id="Asia/Tokyo") as page:
        paths = ["/", "/calendar/2026/11", "/events/" + "w" * 80, "/subscribe", "/events/?q=none&from=x", "/privacy"]
        wide = {}
        for path in paths:
            page.goto(site + path)
            wide[path] = page.evaluate("document.documentElement.scrollWidth") - width
        assert wide == dict.fromkeys(paths, 0)


def test_month_is_a_table_on_wide_screens_and_a_list_on_phones(browser: Any, site: str) -> None:
    for width, shown in ((1280, [True, False]), (639, [False, True])):
        with opened(browser, f"{site}/calendar/2026/10", viewport={"width": width, "height": 800}) as page:
            assert [page.is_visible("table.month"), page.is_visible(".month-narrow .event-row")] == shown


def test_filters_stand_open_on_wide_screens_and_behind_a_disclosure_on_phones(browser: Any, site: str) -> None:
    with opened(browser, site, viewport={"width": 1280, "height": 800}) as page:
        assert [page.is_visible("#category"), page.is_visible("summary")] == [True, False]
    with opened(browser, site, viewport={"width": 360, "height": 800}, java_script_enabled=False) as page:
        assert page.is_visible("#category") is False
        page.click("summary")
        page.select_option("#category", "talks")
        page.click("text=Show >> nth=0")
        assert "category=talks" in page.url


def test_address_of_the_feed_is_copied(browser: Any, site: str) -> None:
    with opened(browser, f"{site}/subscribe", permissions=["clipboard-read", "clipboard-write"]) as page:
        page.click("button:has-text('Copy the address')")
        page.wait_for_selector("button:has-text('Copied')")
        assert page.evaluate("navigator.clipboard.readText()") == "https://events.example.org/calendar.ics"
    with opened(browser, f"{site}/subscribe", java_script_enabled=False) as page:
        assert page.is_visible("button:has-text('Copy the address')") is False


def test_first_stop_of_the_keyboard_is_the_way_past_the_navigation(browser: Any, site: str) -> None:
    with opened(browser, site) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "See as a month"
