"""What the tests of signing in share."""

from typing import Any

import pytest

from tests.support.codes import code, key_of
from tests.support.html import Page


@pytest.fixture
def key(olga: Any) -> str:
    """Olga has switched codes on with the code of half a minute ago."""
    page = Page.of(olga.get("/auth/tf-setup"))
    shown = Page.of(page.submit(olga, page.form("setup"), button="authenticator"))
    assert "data:image/svg+xml;base64," in shown.html
    key = key_of(shown)
    response = shown.submit(olga, shown.form("code").set(code=code(key, -1)))
    assert response.location == "/auth/account"
    assert "Sign-in codes are on." in Page.of(olga.get("/auth/account")).text
    return key
