"""People on a private event's list find everything about it on their own page, and nothing leads to a page they may
not open."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from eventreg.links import Links
from tests.support.calendars import entry, unfolded
from tests.support.html import Page


@pytest.fixture
def own_page(app: Flask, make_event: Callable[..., Any], make_registration: Callable[..., Any]) -> str:
    links: Links = app.extensions["eventreg.links"]
    event = make_event(
        title="Board dinner",
        slug="board-dinner",
        visibility="private",
        summary="",
        description="Bring the **minutes**.",
    )
    return links.manage(make_registration(event).id, 1)


def test_their_page_holds_the_description_and_calendars_lead_back_to_it(client: Any, own_page: str) -> None:
    path = urlsplit(own_page).path
    assert client.get("/events/board-dinner").status_code == 404
    page = Page.of(client.get(path))
    assert "Bring the minutes." in page.text
    google = parse_qs(urlsplit(page.link("Google")).query)
    assert google["details"] == [own_page]
    assert not [href for href, _words in page.links if "/events/board-dinner" in href]


def test_their_file_and_feed_name_their_own_page(client: Any, own_page: str) -> None:
    page = client.get(urlsplit(own_page).path).text
    feed = re.search(r"/my/[\w.-]+\.ics", page)
    assert feed is not None
    for path in (f"{urlsplit(own_page).path}.ics", feed[0]):
        content = client.get(path).data
        assert str(entry(content)["URL"]) == own_page
        assert "/events/board-dinner" not in unfolded(content)
