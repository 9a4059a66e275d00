"""The shut doors of every answer: headers, CSRF, what is refused before a view sees it."""

from flask import Flask, Response, abort, current_app, request
from flask_wtf import CSRFProtect

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=(), interest-cohort=()"

csrf = CSRFProtect()


def init_app(app: Flask) -> None:
    """Registers CSRF protection of every POST, and the headers."""
    csrf.init_app(app)
    app.before_request(_refuse_unprintable)
    app.after_request(_add_headers)


def _refuse_unprintable() -> None:
    """A path with control characters names nothing here, and PostgreSQL would refuse to look for it."""
    if any(ord(char) < ord(" ") or char == "\x7f" for char in request.path):
        abort(404)


def _add_headers(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", POLICY)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("X-Frame-Options", "DENY")
    headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
    headers.setdefault("Permissions-Policy", PERMISSIONS)
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if current_app.config["SESSION_COOKIE_SECURE"]:  # BASE_URL is https, whatever the proxy in front speaks to us
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if "Cache-Control" not in headers and response.mimetype == "text/html":
        headers["Cache-Control"] = "private, no-store" if request.path.startswith(_PRIVATE) else "no-cache"
    return response


_PRIVATE = ("/organize", "/auth", "/r/", "/my/", "/undo/")
