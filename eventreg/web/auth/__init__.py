"""Signing in, passwords, sign-in codes: Flask-Security's pages in our look, and the account page."""

from flask import Blueprint, Flask, abort, request
from flask_security import Security

from eventreg.db import db
from eventreg.organizers import accounts
from eventreg.web.auth import hashing, known_browser

blueprint = Blueprint("auth", __name__, url_prefix="/auth")

WRITES = frozenset(
    {
        "security.forgot_password",
        "security.reset_password",
        "security.change_password",
        "security.two_factor_setup",
        "security.two_factor_setup_validate",
        "security.two_factor_token_validation",
        "security.mf_recovery",
        "security.mf_recovery_codes",
    }
)
"""Flask-Security's endpoints whose POST changes the database."""


def init_app(app: Flask) -> None:
    """Flask-Security, its limits, and this audience's own pages. Comes after CSRFProtect and the limiter."""
    from eventreg.web.auth import changes, failures, sessions  # noqa: PLC0415
    from eventreg.web.auth.forms import FORMS  # noqa: PLC0415
    from eventreg.web.auth.guessing import refuse_too_many  # noqa: PLC0415
    from eventreg.web.auth.mail import OutboxMail, reset_address  # noqa: PLC0415

    app.before_request(refuse_too_many)
    app.before_request(_begin_writing)
    accounts.init_app(app, mail_util=OutboxMail, forms=FORMS)
    security: Security = app.extensions["security"]
    security.mail_context_processor(lambda: {"reset_address": reset_address})
    for part in (sessions, changes, failures, known_browser, hashing):
        part.init_app(app)


def _begin_writing() -> None:
    """Flask-Security reads first and writes later; on SQLite such a transaction must ask for the lock at once."""
    if not (request.endpoint or "").startswith("security."):
        return
    if request.is_json:
        abort(415)
    if request.method == "POST" and request.endpoint in WRITES:
        db.session.rollback()
        db.session.connection(execution_options={"eventreg_write": True})


from eventreg.web.auth import views  # noqa: E402, F401 - the views hang themselves on the blueprint
