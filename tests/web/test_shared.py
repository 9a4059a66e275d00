"""What all pages share: weight, caching, compression, words for errors, languages."""

import gzip
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask, Response, abort
from flask.testing import FlaskClient

from eventreg.events.models import Event
from eventreg.web import covers
from tests.support.html import Page
from tests.support.needs import ROOT

MakeEvent = Callable[..., Event]
pytestmark = pytest.mark.sqlite_only
GZIP = {"Accept-Encoding": "gzip, deflate, br"}


def assets(html: str) -> list[str]:
    """What a browser fetches to show the page, pictures apart."""
    sheets = re.findall(r'<link rel="stylesheet" href="([^"]+)"', html)
    return sheets + re.findall(r'<script src="([^"]+)"', html)


@pytest.mark.parametrize(
    "address", ["/", "/events/?past=1", "/calendar/2026/11", "/events/tea", "/subscribe", "/nothing"]
)
def test_page_weighs_less_than_60_kb_in_three_requests(
    client: FlaskClient, make_event: MakeEvent, now: object, address: str
) -> None:
    make_event(title="Tea", description="A long story. " * 400)
    for number in range(60):
        make_event(title=f"A talk with a rather long title, number {number}", category=f"Kind {number % 7}")
    page = client.get(address, headers=GZIP)
    html = gzip.decompress(page.data).decode()
    wanted = assets(html)
    assert len(wanted) == 2
    weight = len(page.data) + sum(len(client.get(one, headers=GZIP).data) for one in wanted)
    assert weight < 60_000
    tags = "".join(re.findall(r"<(?:img|script|link)[^>]*>", html))
    assert not re.search(r'(?:src|href)="(?:https?:)?//(?!events\.example\.org)', tags)


def test_static_file_is_kept_for_a_year_only_under_the_hash_of_its_bytes(client: FlaskClient) -> None:
    (style,) = re.findall(r'<link rel="stylesheet" href="([^"]+)"', client.get("/").text)
    assert re.fullmatch(r"/static/site\.css\?v=[0-9a-f]{12}", style)
    assert client.get(style).headers["Cache-Control"] == "public, max-age=31536000, immutable"
    for other in ("/static/site.css", "/static/site.css?v=000000000000"):
        assert client.get(other).headers["Cache-Control"] == "public, max-age=300"
    assert client.get("/static/../config.py").status_code == 404
    assert client.get("/static/%2e%2e/%2e%2e/config.py").status_code == 404


def test_compressed_answer_is_another_representation_and_revalidates(client: FlaskClient) -> None:
    (style,) = re.findall(r'<link rel="stylesheet" href="([^"]+)"', client.get("/").text)
    plain, packed = client.get(style), client.get(style, headers=GZIP)
    assert gzip.decompress(packed.data) == plain.data
    assert packed.headers["ETag"] == plain.headers["ETag"][:-1] + '-gzip"'
    assert [one.headers["Vary"] for one in (plain, packed)] == ["Accept-Encoding"] * 2
    for given, headers in ((plain, {}), (packed, GZIP)):
        again = client.get(style, headers={"If-None-Match": given.headers["ETag"], **headers})
        assert (again.status_code, again.headers["ETag"], again.data) == (304, given.headers["ETag"], b"")


def test_answer_is_left_alone_for_those_who_do_not_want_gzip(client: FlaskClient) -> None:
    for accepted in ("", "identity", "br", "gzip;q=0"):
        assert "Content-Encoding" not in client.get("/", headers={"Accept-Encoding": accepted}).headers


def test_streamed_and_small_answers_are_not_compressed(app: Flask, client: FlaskClient) -> None:
    app.add_url_rule("/streamed", "streamed", lambda: Response(iter(["x" * 5000]), mimetype="text/plain"))
    app.add_url_rule("/small", "small", lambda: Response("x", mimetype="text/plain"))
    for address in ("/streamed", "/small"):
        assert "Content-Encoding" not in client.get(address, headers=GZIP).headers


def test_pages_of_the_same_words_differ_in_length_where_they_hold_a_form(client: FlaskClient) -> None:
    assert len({len(client.get("/lost-link", headers=GZIP).data) for _ in range(30)}) > 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 429, 500, 503])
def test_error_is_a_page_that_says_what_to_do(app: Flask, client: FlaskClient, status: int) -> None:
    app.add_url_rule("/fails", "fails", lambda: abort(status))
    response = client.get("/fails")
    page = Page.of(response)
    assert response.status_code == status
    assert str(status) not in page.text
    assert page.html.count("<h1>") == 1
    assert client.get(page.link("events")).status_code == 200
    assert "Set-Cookie" not in response.headers


def test_page_speaks_english_to_whoever_asks_for_another_language(client: FlaskClient) -> None:
    response = client.get("/", headers={"Accept-Language": "fr-CH, de;q=0.8, xx;q=banana"})
    assert '<html lang="en">' in response.text
    assert "Accept-Language" not in response.headers.get("Vary", "")


def test_every_translatable_word_can_be_extracted(tmp_path: Path) -> None:
    target = tmp_path / "messages.pot"
    command = [Path(sys.executable).with_name("pybabel"), "-q", "extract", "-F", "babel.cfg", "-o", target, "."]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    template = target.read_text(encoding="utf-8")
    for word in ("Upcoming events", "Full, waitlist open", "What we keep, and why", "%(num)s event"):
        assert f'"{word}"' in template


def test_covers_use_no_style_and_differ_between_events() -> None:
    drawn = {covers.draw(f"event-{number}", "talks") for number in range(40)}
    assert len(drawn) == 40
    assert not [one for one in drawn if "style" in one or "script" in one or len(one) > 12_000]
    assert covers.draw("a", "talks") != covers.draw("a", "walks")


def test_prefix_is_part_of_every_address(
    make_app: Callable[..., Flask], make_client: Callable[..., FlaskClient], make_event: MakeEvent
) -> None:
    make_event(title="Tea", starts_at=make_event(title="Walk").starts_at + timedelta(days=1))
    client = make_client(make_app(BASE_URL="https://example.org/calendar-of-events"))
    for address in ("/", "/events/tea", "/calendar/2026/11", "/subscribe", "/nothing"):
        page = Page.of(client.get(f"/calendar-of-events{address}"))
        own = [href for href, _ in page.links if href.startswith("/")]
        assert own
        assert [href for href in own if not href.startswith("/calendar-of-events/")] == []
        assert not re.search(r'(?:src|action)="/(?!calendar-of-events/)', page.html)
