"""Every address of the desk and of the API says who may open it."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from eventreg.web.access import rule_of, signed_in

GUARDED = ("/organize", "/api")


def without_rule(app: Flask) -> list[str]:
    """The guarded addresses whose view carries no access rule."""
    return sorted(
        str(rule)
        for rule in app.url_map.iter_rules()
        if str(rule).startswith(GUARDED) and rule_of(app.view_functions[rule.endpoint]) is None
    )


@pytest.mark.sqlite_only
def test_every_guarded_address_carries_an_access_rule(app: Flask) -> None:
    assert without_rule(app) == []
    assert any(str(rule).startswith("/organize") for rule in app.url_map.iter_rules())


@pytest.mark.sqlite_only
def test_an_address_without_a_rule_is_found(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    app.add_url_rule("/organize/forgotten", "forgotten", lambda: "")
    app.add_url_rule("/api/forgotten", "forgotten_too", lambda: "")
    app.add_url_rule("/organize/remembered", "remembered", signed_in(lambda: ""))
    assert without_rule(app) == ["/api/forgotten", "/organize/forgotten"]


@pytest.mark.sqlite_only
def test_guarded_addresses_turn_a_stranger_away(app: Flask, client: Any) -> None:
    filled = {
        "slug": "x",
        "registration_id": 1,
        "calendar_id": 1,
        "question_id": 1,
        "extension": "csv",
        "direction": "up",
    }
    filled["action"] = "retire"
    filled["mail_id"] = 1
    for rule in app.url_map.iter_rules():
        if not str(rule).startswith("/organize"):
            continue
        with app.test_request_context():
            address = app.url_map.bind("").build(rule.endpoint, {name: filled[name] for name in rule.arguments})
        method = "GET" if "GET" in (rule.methods or ()) else "POST"
        response = client.open(address, method=method)
        assert response.status_code in ({302} if method == "GET" else {302, 400}), (str(rule), response.status_code)
