"""Device cookie: a signed note in a browser that has signed in to an account here before.

Guesses from elsewhere use up the account's limit; a known browser has its own, so its owner gets in during an attack
(OWASP, "Slow down online guessing attacks with device cookies"). It opens nothing by itself.
"""

import secrets
from datetime import timedelta
from typing import Any

from flask import Flask, current_app, request
from flask import after_this_request as after
from flask.wrappers import Response
from flask_login import user_logged_in
from flask_security import password_reset

from eventreg.links import Links
from eventreg.web.moment import request_now

COOKIE = "known_browser"
PURPOSE = "known-browser"
KEPT = timedelta(days=365)
MOST = 5
"""Accounts remembered in one browser."""
LONGEST = 1000
Note = tuple[int, str, int]
"""Account id, the number of this browser, when it signed in (seconds since 1970)."""


def init_app(app: Flask) -> None:
    """Notes a browser at each finished sign-in, and when a mailed link has set a new password in it."""
    user_logged_in.connect(_note, app)
    password_reset.connect(_note, app)


def is_any() -> bool:
    """Whether the request comes with a note that this site signed and that is not too old."""
    return bool(_notes())


def of(account: Any) -> str | None:
    """What to count this browser by at that account; None when it has not signed in there before."""
    if account is None:
        return None
    return next((f"{known} {number}" for known, number, _at in _notes() if known == account.id), None)


def _note(_app: Flask, user: Any, **_more: object) -> None:
    """A new number at each sign-in, and so a fresh counter."""
    now = request_now()
    others = [note for note in _notes() if note[0] != user.id]
    notes: list[Note] = [*others, (user.id, secrets.token_urlsafe(9), int(now.timestamp()))][-MOST:]
    after(lambda response: _keep(response, notes))


def _keep(response: Response, notes: list[Note]) -> Response:
    config = current_app.config
    response.set_cookie(
        COOKIE,
        _links().sign(PURPOSE, notes),
        max_age=KEPT,
        path=f"{config['SESSION_COOKIE_PATH'].rstrip('/')}/auth",
        secure=config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
    )
    return response


def _notes() -> list[Note]:
    token = request.cookies.get(COOKIE, "")
    found = _links().read(PURPOSE, token) if 0 < len(token) <= LONGEST else None
    since = (request_now() - KEPT).timestamp()
    return [(account, number, at) for account, number, at in (found or []) if at >= since]  # type: ignore[attr-defined]


def _links() -> Links:
    links: Links = current_app.extensions["eventreg.links"]
    return links
