"""Signing in and out: alike for known and unknown addresses, bound to this site, limited."""

from collections.abc import Callable
from copy import copy
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
import sqlalchemy as sa
from itsdangerous import TimestampSigner
from sqlalchemy.orm import Session

from eventreg.organizers.models import Organizer
from tests.support.factories import PASSWORD
from tests.support.html import Page, csrf


def attempt(client: Any, email: str, password: str, address: str = "/auth/login") -> Any:
    page = Page.of(client.get(address))
    return page.submit(client, page.form("email", "password").set(email=email, password=password))


def test_sign_in_leads_to_the_desk_and_has_only_the_contracts_fields(client: Any, make_organizer: Any) -> None:
    make_organizer()
    assert Page.of(client.get("/auth/login")).form("email").names == ["next", "csrf_token", "email", "password"]
    token = csrf(client.get("/auth/login").get_data(as_text=True))
    sent = {"email": " Olga@Example.org ", "password": PASSWORD, "csrf_token": token}
    response = client.post("/auth/login", data=sent)
    assert (response.status_code, response.location) == (302, "/organize/")
    assert client.get("/organize/").status_code == 200


def test_wrong_password_unknown_address_and_disabled_account_are_answered_alike(
    client: Any, make_organizer: Any, session: Session
) -> None:
    make_organizer()
    make_organizer(email="old@example.org").active = False
    pages = [
        Page.of(attempt(client, email, password)).text
        for email, password in (
            ("olga@example.org", "not her password"),
            ("nobody@example.org", PASSWORD),
            ("old@example.org", PASSWORD),
        )
    ]
    assert "That e-mail address and password do not belong together." in pages[0]
    assert len(set(pages)) == 1
    assert client.get("/organize/").status_code == 302


@pytest.mark.parametrize(
    ("email", "password"),
    [("", ""), ("\x00", "\x00"), ("a" * 5000 + "@example.org", "x"), ("olga@example.org", "p" * 5000), ("'--", "x")],
)
def test_nonsense_is_refused_and_breaks_nothing(client: Any, make_organizer: Any, email: str, password: str) -> None:
    make_organizer()
    assert attempt(client, email, password).status_code == 200
    assert client.get("/organize/").status_code == 302


def test_json_is_not_a_way_in(client: Any, make_organizer: Any) -> None:
    make_organizer()
    token = csrf(client.get("/auth/login").get_data(as_text=True))
    response = client.post(
        "/auth/login", json={"email": "olga@example.org", "password": PASSWORD}, headers={"X-CSRFToken": token}
    )
    assert response.status_code == 415


def test_form_without_its_csrf_token_is_refused(client: Any, make_organizer: Any) -> None:
    make_organizer()
    assert client.post("/auth/login", data={"email": "olga@example.org", "password": PASSWORD}).status_code == 400


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example.com/",
        "//evil.example.com",
        "///evil.example.com",
        r"/\evil.example.com",
        r"\\evil.example.com",
        "javascript:alert(1)",
        "%09//evil.example.com",
    ],
)
def test_next_leads_nowhere_but_this_site(client: Any, make_organizer: Any, target: str) -> None:
    make_organizer()
    response = attempt(client, "olga@example.org", PASSWORD, f"/auth/login?next={target}")
    location = urljoin("https://events.example.org/auth/login", (response.location or "/").replace("\\", "/"))
    assert urlsplit(location).scheme == "https"
    assert urlsplit(location).hostname == "events.example.org"


def test_next_leads_back_to_the_page_that_was_asked_for(client: Any, make_organizer: Any, make_event: Any) -> None:
    event = make_event()
    asked = client.get(f"/organize/events/{event.slug}/attendees?status=maybe")
    page = Page.of(client.get(asked.location))
    assert "Sign in to go on." in page.text
    response = page.submit(client, page.form("email").set(email="olga@example.org", password=PASSWORD))
    assert response.location == f"/organize/events/{event.slug}/attendees?status=maybe"


def test_sign_in_starts_a_new_session(client: Any, make_organizer: Any) -> None:
    make_organizer()
    with client.session_transaction() as before:
        before["planted"] = "by somebody else"
    token = csrf(client.get("/auth/login").get_data(as_text=True))
    attempt(client, "olga@example.org", PASSWORD)
    with client.session_transaction() as after:
        assert "planted" not in after
        assert "csrf_token" not in after
    assert csrf(client.get("/organize/").get_data(as_text=True)) != token
    assert client.post("/auth/logout", data={"csrf_token": token}).status_code == 400
    assert client.get("/organize/").status_code == 200


def test_session_cookie_is_out_of_reach_of_scripts_and_other_sites(client: Any, make_organizer: Any) -> None:
    make_organizer()
    cookie = attempt(client, "olga@example.org", PASSWORD).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" in cookie


def test_session_of_another_browser_is_not_taken(olga: Any) -> None:
    assert olga.get("/organize/").status_code == 200
    assert olga.get("/organize/", headers={"User-Agent": "somebody else's"}).status_code == 302


@pytest.mark.parametrize(("days", "status"), [(6, 200), (8, 302)])
def test_session_ends_a_week_after_it_last_changed(olga: Any, app: Any, days: int, status: int) -> None:
    class Earlier(TimestampSigner):
        def get_timestamp(self) -> int:
            return super().get_timestamp() - days * 24 * 3600

    serializer = copy(app.session_interface.get_signing_serializer(app))
    kept = serializer.loads(olga.get_cookie("session").value)
    serializer.signer = Earlier
    olga.set_cookie("session", serializer.dumps(kept))
    assert olga.get("/organize/").status_code == status


def test_signing_out_takes_a_post(olga: Any) -> None:
    assert olga.get("/auth/logout").status_code == 405
    assert olga.get("/organize/").status_code == 200
    page = Page.of(olga.get("/organize/"))
    assert page.submit(olga, page.form(action="/auth/logout")).location == "/auth/login"
    assert olga.get("/organize/").status_code == 302


def test_public_page_knows_nobody_and_stays_cacheable(olga: Any, make_event: Any) -> None:
    event = make_event()
    for address in ("/", "/events/", f"/events/{event.slug}", "/calendar.ics", "/healthz"):
        headers = olga.get(address).headers
        assert "Set-Cookie" not in headers, address
        assert "Cookie" not in headers.get("Vary", ""), address


def test_get_of_each_page_changes_nothing(olga: Any, client: Any, session: Session, app: Any) -> None:
    addresses = [
        str(rule)
        for rule in app.url_map.iter_rules()
        if str(rule).startswith("/auth/") and not rule.arguments and "GET" in (rule.methods or ())
    ]
    assert "/auth/reset" in addresses
    assert "/auth/tf-setup" in addresses
    before = [repr(row) for row in session.execute(sa.select(Organizer.__table__))]
    for visitor in (olga, client):
        for address in addresses:
            assert visitor.get(address).status_code in (200, 302), address
        assert visitor.get("/auth/reset/nonsense").status_code == 302
    assert [repr(row) for row in session.execute(sa.select(Organizer.__table__))] == before


def test_tries_are_limited_per_address_whatever_network_they_come_from(
    make_app: Callable[..., Any], make_client: Callable[..., Any], make_organizer: Any, session: Session
) -> None:
    make_organizer()
    client = make_client(make_app(RATELIMIT_ENABLED=True, RATELIMIT_STORAGE_URI="memory://"))
    answers = []
    for number in range(12):
        client.environ_base["REMOTE_ADDR"] = f"10.0.0.{number}"
        answers.append(attempt(client, "OLGA@example.org" if number % 2 else "olga@example.org", "guess").status_code)
    assert answers[:8] == [200] * 8
    assert answers[8:] == [429] * 4


def test_registering_and_passwordless_ways_in_do_not_exist(client: Any) -> None:
    for address in ("/auth/register", "/auth/us-signin", "/auth/wan-signin", "/auth/confirm", "/auth/fs-static/x"):
        assert client.get(address).status_code == 404


def test_pages_of_an_account_are_kept_by_no_cache(client: Any) -> None:
    for address in ("/auth/login", "/auth/reset"):
        assert client.get(address).headers["Cache-Control"] == "private, no-store"
