"""Addresses are named, and every name leads somewhere."""

import re

import pytest

from tests.support.making import make_app
from tests.support.needs import ROOT

NAMED = re.compile(r"url_for\(\s*[\"']([a-z_.]+)[\"']")
CONTRACT = {
    "/": {"GET"},
    "/events/": {"GET"},
    "/calendar/2026/10": {"GET"},
    "/events/a": {"GET"},
    "/events/a.ics": {"GET"},
    "/events/a/rsvp": {"GET", "POST"},
    "/r/t": {"GET", "POST"},
    "/r/t/cancel": {"POST"},
    "/r/t.ics": {"GET"},
    "/calendar.ics": {"GET"},
    "/feed.atom": {"GET"},
    "/my/t.ics": {"GET"},
    "/auth/login": {"GET", "POST"},
    "/organize/": {"GET"},
    "/organize/events/new": {"GET", "POST"},
    "/organize/events/a/edit": {"GET", "POST"},
    "/organize/events/a/publish": {"POST"},
    "/organize/events/a/cancel": {"POST"},
    "/organize/events/a/duplicate": {"POST"},
    "/organize/events/a/attendees": {"GET"},
    "/organize/events/a/attendees.csv": {"GET"},
    "/organize/events/a/attendees.xlsx": {"GET"},
    "/organize/events/a/attendees.json": {"GET"},
    "/healthz": {"GET"},
    "/readyz": {"GET"},
}


@pytest.mark.sqlite_only
def test_every_endpoint_that_is_named_exists(app) -> None:
    files = [*(ROOT / "templates").rglob("*.*"), *(ROOT / "eventreg").rglob("*.py")]
    named = {name for path in files for name in NAMED.findall(path.read_text(encoding="utf-8"))}
    assert named - set(app.view_functions) == set()


@pytest.mark.sqlite_only
@pytest.mark.parametrize("path", CONTRACT)
def test_address_of_the_contract_answers_its_methods(path: str, app) -> None:
    adapter = app.url_map.bind("events.example.org")
    assert CONTRACT[path] <= set(adapter.allowed_methods(path))


@pytest.mark.sqlite_only
def test_addresses_are_the_same_below_a_prefix(database_url, instance) -> None:
    app = make_app(database_url, instance, BASE_URL="https://www.example.org/events-site")
    with app.test_client() as client:
        assert client.get("/events-site/events/").status_code == 200
