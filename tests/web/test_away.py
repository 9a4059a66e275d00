"""The page that is shown while the database is away. Nobody listens on the port these applications are given."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from eventreg.db import db, peek
from tests.support.html import Page

pytestmark = pytest.mark.sqlite_only
NOBODY = "postgresql+psycopg://postgres@127.0.0.1:1/eventreg"
ANSWER = [
    ("csrf_token", "t"),
    ("name", 'Zoë "Z" <b>'),
    ("email", "zoe@example.org"),
    ("q-1", "one\nline"),
    ("q-2", "a"),
]


@pytest.fixture
def visitor(make_app: Callable[..., Flask], make_client: Callable[..., FlaskClient]) -> FlaskClient:
    return make_client(make_app(DATABASE_URL=NOBODY))


def test_what_an_attendee_typed_stands_on_the_page_and_is_sent_again_from_it(visitor: FlaskClient) -> None:
    response = visitor.post("/events/tea/rsvp?from=mail", data=dict(ANSWER))
    form = Page.of(response).form("email")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "10")
    assert response.headers["Cache-Control"] == "no-store"
    assert (form.method, form.action, form.data()) == ("post", "/events/tea/rsvp?from=mail", ANSWER)
    assert "may not have been saved" in Page.of(response).text


def test_a_page_that_was_only_to_be_read_asks_to_come_back(visitor: FlaskClient) -> None:
    response = visitor.get("/events/tea")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "10")
    assert Page.of(response).forms == []


def test_whether_a_kept_page_is_still_true_is_not_known(make_app: Callable[..., Flask]) -> None:
    with make_app(DATABASE_URL=NOBODY).app_context():
        assert peek(db.engine, "SELECT 1") is None


def test_a_program_is_told_in_its_own_way(visitor: FlaskClient) -> None:
    response = visitor.get("/events/tea", headers={"Accept": "application/json"})
    assert (response.status_code, response.mimetype) == (503, "application/problem+json")
    assert response.get_json()["status"] == 503


def test_what_was_typed_to_sign_in_is_not_given_back(
    make_app: Callable[..., Flask], make_client: Callable[..., FlaskClient]
) -> None:
    visitor = make_client(make_app(DATABASE_URL=NOBODY, WTF_CSRF_ENABLED=False))
    response = visitor.post("/auth/login", data={"email": "olga@example.org", "password": "correct horse"})
    assert response.status_code == 503
    assert "correct horse" not in response.text
