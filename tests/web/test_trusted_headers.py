"""No header of a request decides where a redirect leads, unless a setting names it."""

import http.client
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask

from tests.support.live import LiveServer

pytestmark = pytest.mark.sqlite_only
EVIL = "evil.example"
HEADERS = {
    "Host": EVIL,
    "SCRIPT_NAME": f"//{EVIL}",
    "Script-Name": f"//{EVIL}",
    "PATH_INFO": "/organize/",
    "REMOTE_USER": "olga@example.org",
    "X-Script-Name": f"//{EVIL}",
    "X-Forwarded-Prefix": f"//{EVIL}",
    "X-Forwarded-Host": EVIL,
    "X-Forwarded-Port": "666",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Ssl": "on",
    "X-Forwarded-For": "192.0.2.66",
    "X-Real-IP": "192.0.2.66",
    "X-Original-URL": "/organize/",
    "X-Rewrite-URL": "/organize/",
    "X-HTTP-Method-Override": "POST",
    "Forwarded": f"host={EVIL};proto=https;for=192.0.2.66",
}


def addresses(app: Flask) -> list[str]:
    """Every address without parts, as it is, without its last slash and with too many."""
    rules = {rule.rule for rule in app.url_map.iter_rules() if not rule.arguments and "GET" in (rule.methods or ())}
    cut = {rule.rstrip("/") for rule in rules if rule != "/"}
    extra = {f"{rule}?next=//{EVIL}" for rule in rules | cut}
    doubled = {f"//{EVIL}{rule}" for rule in rules} | {rule.replace("/", "//") for rule in rules}
    return sorted(rules | cut | extra | doubled)


@pytest.mark.parametrize("settings", [{}, {"TRUSTED_PROXIES": 1}, {"BASE_URL": "https://www.example.org/rsvp"}])
def test_no_redirect_names_what_a_header_said(
    make_app: Callable[..., Flask], make_client: Callable[..., Any], settings: dict[str, Any]
) -> None:
    app = make_app(**settings)
    client = make_client(app)
    redirects = 0
    for path in addresses(app):
        answer = client.open(
            path="/",
            headers={name: value for name, value in HEADERS.items() if name != "Host"},
            environ_overrides={
                "PATH_INFO": urlsplit(path).path if not path.startswith("//") else path.partition("?")[0],
                "QUERY_STRING": path.partition("?")[2],
                "HTTP_HOST": EVIL,
                "SCRIPT_NAME": f"//{EVIL}",
            },
        )
        if 300 <= answer.status_code < 400:
            redirects += 1
            location = answer.headers["Location"]
            assert (urlsplit(location).netloc, location[:1], location[1:2] in "/\\") == ("", "/", False), path
            assert [link for link in re.findall(r'href="([^"]*)"', answer.text) if urlsplit(link).netloc] == [], path
    assert redirects > 10


def test_running_service_believes_no_header(make_live_server: Callable[..., LiveServer]) -> None:
    server = make_live_server()
    where = urlsplit(server.base_url)

    def ask(path: str, headers: dict[str, str]) -> tuple[int, str | None, bytes]:
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=20)
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        found = answer.status, answer.headers["Location"], answer.read()
        connection.close()
        return found

    for path in ("/events", "/organize", "/organize/", "/calendar", "/healthz"):
        assert ask(path, HEADERS) == ask(path, {})
    assert ask("/events", HEADERS)[:2] == (308, "/events/")
    plain, told = ask("/events/", {})[2], ask("/events/", HEADERS)[2]
    assert EVIL.encode() not in told
    assert len(plain) == len(told)
