"""One running demo site per test process, and pages in a real browser that must not misbehave."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from eventreg import clock, demo
from eventreg.db import db, write_transaction
from eventreg.demo import Account
from tests.support import live, making, smtp
from tests.support.browsers import Watched
from tests.support.databases import Databases
from tests.support.smtp import SmtpServer

CELEBRATION = "diversity-initiative-anniversary-a-day-of-reflection-and-looking-forward"


@dataclass
class DemoSite:
    """The real service with the demo calendar, and the mail server it sends through."""

    server: live.LiveServer
    mail: SmtpServer
    account: Account

    def url(self, path: str = "/") -> str:
        return self.server.url(path)


@pytest.fixture(scope="session")
def demo_site(databases: Databases, browser: Any) -> Iterator[DemoSite]:
    """Shared by all browser tests of a process; each uses addresses of its own."""
    database_url = databases.empty("sqlite")
    instance = databases.folder / "demo-site"
    app = making.make_app(database_url, instance)
    with app.app_context():
        with write_transaction(db.session()):
            account = demo.load(db.session(), now=clock.now(), links=app.extensions["eventreg.links"])
        db.session.remove()
        db.engine.dispose()
    with smtp.running_smtp_server() as mail:
        server = live.start(instance=instance, database_url=database_url, smtp=mail)
        yield DemoSite(server, mail, account)
        server.stop()


@pytest.fixture
def open_page(browser: Any, demo_site: DemoSite) -> Iterator[Callable[..., Any]]:
    """Opens a page in a browser of its own; at the end nothing may have complained, on any page it visited."""
    watched = Watched(own=demo_site.server.base_url)
    contexts = []

    def open_page(
        *, width: int = 1280, height: int = 900, scheme: str = "light", scripts: bool = True, **options: Any
    ) -> Any:
        context = browser.new_context(
            base_url=demo_site.server.base_url,
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            java_script_enabled=scripts,
            reduced_motion="reduce",
            accept_downloads=True,
            **options,
        )
        context.set_default_timeout(300_000)
        watched.follow(context)
        contexts.append(context)
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()
    watched.assert_clean()


@pytest.fixture
def page(open_page: Callable[..., Any]) -> Any:
    """A page 1280 pixels wide."""
    return open_page()


@pytest.fixture
def sign_in(demo_site: DemoSite) -> Callable[[Any], None]:
    """Signs a page's browser in as the demo's organizer, by the form."""

    def sign(page: Any) -> None:
        page.goto("/auth/login")
        page.get_by_label("E-mail").fill(demo_site.account.email)
        page.get_by_label("Password", exact=True).fill(demo_site.account.password)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/organize/")

    return sign


@pytest.fixture(scope="session")
def session_cookies() -> list[Any]:
    """What a signed-in browser keeps, once one has signed in."""
    return []


@pytest.fixture
def be_signed_in(sign_in: Callable[[Any], None], session_cookies: list[Any]) -> Callable[[Any], None]:
    """Makes a page's browser one that has signed in before; by the form only the first time."""

    def sign(page: Any) -> None:
        if session_cookies:
            page.context.add_cookies(session_cookies)
            return
        sign_in(page)
        session_cookies.extend(page.context.cookies())

    return sign
