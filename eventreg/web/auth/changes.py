"""What follows when an account's secrets change: other sessions end, the trail tells, and the owner is mailed.

Everything here runs in the request's own transaction, which Flask-Security commits.
"""

from typing import Any

from flask import Flask, request
from flask_babel import gettext as _
from flask_security import password_changed, password_reset, reset_password_instructions_sent
from flask_security import tf_disabled as codes_off
from flask_security import tf_profile_changed as codes_on
from flask_security.utils import send_mail

from eventreg.db import db
from eventreg.organizers import service, sign_ins, trail
from eventreg.organizers.models import Organizer
from eventreg.organizers.second_factor import recovery_code_used, recovery_codes_made
from eventreg.web.auth import sessions
from eventreg.web.moment import request_now

TEMPLATE = "security/email/account_notice"


def init_app(app: Flask) -> None:
    """Listens for what Flask-Security has changed. Recovery codes have no signal there; theirs know no application."""
    password_changed.connect(_password_changed, app)
    password_reset.connect(_password_reset, app)
    reset_password_instructions_sent.connect(_reset_asked, app)
    codes_on.connect(_codes_on, app)
    codes_off.connect(_codes_off, app)
    recovery_codes_made.connect(_recovery_codes_made)
    recovery_code_used.connect(_recovery_code_used)


def _password_changed(_app: Flask, user: Any, **_more: object) -> None:
    account = _account(user)
    service.revoke_others(db.session(), account, now=request_now(), but=sessions.token())
    _note(trail.PASSWORD_CHANGED, account)


def _password_reset(_app: Flask, user: Any, **_more: object) -> None:
    account = _account(user)
    service.revoke(db.session(), account, now=request_now())
    _note(trail.PASSWORD_RESET, account)


def _reset_asked(_app: Flask, user: Any, **_more: object) -> None:
    _note(trail.RESET_ASKED, _account(user))


def _codes_on(_app: Flask, user: Any, **_more: object) -> None:
    _end_others(_account(user))
    _note(trail.CODES_ON, _account(user))
    _mail(_account(user), _("Sign-in codes were switched on"))


def _codes_off(_app: Flask, user: Any, **_more: object) -> None:
    _end_others(_account(user))
    _note(trail.CODES_OFF, _account(user))
    _mail(_account(user), _("Sign-in codes were switched off"))


def _recovery_codes_made(_sender: object, user: Any) -> None:
    _end_others(_account(user))
    _note(trail.RECOVERY_CODES_MADE, _account(user))
    _mail(_account(user), _("New recovery codes were made"))


def _recovery_code_used(_sender: object, user: Any) -> None:
    _note(trail.RECOVERY_CODE_USED, _account(user))
    _mail(_account(user), _("A recovery code was used to sign in"))


def _end_others(account: Organizer) -> None:
    sign_ins.end_all(db.session(), organizer_id=account.id, now=request_now(), but=sessions.token())


def _note(action: str, account: Organizer) -> None:
    trail.note(db.session(), action=action, account=account, now=request_now(), source=request.remote_addr or "")


def _mail(account: Organizer, what: str) -> None:
    send_mail(what, account.email, TEMPLATE, user=account, what=what)


def _account(user: Any) -> Organizer:
    """Flask-Security hands out its proxy for the account that is signed in."""
    return db.session.get_one(Organizer, user.id)
