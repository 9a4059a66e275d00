"""Failed sign-ins and refusals by the limits, counted in the audit trail after the answer is made.

After it, because a transaction that writes must not be open while a password is hashed.
"""

import logging
from typing import Any

from flask import Flask, current_app, g, request, session
from flask.wrappers import Response
from flask_security import user_failed_authn

from eventreg import addresses
from eventreg.db import AWAY, db, said, write_transaction
from eventreg.organizers import service, trail
from eventreg.organizers.models import Organizer
from eventreg.web.moment import request_now

MOST_LOOKED_UP = 500
"""Addresses that one process looks up in an hour because requests about them were refused."""
EXTENSION = "eventreg.refusals"
LONGEST_ADDRESS = 254

log = logging.getLogger(__name__)


def init_app(app: Flask) -> None:
    """Listens for what Flask-Security says has failed."""
    app.extensions[EXTENSION] = {}
    user_failed_authn.connect(_failed, app)
    app.after_request(_count)


def note_failure(account: Any, *, action: str = trail.SIGN_IN_FAILED) -> None:
    """Counts a failure of the account, or of an address without one, when the answer is made."""
    g.failed_sign_in = (account.id if account else None, action)


def _failed(_app: Flask, *, user: Any, tfa: bool = False, **_how: object) -> None:
    note_failure(user, action=trail.CODE_FAILED if tfa else trail.SIGN_IN_FAILED)


def _count(response: Response) -> Response:
    if request.method != "POST" or not (request.endpoint or "").startswith("security."):
        return response
    try:
        if "failed_sign_in" in g:
            account_id, action = g.pop("failed_sign_in")
            with write_transaction(db.session()):
                account = db.session.get(Organizer, account_id) if account_id else None
                _write(action, account)
        elif response.status_code == 429:  # noqa: PLR2004
            _note_refusal()
    except AWAY as error:
        log.warning("A failed sign-in could not be counted: %s", said(error))
    return response


def _note_refusal() -> None:
    """Once an hour for each account in each process: what is refused must cost next to nothing."""
    log.warning("%s: too many tries, from %s", trail.REFUSED, request.remote_addr)
    about = _about()
    noted: dict[str, int] = current_app.extensions[EXTENSION]
    hour = int(request_now().timestamp() // 3600)
    if any(when != hour for when in noted.values()):
        noted.clear()
    if about in noted or len(noted) >= MOST_LOOKED_UP:
        return
    noted[about] = hour
    with write_transaction(db.session()):
        _write(trail.REFUSED, service.named(db.session(), about))


def _about() -> str:
    """What names the account: the posted address, or what the session holds. Empty for what can be neither."""
    given = request.form.get("email") or session.get("tf_user_id") or session.get("_user_id") or ""
    if len(given) > LONGEST_ADDRESS or not given.isprintable():
        return ""
    return addresses.identity(given) if "@" in given else given


def _write(action: str, account: Organizer | None) -> None:
    source = request.remote_addr or ""
    trail.count_failure(db.session(), action=action, account=account, now=request_now(), source=source)
