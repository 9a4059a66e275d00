"""Rate limits on sign-in: keyed on the account that is really opened, written only by requests that are let in."""

from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from eventreg.web.auth import hashing
from tests.support.factories import PASSWORD
from tests.support.html import Page

SPELLINGS = (
    "olga@ｅxample.org",
    "OLGA@EXAMPLE.ORG",
    "olga@example.org.",
    "olga@example。org",
    " olga@example.org\t",
    "olga@ⓔxample.org",
    "olga@exa\u00admple.org",
    "olga@exam\u200bple.org",
    "\ufeffolga@example.org",
    "olga＠example.org",
    "ｏlga@example.org",
    "\u2060olga@example.org",
)


def attempt(client: Any, email: str, password: str = "guess", *, of: str = "10.0.0.1") -> Any:
    client.environ_base["REMOTE_ADDR"] = of
    page = Page.of(client.get("/auth/login"))
    return page.submit(client, page.form("email", "password").set(email=email, password=password))


@pytest.fixture
def strangers(make_app: Callable[..., Any], make_client: Callable[..., Any], make_organizer: Any) -> Callable[[], Any]:
    """Makes visitors of a site that counts, where Olga has an account."""
    make_organizer()
    # What binds a reset link to the password is hashed slowly, too.
    app = make_app(RATELIMIT_ENABLED=True, SECURITY_HASHING_SCHEMES=["hex_sha512"])
    return lambda: make_client(app)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_spelling_that_opens_the_account_counts_for_it(strangers: Callable[[], Any], spelling: str) -> None:
    if attempt(strangers(), spelling, PASSWORD).status_code != 302:
        return  # opens nothing, so how it counts does not matter
    guesser = strangers()
    for number in range(7):
        assert attempt(guesser, "olga@example.org", of=f"10.0.0.{number}").status_code == 200
    assert attempt(strangers(), spelling, PASSWORD, of="10.0.1.1").status_code == 429


def test_some_spelling_beside_the_plain_one_opens_the_account(client: Any, make_organizer: Any) -> None:
    make_organizer()
    assert attempt(client, SPELLINGS[0], PASSWORD).status_code == 302


def test_spellings_share_the_limit_of_reset_mails(strangers: Callable[[], Any]) -> None:
    client, codes = strangers(), []
    for number in range(12):
        client.environ_base["REMOTE_ADDR"] = f"10.0.0.{number}"
        page = Page.of(client.get("/auth/reset"))
        codes.append(page.submit(client, page.form("email").set(email=SPELLINGS[(0, 1, 3)[number % 3]])).status_code)
    assert codes == [200] * 8 + [429] * 4


@pytest.mark.parametrize(
    "template", ["2001:db8:7:7::{}", "2001:db8:7:7:{}::1", "::ffff:192.0.2.7", "2002:c000:207:{}::"]
)
def test_addresses_of_one_customer_count_together(strangers: Callable[[], Any], template: str) -> None:
    client = strangers()
    codes = [
        attempt(client, f"somebody{number}@example.org", of=template.format(f"{number:x}")).status_code
        for number in range(1, 33)
    ]
    assert codes == [200] * 30 + [429] * 2


def test_other_customers_networks_count_apart(strangers: Callable[[], Any]) -> None:
    client = strangers()
    codes = [
        attempt(client, f"p{number}@example.org", of=f"2001:db8:7:{number:x}::1").status_code for number in range(32)
    ]
    assert codes == [200] * 32


def test_account_and_address_without_one_are_refused_after_as_many_tries(strangers: Callable[[], Any]) -> None:
    client = strangers()
    codes = {
        email: [attempt(client, email, of=f"10.0.{number}.1").status_code for number in range(10)]
        for email in ("olga@example.org", "sam@example.org")
    }
    assert codes["olga@example.org"] == codes["sam@example.org"]


def test_network_that_is_refused_uses_up_no_account(strangers: Callable[[], Any]) -> None:
    client = strangers()
    for number in range(30):
        attempt(client, f"p{number}@example.org", of="192.0.2.66")
    assert [attempt(client, "olga@example.org", of="192.0.2.66").status_code for _ in range(10)] == [429] * 10
    assert attempt(strangers(), "olga@example.org", PASSWORD).status_code == 302


def stored(instance: Path) -> dict[str, int]:
    return {file.name: file.stat().st_size for file in instance.glob("limits.db*")}


@pytest.mark.sqlite_only
def test_refused_sign_ins_add_no_byte_to_the_store(strangers: Callable[[], Any], instance: Path) -> None:
    client = strangers()
    for number in range(8):
        attempt(client, "olga@example.org", of=f"10.0.0.{number}")
    for number in range(30):
        attempt(client, f"p{number}@example.org", of="192.0.2.66")
    token = dict(Page.of(client.get("/auth/login")).form("email", "password").data())["csrf_token"]
    before = stored(instance)
    assert "limits.db" in before
    for number in range(100):
        # Another network each time against the account, another account each time from the network.
        for email, peer in (("olga@example.org", f"10.1.{number}.1"), (f"x{number}@y.org", "192.0.2.66")):
            client.environ_base["REMOTE_ADDR"] = peer
            sent = {"email": email, "password": "guess", "csrf_token": token}
            assert client.post("/auth/login", data=sent).status_code == 429
    assert stored(instance) == before


def test_browser_that_signed_in_before_gets_in_during_an_attack(strangers: Callable[[], Any]) -> None:
    hers, guesser = strangers(), strangers()
    assert attempt(hers, "olga@example.org", PASSWORD).status_code == 302
    page = Page.of(hers.get("/organize/"))
    page.submit(hers, page.form(action="/auth/logout"))
    for number in range(40):  # from everywhere, and from her own network too
        attempt(guesser, "olga@example.org", of=f"10.0.0.{number}")
        attempt(guesser, f"p{number}@example.org", of="10.0.0.1")
    assert attempt(guesser, "olga@example.org", PASSWORD, of="10.0.9.9").status_code == 429
    assert attempt(guesser, "p99@example.org", of="10.0.0.1").status_code == 429
    assert attempt(hers, "olga@example.org", PASSWORD, of="10.0.0.1").status_code == 302


def test_known_browser_has_a_limit_of_its_own_and_none_of_other_accounts(
    strangers: Callable[[], Any], make_organizer: Any
) -> None:
    make_organizer(email="omar@example.org")
    hers = strangers()
    attempt(hers, "olga@example.org", PASSWORD)
    page = Page.of(hers.get("/organize/"))
    page.submit(hers, page.form(action="/auth/logout"))
    assert [attempt(hers, "olga@example.org").status_code for _ in range(9)] == [200] * 8 + [429]
    for number in range(8):
        assert attempt(strangers(), "omar@example.org", of=f"10.0.0.{number}").status_code == 200
    assert attempt(hers, "omar@example.org", of="10.0.5.5").status_code == 429


def test_note_of_a_known_browser_is_signed_bound_and_out_of_reach(strangers: Callable[[], Any]) -> None:
    hers = strangers()
    headers = attempt(hers, "olga@example.org", PASSWORD).headers.getlist("Set-Cookie")
    (cookie,) = [one for one in headers if one.startswith("known_browser=")]
    assert {"HttpOnly", "Secure", "SameSite=Lax", "Path=/auth"} <= set(cookie.split("; "))
    value = hers.get_cookie("known_browser", path="/auth").value
    links = hers.application.extensions["eventreg.links"]
    for forged in (
        value[:-1] + ("A" if value[-1] != "A" else "B"),
        links.sign("registration", [[1, "x", 2**40]]),
        "x" * 3000,
    ):
        guesser = strangers()
        for number in range(8):
            attempt(guesser, "olga@example.org", of=f"10.0.0.{number}")
        guesser.set_cookie("known_browser", forged, path="/auth")
        assert attempt(guesser, "olga@example.org", PASSWORD, of="10.0.7.7").status_code == 429


def test_failed_sign_in_makes_no_known_browser(strangers: Callable[[], Any]) -> None:
    headers = attempt(strangers(), "olga@example.org").headers.getlist("Set-Cookie")
    assert not [one for one in headers if one.startswith("known_browser=")]


@pytest.mark.sqlite_only
def test_only_so_many_sign_ins_wait_for_their_turn_to_hash(
    strangers: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A turn is held as a slow hash would hold it; the rest of the rush is told at once when to come back."""
    monkeypatch.setattr(hashing, "PATIENCE_SECONDS", 30)
    visitors = [strangers() for _ in range(6)]
    for visitor in visitors:
        visitor.session = None
    forms = [Page.of(visitor.get("/auth/login")) for visitor in visitors]
    answers: list[Any] = []
    refused = Event()

    def send(visitor: Any, page: Page) -> None:
        answer = page.submit(visitor, page.form("email", "password").set(email="olga@example.org", password=PASSWORD))
        answers.append(answer)
        if sum(one.status_code == 503 for one in answers) == len(visitors) - hashing.WAITING:
            refused.set()

    assert hashing._turns.acquire(timeout=30)
    assert hashing._places.acquire(timeout=30)
    threads = [Thread(target=send, args=pair) for pair in zip(visitors, forms, strict=True)]
    try:
        for thread in threads:
            thread.start()
        assert refused.wait(timeout=60)
    finally:
        hashing._turns.release()
        hashing._places.release()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(one.status_code for one in answers) == [302] * hashing.WAITING + [503] * 4
    assert {one.headers["Retry-After"] for one in answers if one.status_code == 503} == {"3"}


def test_turn_ends_with_its_request(strangers: Callable[[], Any]) -> None:
    client = strangers()
    assert [attempt(client, "olga@example.org").status_code for _ in range(5)] == [200] * 5
    assert client.post("/auth/login", data={}).status_code == 400
    assert attempt(client, "olga@example.org", PASSWORD).status_code == 302
