"""One sign-in code, and one recovery code, opens one session, however many sign-ins send it at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from tests.support.codes import code, sign_in_halfway
from tests.support.html import Page

AT_ONCE = 6


@pytest.fixture
def make_halfway(make_client: Callable[..., Any], key: str) -> Callable[[], list[Any]]:
    """Makes visitors who have given Olga's password and are asked for a code."""

    def make() -> list[Any]:
        clients = [make_client() for _ in range(AT_ONCE)]
        for client in clients:
            client.session = None  # the test's own session is not for other threads
            sign_in_halfway(client)
        return clients

    return make


def signed_in_together(clients: list[Any], address: str, typed: str) -> int:
    """How many sessions the code opens when all send it at once."""
    forms = []
    for client in clients:
        page = Page.of(client.get(address))
        forms.append((client, page, page.form("code").set(code=typed)))
    start = Barrier(len(forms))

    def send(client: Any, page: Page, form: Any) -> None:
        start.wait()
        page.submit(client, form)

    with ThreadPoolExecutor(len(forms)) as pool:
        for done in [pool.submit(send, *one) for one in forms]:
            done.result()
    return sum(client.get("/organize/").status_code == 200 for client in clients)


def test_sign_in_code_sent_by_parallel_sign_ins_opens_one(make_halfway: Any, key: str) -> None:
    assert signed_in_together(make_halfway(), "/auth/tf-validate", code(key)) == 1


def test_recovery_code_sent_by_parallel_sign_ins_opens_one(olga: Any, make_halfway: Any) -> None:
    page = Page.of(olga.get("/auth/mf-recovery-codes"))
    shown = page.submit(olga, page.form("generate_new_codes")).get_data(as_text=True)
    codes = [part.split("<")[0] for part in shown.split("<li><code>")[1:]]
    assert signed_in_together(make_halfway(), "/auth/mf-recovery", codes[0]) == 1
    assert "7 unused" in Page.of(olga.get("/auth/account")).text
