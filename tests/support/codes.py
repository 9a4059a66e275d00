"""Sign-in codes as a phone shows them."""

import time
from typing import Any

from passlib.totp import TOTP

from tests.support.factories import PASSWORD
from tests.support.html import Page


def key_of(page: Page) -> str:
    text = page.text
    return text[text.index("type in instead") + len("type in instead") :].split("Account")[0].strip().replace("-", "")


def code(key: str, steps: int = 0) -> str:
    """What the phone shows, `steps` half-minutes from now."""
    return str(TOTP(key=key).generate(time.time() + 30 * steps).token)


def sign_in_halfway(client: Any) -> Page:
    page = Page.of(client.get("/auth/login?next=/auth/account"))
    response = page.submit(client, page.form("email").set(email="olga@example.org", password=PASSWORD))
    assert response.location.startswith("/auth/tf-validate")
    return Page.of(client.get(response.location))
