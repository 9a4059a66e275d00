"""Flask-Security-Too, set up for the people who run events.

Passwords are argon2id and not peppered, so that a new SECRET_KEY locks nobody out: it ends sessions and
links, and authenticator secrets made under the old one stop being readable (`eventreg organizer password
--forget-two-factor` lets such a person in again).
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import Flask, g, request
from flask_security import MailUtil, PasswordUtil, Security, SQLAlchemyUserDatastore

from eventreg.db import db
from eventreg.organizers import passwords
from eventreg.organizers.messages import MESSAGES
from eventreg.organizers.models import Organizer, Role
from eventreg.organizers.second_factor import AuthenticatorCodes, RecoveryCodes

DESK_PATHS = ("/auth/", "/organize", "/api/")
"""Where somebody can be signed in. Everywhere else nobody asks, so that pages for everybody stay cacheable."""

SETTINGS: dict[str, Any] = {
    "URL_PREFIX": "/auth",
    "STATIC_FOLDER": None,
    "POST_LOGIN_VIEW": "organizer.event_list",
    "POST_LOGOUT_VIEW": "security.login",
    "POST_CHANGE_VIEW": "auth.account_show",
    "POST_RESET_VIEW": "security.login",
    "TWO_FACTOR_POST_SETUP_VIEW": "auth.account_show",
    "LOGOUT_METHODS": ["POST"],
    "LOGOUT_CSRF": True,
    "RECOVERABLE": True,
    "CHANGEABLE": True,
    "RESET_PASSWORD_WITHIN": timedelta(hours=2),
    "RETURN_GENERIC_RESPONSES": True,
    "PASSWORD_HASH": "argon2",
    "PASSWORD_SCHEMES": ["argon2"],
    "PASSWORD_SINGLE_HASH": {"argon2"},
    "PASSWORD_LENGTH_MIN": passwords.SHORTEST,
    "EMAIL_VALIDATOR_ARGS": {"check_deliverability": False},
    "JOIN_USER_ROLES": False,
    "TWO_FACTOR": True,
    "TWO_FACTOR_ENABLED_METHODS": ["authenticator"],
    "TWO_FACTOR_IMPLEMENTATIONS": {"code": "flask_security.twofactor.CodeTfPlugin"},
    "TWO_FACTOR_RESCUE_EMAIL": False,
    # Seconds either side of now in which a code counts: one step, for clocks that are a little off.
    "TWO_FACTOR_AUTHENTICATOR_VALIDITY": 30,
    "MULTI_FACTOR_RECOVERY_CODES": True,
    "MULTI_FACTOR_RECOVERY_CODES_N": 8,
    # Changing the second factor asks for the password again when it was given longer ago than this.
    "FRESHNESS": timedelta(minutes=30),
    "FRESHNESS_GRACE_PERIOD": timedelta(minutes=10),
    "API_ENABLED_METHODS": ["session"],
    "CLI_USERS_NAME": None,
    "CLI_ROLES_NAME": None,
    "I18N_DOMAIN": "messages",
    # None is a directive without a value; Flask-Security's own True would be written "no-store=True".
    "CACHE_CONTROL": {"private": None, "no-store": None},
    **{f"MSG_{name}": message for name, message in MESSAGES.items()},
}


class Accounts(Security):
    """Flask-Security without the packages it asks for and this service does not use."""

    def _check_modules(self, module: str, config_name: str) -> Any:
        """The QR code is drawn by segno, so the package `qrcode` is not needed."""
        return None if module == "qrcode" else super()._check_modules(module, config_name)


class PasswordRule(PasswordUtil):
    """Applies `organizers.passwords` to every form that sets one."""

    def normalize(self, password: str) -> str:
        """As `passwords.normalize`."""
        return passwords.normalize(password)

    def validate(self, password: str, is_register: bool, **kwargs: Any) -> tuple[list[str] | None, str]:  # noqa: ARG002
        """(what is wrong or None, the normalized password); Flask-Security's own order."""
        normal = self.normalize(password)
        fault = passwords.fault(normal, email=kwargs["user"].email)
        return ([fault] if fault else None), normal


def init_app(app: Flask, *, mail_util: type[MailUtil], forms: Mapping[str, Any]) -> None:
    """Installs sign-in, reset, change and two-factor under /auth.

    Must come after CSRFProtect. `mail_util` owes the mails; `forms` are Flask-Security's forms in our words.
    """
    for name, value in {**SETTINGS, **_derived(app)}.items():
        app.config[f"SECURITY_{name}"] = value
    app.config["SESSION_PROTECTION"] = "strong"
    # A session lives as long as the browser, and never longer than this after it last changed.
    app.config["PERMANENT_SESSION_LIFETIME"] = timedelta(days=7)

    @app.before_request
    def nobody_where_nobody_signs_in() -> None:
        """Keeps Flask-Login, Flask-Principal and their template helpers from reading the session elsewhere."""
        if not request.path.startswith(DESK_PATHS):
            g._login_user = app.login_manager.anonymous_user()  # type: ignore[attr-defined]  # noqa: SLF001

    security = Accounts(
        app,
        SQLAlchemyUserDatastore(db, Organizer, Role),
        mail_util_cls=mail_util,
        password_util_cls=PasswordRule,
        totp_cls=AuthenticatorCodes,
        mf_recovery_codes_util_cls=RecoveryCodes,
        **forms,
    )
    security.want_json(lambda _request: False)
    manager = security.login_manager
    # No token opens the desk, only a session.
    manager.request_loader(lambda _request: None)
    manager._session_identifier_generator = _browser  # noqa: SLF001
    # There is no “remember me”; its hook would read the session on every page.
    app.after_request_funcs[None].remove(manager._update_remember_cookie)  # noqa: SLF001


def _browser() -> str:
    """What a session is bound to. Not the network address: a phone changes it between the hall and the street."""
    return hashlib.sha256(request.headers.get("User-Agent", "").encode()).hexdigest()


def _derived(app: Flask) -> dict[str, Any]:
    """Keys of their own for each use, made of SECRET_KEY."""

    def key(purpose: str) -> bytes:
        return hmac.new(app.config["SECRET_KEY"].encode(), f"eventreg.{purpose}".encode(), hashlib.sha256).digest()

    return {
        "TOTP_SECRETS": {"1": key("authenticator").hex()},
        "TOTP_ISSUER": app.config["SITE_NAME"].replace(":", " "),
        "MULTI_FACTOR_RECOVERY_CODES_KEYS": [base64.urlsafe_b64encode(key("recovery-codes"))],
        **{f"{name}_SALT": key(f"salt-{name}").hex() for name in ("RESET", "CHANGE", "REMEMBER", "TWO_FACTOR_SETUP")},
        "I18N_DIRNAME": app.config["BABEL_TRANSLATION_DIRECTORIES"].split(";"),
    }
