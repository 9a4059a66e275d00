"""Signers that are kept sign as Flask's own do, and tell one key from another."""

import pytest
from flask.sessions import SecureCookieSessionInterface

pytestmark = pytest.mark.sqlite_only
OLD, NEW = "the-key-of-last-year-the-key-of-last-year", "the-key-of-this-year-the-key-of-this-year"


def test_sessions_are_flasks_own_and_survive_a_new_key(make_app) -> None:
    before, after = make_app(SECRET_KEY=OLD), make_app(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=[OLD])
    flasks_own = SecureCookieSessionInterface().get_signing_serializer(before)
    cookie = before.session_interface.get_signing_serializer(before).dumps({"name": "Zoë"})
    assert flasks_own.loads(cookie) == {"name": "Zoë"}
    assert after.session_interface.get_signing_serializer(after).loads(cookie) == {"name": "Zoë"}


def test_session_of_another_key_is_nobodys(make_app) -> None:
    one, other = make_app(SECRET_KEY=OLD), make_app(SECRET_KEY=NEW)
    cookie = one.session_interface.get_signing_serializer(one).dumps({"name": "Zoë"})
    found = []
    for app in (one, other):
        header = {"Cookie": f"{app.session_interface.get_cookie_name(app)}={cookie}"}
        with app.test_request_context(headers=header) as context:
            found.append(dict(app.session_interface.open_session(app, context.request)))
    assert found == [{"name": "Zoë"}, {}]
