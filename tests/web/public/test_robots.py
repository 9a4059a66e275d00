"""Search engines keep pages that show something, and no chain of links goes on for ever."""

from datetime import UTC, datetime

import pytest

from tests.support.html import Page


def is_kept_out(response) -> bool:
    html = response.get_data(as_text=True)
    in_page = response.mimetype != "text/html" or '<meta name="robots" content="noindex' in html
    return in_page and response.headers.get("X-Robots-Tag", "").startswith("noindex")


@pytest.mark.parametrize(
    ("address", "kept_out"),
    [
        ("/calendar/2026/12", False),
        ("/calendar/2030/06", True),
        ("/calendar/2026/11", True),
        ("/calendar/1970/01", True),
        ("/calendar/2199/12", True),
        ("/calendar/2026/12?category=talks", True),
        ("/calendar/2026/12?q=nothing", True),
        ("/", False),
        ("/events/", False),
        ("/events/?page=999", True),
        ("/events/?page=2", True),
        ("/events/?past=1", True),
        ("/events/?from=2030-01-01&to=2030-01-02", True),
        ("/events/?category=none", True),
        ("/calendar.ics", False),
        ("/calendar.ics?category=none", True),
        ("/feed.atom", False),
        ("/feed.atom?q=none", True),
    ],
)
def test_empty_and_narrowed_pages_are_not_indexed(address, kept_out, client, make_event) -> None:
    make_event(title="Tea", category="Talks", starts_at=datetime(2026, 12, 5, 15, 0, tzinfo=UTC))
    for _again in range(2):  # the second answer may be the one that was kept
        response = client.get(address)
        assert (response.status_code, is_kept_out(response)) == (200, kept_out)


def test_month_links_end_near_the_first_and_last_event(client, make_event) -> None:
    make_event(title="Old", starts_at=datetime(2026, 8, 5, 15, 0, tzinfo=UTC))
    make_event(title="Tea", starts_at=datetime(2026, 12, 5, 15, 0, tzinfo=UTC))
    make_event(title="Draft", status="draft", starts_at=datetime(2040, 12, 5, 15, 0, tzinfo=UTC))

    def walked(rel: str) -> list[str]:
        path, seen = "/calendar/2026/10", []
        while path not in seen and len(seen) < 99:
            seen.append(path)
            links = [
                one for one in client.get(path).get_data(as_text=True).split("<a ") if f'rel="{rel} nofollow"' in one
            ]
            path = links[0].split('href="')[1].split('"')[0] if links else path
        return [one.removeprefix("/calendar/") for one in seen]

    assert walked("next") == ["2026/10", "2026/11", "2026/12", "2027/01", "2027/02"]
    assert walked("prev") == ["2026/10", "2026/09", "2026/08"]
    far = Page.of(client.get("/calendar/2030/06")).links
    assert [href for href, _text in far if href.startswith("/calendar/20")] == ["/calendar/2030/05"]


def test_calendar_without_events_leads_a_little_ahead_and_not_back(client) -> None:
    page = Page.of(client.get("/calendar/2026/10"))
    assert [href for href, _text in page.links if href.startswith("/calendar/20")] == ["/calendar/2026/11"]
    assert [href for href, _text in Page.of(client.get("/calendar/2026/12")).links if "/2027/" in href] == []
