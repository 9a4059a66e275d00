from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from eventreg.events.models import Event
from eventreg.mail import batch, kept
from eventreg.registrations.models import Registration
from eventreg.web import kept_mail
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


@pytest.fixture
def reader(demo: Flask, make_client: Callable[..., Any]) -> Any:
    """Somebody who opened the printed address."""
    client = make_client(demo)
    assert client.get(kept_mail.address(demo)).status_code == 200
    return client


def only_name(instance: Path) -> str:
    (name,) = kept.names(instance / "mail")
    return name


def test_kept_mail_is_listed_and_opens(demo: Flask, make_client: Callable[..., Flask], instance: Path) -> None:
    client = make_client(demo)
    page = Page.of(client.get(kept_mail.address(demo)))
    assert "You are coming: A day of reflection" in page.text
    assert "amira@example.org" in page.text
    response = client.get(f"/dev/mail/{only_name(instance)}")
    page = Page.of(response)
    for words in ("You are coming.", "Message-ID", "BEGIN:VCALENDAR", "invite.ics", "<b>Amira</b>"):
        assert words in page.text
    assert "<b>Amira" not in response.text
    assert response.headers["Cache-Control"] == "private, no-store"
    assert response.headers["X-Robots-Tag"] == "noindex"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert "Set-Cookie" not in response.headers


def test_mailed_links_can_be_followed(demo: Flask, reader: Any, instance: Path) -> None:
    client = reader
    html = client.get(f"/dev/mail/{only_name(instance)}").text
    (manage,) = set(demo.extensions["eventreg.links"].manage(1, 1).split())
    assert f'<a href="{manage}"' in html
    assert "evil.example" not in html
    assert client.get(manage.removeprefix("https://events.example.org")).status_code == 200


def test_html_is_shown_as_it_is_and_shut_in(reader: Any, instance: Path) -> None:
    response = reader.get(f"/dev/mail/{only_name(instance)}/html")
    assert "<h1" in response.text
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "script-src" not in policy


def test_the_file_is_downloaded_byte_for_byte(reader: Any, instance: Path) -> None:
    name = only_name(instance)
    response = reader.get(f"/dev/mail/{name}/download")
    assert response.data == (instance / "mail" / name).read_bytes()
    assert response.headers["Content-Type"] == "message/rfc822"
    assert response.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert read(response.data)["To"] == "amira@example.org"


@pytest.mark.parametrize("suffix", ["", "/html", "/download"])
@pytest.mark.parametrize("name", ["none.eml", "..%2fsecret_key", "%00.eml", "secret_key", ".x.eml"])
def test_a_mail_that_is_not_there_is_not_found(reader: Any, name: str, suffix: str) -> None:
    assert reader.get(f"/dev/mail/{name}{suffix}").status_code == 404


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
        ({}, {"Via": "1.1 proxy"}),
        ({}, {"X-Real-IP": "127.0.0.1"}),
        ({}, {"CF-Connecting-IP": "192.0.2.7"}),
        ({}, {"True-Client-IP": "192.0.2.7"}),
        ({}, {"X-Forwarded-Host": "localhost"}),
    ],
)
def test_nobody_elsewhere_sees_it(
    reader: Any,
    instance: Path,
    path: str,
    environ: dict[str, str],
    headers: dict[str, str],
) -> None:
    client = reader
    where = path.format(name=only_name(instance))
    assert client.get(where).status_code == 200
    response = client.get(where, environ_overrides=environ, headers=headers)
    assert response.status_code == 404
    assert "amira" not in response.text


@pytest.mark.parametrize("settings", [{"DEMO": False}, {"DEMO": True, "MAIL_SERVER": "mail.example.org"}])
def test_it_is_only_there_in_the_demo_and_without_a_mail_server(
    make_app: MakeApp, session: Session, make_client: Callable[..., Flask], settings: dict[str, object]
) -> None:
    app = make_app(**settings)
    assert make_client(app).get(kept_mail.address(app)).status_code == 404


def test_an_empty_folder_says_what_to_do(
    make_app: MakeApp, session: Session, make_client: Callable[..., Flask]
) -> None:
    app = make_app(DEMO=True)
    page = Page.of(make_client(app).get(kept_mail.address(app)))
    assert "There is none yet." in page.text


@pytest.mark.parametrize("suffix", ["", "/{name}", "/{name}/html", "/{name}/download"])
@pytest.mark.parametrize("key", ["", "?key=", "?key=0", "?key=%C3%A9%FF", "?key={wrong}"])
def test_a_local_request_without_the_printed_key_sees_no_mail(
    demo: Flask, make_client: Callable[..., Any], instance: Path, suffix: str, key: str
) -> None:
    """A proxy on this machine may add no header at all."""
    client = make_client(demo)
    wrong = kept_mail.address(demo).partition("key=")[2][:-1]
    response = client.get(f"/dev/mail{suffix}{key}".format(name=only_name(instance), wrong=wrong))
    assert response.status_code == 404
    assert "amira" not in response.text
    assert "Set-Cookie" not in response.headers
    assert "address that the terminal of this site shows" in Page.of(response).text


def test_cookie_of_the_printed_address_is_for_kept_mail_alone(demo: Flask, make_client: Callable[..., Any]) -> None:
    cookie = make_client(demo).get(kept_mail.address(demo)).headers["Set-Cookie"]
    assert cookie.endswith("; HttpOnly; Path=/dev/mail; SameSite=Strict")


def test_no_page_but_the_list_holds_the_key(demo: Flask, reader: Any, instance: Path) -> None:
    key = kept_mail.address(demo).partition("key=")[2]
    for path in ("/", "/lost-link/sent", "/dev/mail", f"/dev/mail/{only_name(instance)}"):
        assert key not in reader.get(path).text
    assert '<a href="/dev/mail">' in reader.get("/lost-link/sent").text
