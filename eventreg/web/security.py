"""The shut doors of every answer: headers, CSRF, what is refused before a view sees it."""

import re
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

from flask import Flask, Response, abort, current_app, redirect, request
from flask_wtf import CSRFProtect
from werkzeug.routing import RequestRedirect

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=(), interest-cohort=()"

HEADERS = (
    ("Content-Security-Policy", POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
    ("Permissions-Policy", PERMISSIONS),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)
"""What every answer carries that does not say otherwise."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

csrf = CSRFProtect()
RETURNS_FORM = "returns_form"
View = TypeVar("View", bound=Callable[..., Any])


def returns_form(view: View) -> View:
    """The view's form checks the CSRF token itself, before anything is done: what was typed is given back."""
    setattr(view, RETURNS_FORM, True)
    csrf.exempt(view)
    return view


def init_app(app: Flask) -> None:
    """Registers CSRF protection of every POST, and the headers."""
    csrf.init_app(app)
    app.before_request(_refuse_unprintable)
    app.after_request(_add_headers)
    app.after_request(_redirect_within_site)


def _refuse_unprintable() -> None:
    """A path with control characters names nothing here, and PostgreSQL would refuse to look for it."""
    if _CONTROL.search(request.path):
        abort(404)


def _add_headers(response: Response) -> Response:
    headers = response.headers
    given = {name.lower() for name, _value in headers}
    for name, value in HEADERS:
        if name.lower() not in given:
            headers.add(name, value)
    if current_app.config["SESSION_COOKIE_SECURE"]:  # BASE_URL is https, whatever the proxy in front speaks to us
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if "Cache-Control" not in headers and response.mimetype == "text/html":
        headers["Cache-Control"] = "private, no-store" if request.path.startswith(_PRIVATE) else "no-cache"
    return response


def _redirect_within_site(response: Response) -> Response:
    """Werkzeug's redirects to a missing slash name the Host header, which anybody can choose: only a path is kept."""
    location = urlsplit(response.headers.get("Location", ""))
    is_by_routing = isinstance(request.routing_exception, RequestRedirect)
    if location.netloc and (is_by_routing or location.netloc == request.host):
        path = "/" + location.path.lstrip("/\\")
        within = redirect(urlunsplit(("", "", path, location.query, location.fragment)), response.status_code)
        response.set_data(within.get_data())
        response.headers["Location"] = within.headers["Location"]
    return response


_PRIVATE = ("/organize", "/auth", "/r/", "/my/", "/undo/", "/confirm/")
