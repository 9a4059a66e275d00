"""A forgotten password and a changed one."""

from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from eventreg.outbox.models import Message
from tests.support.factories import PASSWORD
from tests.support.html import Page

NEW = "another battery horse"


def ask(client: Any, email: str, **options: Any) -> Page:
    page = Page.of(client.get("/auth/reset", **options))
    response = page.submit(client, page.form("email").set(email=email), **options)
    assert response.status_code == 200
    return Page.of(response)


def mailed_link(session: Session) -> str:
    message = session.scalars(select(Message).order_by(Message.id.desc()).limit(1)).one()
    (link,) = [word for word in message.payload["text"].split() if "/auth/reset/" in word]
    return link


def test_forgotten_password_is_set_by_the_mailed_link_once(client: Any, make_organizer: Any, session: Session) -> None:
    make_organizer()
    said = ask(client, "Olga@example.org").text
    assert "a link to choose a new password is on its way there" in said
    message = session.scalars(select(Message)).one()
    assert (message.kind, message.recipient, message.recipient_name, message.state) == (
        "auth",
        "olga@example.org",
        "Olga Ortega",
        "queued",
    )
    assert sorted(message.payload) == ["html", "subject", "text"]
    link = mailed_link(session)
    assert link.startswith("https://events.example.org/auth/reset/")
    path = link.removeprefix("https://events.example.org")
    assert client.get(path).status_code == 200
    assert client.get(path).status_code == 200, "looking at it uses nothing up"
    page = Page.of(client.get(path))
    response = page.submit(client, page.form("password").set(password=NEW, password_confirm=NEW))
    assert response.location == "/auth/login"
    assert client.get(path).status_code == 302, "the link works once"
    page = Page.of(client.get("/auth/login"))
    assert page.submit(client, page.form("email").set(email="olga@example.org", password=NEW)).location == "/organize/"


def test_link_is_made_of_the_base_url_whatever_the_host_header_says(
    client: Any, make_organizer: Any, session: Session
) -> None:
    make_organizer()
    ask(client, "olga@example.org", base_url="https://evil.example.com")
    message = session.scalars(select(Message)).one()
    assert mailed_link(session).startswith("https://events.example.org/auth/reset/")
    assert "evil" not in message.payload["text"] + message.payload["html"]


def test_unknown_address_gets_the_same_page_and_no_mail(client: Any, make_organizer: Any, session: Session) -> None:
    make_organizer()
    known, unknown = ask(client, "olga@example.org"), ask(client, "sam@example.org")
    assert known.text.replace("olga@", "sam@") == unknown.text
    assert session.scalar(select(func.count()).select_from(Message)) == 1


def test_changed_password_signs_out_everywhere_else_and_is_told_by_mail(
    olga: Any, make_client: Any, sign_in: Any, session: Session
) -> None:
    elsewhere = make_client()
    sign_in(elsewhere)
    page = Page.of(olga.get("/auth/change"))
    form = page.form("new_password").set(password=PASSWORD, new_password=NEW, new_password_confirm=NEW)
    response = page.submit(olga, form)
    assert response.location == "/auth/account"
    assert "Your password is changed." in Page.of(olga.get("/auth/account")).text
    assert elsewhere.get("/organize/").status_code == 302
    assert session.scalars(select(Message.recipient)).all() == ["olga@example.org"]


@pytest.mark.parametrize(
    ("old", "new", "again", "said"),
    [
        ("wrong", NEW, NEW, "That is not your password."),
        (PASSWORD, "short", "short", "A password has at least 10 characters."),
        (PASSWORD, "olga@example.org", "olga@example.org", "Your e-mail address is the first thing"),
        (PASSWORD, "1234567890", "1234567890", "is guessed at once"),
        (PASSWORD, "password12", "password12", "one of the first that would be tried"),
        (PASSWORD, NEW, NEW + "x", "The two passwords differ."),
        (PASSWORD, PASSWORD, PASSWORD, "That is the password you have now."),
        (PASSWORD, "x" * 200, "x" * 200, "A password has at most 128 characters."),
    ],
)
def test_password_change_is_refused_with_the_reason(
    olga: Any, session: Session, old: str, new: str, again: str, said: str
) -> None:
    page = Page.of(olga.get("/auth/change"))
    form = page.form("new_password").set(password=old, new_password=new, new_password_confirm=again)
    assert said in Page.of(page.submit(olga, form)).text
    assert session.scalar(select(func.count()).select_from(Message)) == 0


@pytest.mark.sqlite_only
@pytest.mark.parametrize("typed", ["", "  ", "olga", "olga@"])
def test_what_is_no_address_is_said_so(client: Any, session: Session, typed: str) -> None:
    page = Page.of(client.get("/auth/reset"))
    response = page.submit(client, page.form("email").set(email=typed))
    assert 'id="error-summary"' in response.text
    assert ("Give the e-mail address" if not typed.strip() else "is not an e-mail address") in Page.of(response).text
    assert session.scalars(select(Message)).all() == []
