from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from eventreg.events.models import Event
from eventreg.mail import batch, kept
from eventreg.registrations.models import Registration
from tests.support.html import Page
from tests.support.letters import read
from tests.support.outbox import owe_about

pytestmark = pytest.mark.sqlite_only
MakeApp = Callable[..., Flask]


@pytest.fixture
def demo(
    make_app: MakeApp,
    session: Session,
    now: datetime,
    make_event: Callable[..., Event],
    make_registration: Callable[..., Registration],
) -> Flask:
    """The demo on this machine, with one kept mail."""
    app = make_app(DEMO=True)
    event = make_event()
    registration = make_registration(event, name="<b>Amira</b> http://evil.example")
    owe_about(session, event, registration, now=now)
    with app.app_context():
        batch.deliver_due(app, now=now)
    return app


def only_name(instance: Path) -> str:
    (name,) = kept.names(instance / "mail")
    return name


def test_kept_mail_is_listed_and_opens(demo: Flask, make_client: Callable[..., Flask], instance: Path) -> None:
    client = make_client(demo)
    page = Page.of(client.get("/dev/mail"))
    assert "You are coming: A day of reflection" in page.text
    assert "amira@example.org" in page.text
    response = client.get(f"/dev/mail/{only_name(instance)}")
    page = Page.of(response)
    for words in ("You are coming.", "Message-ID", "BEGIN:VCALENDAR", "invite.ics", "<b>Amira</b>"):
        assert words in page.text
    assert "<b>Amira" not in response.text
    assert response.headers["Cache-Control"] == "private, no-store"
    assert "Set-Cookie" not in response.headers


def test_mailed_links_can_be_followed(demo: Flask, make_client: Callable[..., Flask], instance: Path) -> None:
    client = make_client(demo)
    html = client.get(f"/dev/mail/{only_name(instance)}").text
    (manage,) = set(demo.extensions["eventreg.links"].manage(1, 1).split())
    assert f'<a href="{manage}"' in html
    assert "evil.example" not in html
    assert client.get(manage.removeprefix("https://events.example.org")).status_code == 200


def test_html_is_shown_as_it_is_and_shut_in(demo: Flask, make_client: Callable[..., Flask], instance: Path) -> None:
    response = make_client(demo).get(f"/dev/mail/{only_name(instance)}/html")
    assert "<h1" in response.text
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "script-src" not in policy


def test_the_file_is_downloaded_byte_for_byte(demo: Flask, make_client: Callable[..., Flask], instance: Path) -> None:
    name = only_name(instance)
    response = make_client(demo).get(f"/dev/mail/{name}/download")
    assert response.data == (instance / "mail" / name).read_bytes()
    assert response.headers["Content-Type"] == "message/rfc822"
    assert response.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert read(response.data)["To"] == "amira@example.org"


@pytest.mark.parametrize("suffix", ["", "/html", "/download"])
@pytest.mark.parametrize("name", ["none.eml", "..%2fsecret_key", "%00.eml", "secret_key", ".x.eml"])
def test_a_mail_that_is_not_there_is_not_found(
    demo: Flask, make_client: Callable[..., Flask], name: str, suffix: str
) -> None:
    assert make_client(demo).get(f"/dev/mail/{name}{suffix}").status_code == 404


@pytest.mark.parametrize(
    "path", ["/dev/mail", "/dev/mail/{name}", "/dev/mail/{name}/html", "/dev/mail/{name}/download"]
)
@pytest.mark.parametrize(
    ("environ", "headers"),
    [
        ({"REMOTE_ADDR": "192.0.2.7"}, {}),
        ({"REMOTE_ADDR": "::ffff:192.0.2.7"}, {}),
        ({"REMOTE_ADDR": ""}, {}),
        ({}, {"X-Forwarded-For": "127.0.0.1"}),
        ({}, {"Forwarded": "for=127.0.0.1"}),
        ({}, {"Host": "evil.example"}),
    ],
)
def test_nobody_elsewhere_sees_it(
    demo: Flask,
    make_client: Callable[..., Flask],
    instance: Path,
    path: str,
    environ: dict[str, str],
    headers: dict[str, str],
) -> None:
    client = make_client(demo)
    where = path.format(name=only_name(instance))
    assert client.get(where).status_code == 200
    response = client.get(where, environ_overrides=environ, headers=headers)
    assert response.status_code == 404
    assert "amira" not in response.text


@pytest.mark.parametrize("settings", [{"DEMO": False}, {"DEMO": True, "MAIL_SERVER": "mail.example.org"}])
def test_it_is_only_there_in_the_demo_and_without_a_mail_server(
    make_app: MakeApp, session: Session, make_client: Callable[..., Flask], settings: dict[str, object]
) -> None:
    assert make_client(make_app(**settings)).get("/dev/mail").status_code == 404


def test_an_empty_folder_says_what_to_do(
    make_app: MakeApp, session: Session, make_client: Callable[..., Flask]
) -> None:
    page = Page.of(make_client(make_app(DEMO=True)).get("/dev/mail"))
    assert "There is none yet." in page.text
