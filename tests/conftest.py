"""Shared fixtures. `app`, `client` and `session` work on a real, empty, migrated database, SQLite and PostgreSQL
in turn; mark a test `sqlite_only` when the database cannot matter to it (pages, pure views).
"""

import contextvars
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from eventreg.db import db
from eventreg.events.models import Event
from eventreg.mail import batch
from eventreg.organizers.models import Organizer
from eventreg.registrations.models import Registration
from eventreg.web import page_cache
from tests.support import browsers, live, making, needs, smtp
from tests.support.databases import KINDS, Databases
from tests.support.factories import PASSWORD, Factory
from tests.support.html import Page
from tests.support.smtp import SmtpServer

smtp.watch_for_unexpected_mail()
# How long an example takes says nothing about what it shows, and on a busy machine it takes long.
hypothesis.settings.register_profile("eventreg", deadline=None)
hypothesis.settings.load_profile("eventreg")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=(*KINDS, "both"), default="both", help="which databases tests run on")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "sqlite_only: the database cannot matter to this test; it runs on SQLite alone")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database_kind" not in metafunc.fixturenames:
        return
    chosen = metafunc.config.getoption("--database")
    kinds = KINDS if chosen == "both" else (chosen,)
    if metafunc.definition.get_closest_marker("sqlite_only"):
        kinds = ("sqlite",)
    marks = {"postgresql": (pytest.mark.postgresql,)}
    metafunc.parametrize(
        "database_kind", [pytest.param(kind, marks=marks.get(kind, ())) for kind in kinds], indirect=True
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that asks for the browser is a browser test, whatever its file says; see `needs.SLOW` for the other."""
    for item in items:
        if str(item.path.relative_to(Path(__file__).parent)).startswith(needs.SLOW):
            item.add_marker("slow")
        if {"browser", "page"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("browser")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Says by name what was skipped, as the last thing."""
    reasons = [
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple)
    ]
    terminalreporter.section("left out")
    leaves_out_slow = terminalreporter.config.option.markexpr == "not slow"
    terminalreporter.write_line(needs.closing_line(reasons, leaves_out_slow=leaves_out_slow))


# The database and the application.


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """The databases of this test process."""
    made = Databases(os.environ.get("PYTEST_XDIST_WORKER", "main"))
    yield made
    made.close()


@pytest.fixture
def database_kind(request: pytest.FixtureRequest) -> str:
    """ "sqlite" or "postgresql"."""
    return str(request.param)


@pytest.fixture
def database_url(databases: Databases, database_kind: str) -> str:
    """An empty, migrated database."""
    return databases.empty(database_kind)


@pytest.fixture
def bare_database_url(databases: Databases, database_kind: str) -> str:
    """A database without any table."""
    return databases.bare(database_kind)


@pytest.fixture
def instance(databases: Databases, request: pytest.FixtureRequest) -> Iterator[Path]:
    """An instance folder of the test's own."""
    folder = databases.folder / f"instance-{abs(hash(request.node.nodeid))}"
    folder.mkdir(mode=0o700, parents=True)
    yield folder
    live.remove(folder)


@dataclass
class Clock:
    """What time it is for the test and for the requests it sends; set `now` to go elsewhere."""

    now: datetime


@pytest.fixture
def clock() -> Clock:
    """Monday, October 5, 2026, noon in New York, until the test says otherwise."""
    return Clock(datetime(2026, 10, 5, 16, 0, tzinfo=UTC))


@pytest.fixture
def now(clock: Clock) -> datetime:
    """The instant the test begins at, an aware UTC one."""
    return clock.now


@pytest.fixture
def make_app(database_url: str, instance: Path, clock: Clock) -> Iterator[Callable[..., Flask]]:
    """Makes an application with other settings on the test's database; requests to it see `clock.now`."""
    made: list[Flask] = []

    def make(**settings: Any) -> Flask:
        app = making.make_app(database_url, instance, **settings)
        # The first thing of a request, before anything asks who is signed in.
        app.url_value_preprocessors.setdefault(None, []).insert(0, lambda *_args: setattr(g, "now", clock.now))
        page_cache.of(app).now = lambda: clock.now
        made.append(app)
        return app

    yield make
    kept = []
    for app in made:
        with app.app_context():
            kept.append(db.engine.pool.checkedout())
            db.engine.dispose()
    assert kept == [0] * len(made), "a connection was not given back"


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """The application, with mail kept in its instance folder."""
    return make_app()


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """The test's own session, in an application context. Requests have others: see `client`."""
    with app.app_context():
        yield db.session  # type: ignore[misc]
        db.session.rollback()


class Client(FlaskClient):
    """A visitor. Each request runs in a context of its own, as it would on a server, and is read to its end.

    What the test's session holds is committed before a request and read anew after it.
    """

    session: Session | None = None
    _is_following = False

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        kwargs["buffered"] = True
        if self._is_following:  # werkzeug follows a redirect from within
            return super().open(*args, **kwargs)
        if self.session is not None:
            self.session.commit()
        self._is_following = True
        try:
            return contextvars.Context().run(super().open, *args, **kwargs)
        finally:
            self._is_following = False
            if self.session is not None:
                self.session.rollback()
                self.session.expire_all()


@pytest.fixture
def make_client(app: Flask, session: Session) -> Callable[..., Client]:
    """Makes a visitor with cookies of their own; pass another application to visit that one."""

    def make(of: Flask | None = None, **options: Any) -> Client:
        client = Client(of or app, (of or app).response_class, **options)
        client.session = session
        client.environ_base["REMOTE_ADDR"] = "127.0.0.1"
        return client

    return make


@pytest.fixture
def client(make_client: Callable[..., Client]) -> Client:
    """A visitor who is nobody in particular."""
    return make_client()


# The cast.


@pytest.fixture
def factory(session: Session, now: datetime) -> Factory:
    """Makes rows; the three fixtures below are its methods."""
    return Factory(session, now)


@pytest.fixture
def make_event(factory: Factory) -> Callable[..., Event]:
    """A published event; see `Factory.event`."""
    return factory.event


@pytest.fixture
def make_organizer(factory: Factory) -> Callable[..., Organizer]:
    """An account; see `Factory.organizer`."""
    return factory.organizer


@pytest.fixture
def make_registration(factory: Factory) -> Callable[..., Registration]:
    """A registration; see `Factory.registration`."""
    return factory.registration


@pytest.fixture
def sign_in() -> Callable[..., TestResponse]:
    """Signs a client in through the form."""

    def sign(client: Client, email: str = "olga@example.org", password: str = PASSWORD) -> TestResponse:
        page = Page.of(client.get("/auth/login"))
        form = page.form("email", "password").set(email=email, password=password)
        response = page.submit(client, form)
        assert response.status_code == 302, f"signing in was refused: {Page.of(response).text}"
        return response

    return sign


@pytest.fixture
def olga(make_organizer: Callable[..., Organizer], make_client: Callable[..., Client], sign_in: Any) -> Client:
    """Olga at her desk, signed in."""
    make_organizer()
    client = make_client()
    sign_in(client)
    return client


# Mail, a running service, a browser.


@pytest.fixture(autouse=True)
def _no_unexpected_mail() -> Iterator[None]:
    """Fails a test that spoke to a mail server it did not ask for."""
    smtp.UNEXPECTED.clear()
    yield
    assert smtp.UNEXPECTED == [], "mail went to a server this test did not ask for"


@pytest.fixture
def smtp_server() -> Iterator[SmtpServer]:
    """A real mail server; give an application `**tests.support.smtp.settings_for(smtp_server)`."""
    with smtp.running_smtp_server() as server:
        yield server


@pytest.fixture
def post(app: Flask, clock: Clock) -> Callable[..., list[EmailMessage]]:
    """Sends what is owed at `clock.now` and returns every mail sent or kept so far, oldest first.

    Without a mail server (the default) they are read from the instance folder.
    """

    def deliver(of: Flask | None = None) -> list[EmailMessage]:
        sending = of or app

        def run() -> None:
            with sending.app_context():
                while batch.deliver_due(sending, now=clock.now).claimed:
                    pass
                db.session.remove()

        contextvars.Context().run(run)
        files = sorted(Path(sending.config["MAIL_FOLDER"]).glob("*.eml"), key=lambda file: file.stat().st_mtime_ns)
        return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]

    return deliver


@pytest.fixture
def make_live_server(
    database_url: str, instance: Path, smtp_server: SmtpServer
) -> Iterator[Callable[..., live.LiveServer]]:
    """Starts `eventreg serve` on the test's database, mailing through `smtp_server`; settings by name."""
    started: list[live.LiveServer] = []

    def make(**settings: Any) -> live.LiveServer:
        server = live.start(instance=instance, database_url=database_url, smtp=smtp_server, **settings)
        started.append(server)
        return server

    yield make
    for server in started:
        server.stop()


@pytest.fixture
def live_server(make_live_server: Callable[..., live.LiveServer]) -> live.LiveServer:
    """The real service on an empty database: web processes and worker."""
    return make_live_server()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Debian's Chromium."""
    needs.require("browser")
    with browsers.running_browser() as running:
        yield running
