"""Signing in, passwords, sign-in codes: Flask-Security's pages in our look, and the account page."""

from typing import Any

from flask import Blueprint, Flask, abort, g, request, session
from flask_limiter.util import get_remote_address
from flask_login import user_logged_in
from flask_security import Security

from eventreg.db import db
from eventreg.organizers import accounts

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
PER_IP = "30 per 5 minutes; 200 per day"
PER_ADDRESS = "8 per 5 minutes; 40 per day"
CODES_PER_ACCOUNT = "8 per 5 minutes; 40 per day"


def init_app(app: Flask) -> None:
    """Flask-Security, its limits, and this audience's own pages. Comes after CSRFProtect and the limiter."""
    from eventreg.web.auth.forms import FORMS  # noqa: PLC0415
    from eventreg.web.auth.mail import OutboxMail, reset_address  # noqa: PLC0415

    app.before_request(_begin_writing)
    accounts.init_app(app, mail_util=OutboxMail, forms=FORMS)
    security: Security = app.extensions["security"]
    security.mail_context_processor(lambda: {"reset_address": reset_address})
    user_logged_in.connect(_new_session, app)
    _limit(app)


def _begin_writing() -> None:
    """Flask-Security reads first and writes later; on SQLite such a transaction must ask for the lock at once."""
    if not (request.endpoint or "").startswith("security."):
        return
    if request.is_json:
        abort(415)
    if request.method == "POST" and request.endpoint in WRITES:
        db.session.rollback()
        db.session.connection(execution_options={"eventreg_write": True})


def _new_session(_app: Flask, **_user: object) -> None:
    """What the session held before sign-in, the CSRF secret first, is not carried over it."""
    for name in set(session) - {"_user_id", "_fresh", "_id", "_flashes"} - TWO_FACTOR_STATE:
        session.pop(name)
    g.pop("csrf_token", None)


TWO_FACTOR_STATE = frozenset({"tf_state", "tf_user_id", "tf_primary_method", "tf_totp_secret", "tf_select"})
"""Flask-Security clears these itself, after sign-in."""


def _limit(app: Flask) -> None:
    """Counts tries per network address and per account, whether they succeed or not."""
    from eventreg.web.limits import limiter  # noqa: PLC0415

    def address() -> str:
        return "auth:" + request.form.get("email", "").strip().casefold()[:254]

    def account() -> str:
        return "code:" + str(session.get("tf_user_id") or session.get("_user_id") or get_remote_address())

    keys = {
        "security.login": address,
        "security.forgot_password": address,
        "security.reset_password": None,
        "security.verify": account,
        "security.change_password": account,
        "security.two_factor_token_validation": account,
        "security.two_factor_rescue": account,
        "security.mf_recovery": account,
    }
    for endpoint, key in keys.items():
        view: Any = app.view_functions[endpoint]
        if key is not None:
            view = limiter.limit(PER_ADDRESS, key_func=key, methods=["POST"])(view)
        app.view_functions[endpoint] = limiter.limit(PER_IP, methods=["POST"])(view)


from eventreg.web.auth import views  # noqa: E402, F401 - the views hang themselves on the blueprint
