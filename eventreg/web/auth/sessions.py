"""Binds the session cookie to a sign-in of the database, and gives up what is idle, ended or finished elsewhere.

The cookie holds a token and the time of the last request. A copy of it opens nothing once the sign-in has ended.
"""

import logging
from datetime import datetime, timedelta
from typing import Any

from flask import Flask, abort, current_app, flash, g, redirect, request, session, url_for
from flask.wrappers import Response
from flask_babel import gettext as _
from flask_login import user_logged_in, user_logged_out
from flask_security import Security
from flask_security.tf_plugin import tf_clean_session
from flask_security.utils import set_request_attr
from sqlalchemy import inspect

from eventreg.db import AWAY, db, said, write_transaction
from eventreg.organizers import service, sign_ins, trail
from eventreg.organizers.models import Organizer
from eventreg.web.access import me
from eventreg.web.moment import request_now

TOKEN = "sign_in"  # noqa: S105 - the name of a session key
SEEN = "seen"
"""When the last request came, in seconds since 1970, to within SEEN_EVERY."""
SEEN_EVERY = timedelta(minutes=10)
ALL_OF_A_SIGN_IN = ("_user_id", "_fresh", "_id", "fs_paa", "fs_gexp", TOKEN, SEEN)
KEPT_OVER_SIGN_IN = frozenset({"_user_id", "_fresh", "_id", "_flashes"})
TWO_FACTOR_STATE = frozenset({"tf_state", "tf_user_id", "tf_primary_method", "tf_totp_secret", "tf_select"})
"""Flask-Security clears these itself, after sign-in."""
CODE_FORM = "security.two_factor_token_validation"
OF_TWO_FACTOR = frozenset(
    {
        CODE_FORM,
        "security.two_factor_setup",
        "security.two_factor_rescue",
        "security.mf_recovery",
        "security.tf_select",
    }
)
"""Endpoints that trust what the session says of a sign-in that is half done."""

log = logging.getLogger(__name__)


def init_app(app: Flask) -> None:
    """Comes after Flask-Security."""
    security: Security = app.extensions["security"]
    security.login_manager.user_loader(load_account)
    app.before_request(_check_halfway)
    app.after_request(_after)
    user_logged_in.connect(_begin, app)
    user_logged_out.connect(_end, app)


def token() -> str:
    """Of the sign-in that this request belongs to."""
    return str(session.get(TOKEN, ""))


def load_account(uniquifier: str) -> Organizer | None:
    """The account a session is signed in to: one statement, and one for its roles."""
    now, seen = request_now(), session.get(SEEN)
    if not isinstance(seen, int | float) or now.timestamp() - seen > _idle_limit().total_seconds():
        return None
    found = sign_ins.account_of(db.session(), uniquifier=uniquifier, token=token(), now=now)
    if found is None:
        return None
    account, g.sign_in_changed_at = found
    if now.timestamp() - seen > SEEN_EVERY.total_seconds():
        session[SEEN] = int(now.timestamp())
    # What Flask-Security's own loader tells the rest of it.
    set_request_attr("fs_authn_via", "session")
    set_request_attr("fs_paa", session.get("fs_paa", 0))
    return account


def _idle_limit() -> timedelta:
    return timedelta(hours=current_app.config["SESSION_IDLE_HOURS"])


def _check_halfway() -> Any:
    """Forgets a half-done sign-in that has ended, is finished or too old, before Flask-Security trusts the session."""
    if request.endpoint not in OF_TWO_FACTOR:
        return None
    if request.endpoint == CODE_FORM and session.get("tf_state") != "validating_profile" and me().is_authenticated:
        return redirect(url_for("auth.account_show"))  # Flask-Security would sign out, also on a GET
    if "tf_user_id" not in session:
        return None
    uniquifier = str(session["tf_user_id"])
    if not sign_ins.is_halfway(db.session(), uniquifier=uniquifier, token=token(), now=request_now()):
        tf_clean_session()
    return None


def _begin(_app: Flask, user: Any, **_more: object) -> None:
    """A new sign-in with a session of its own: nothing the session held before, the CSRF secret first, is kept."""
    halfway = token() if "tf_user_id" in session else None
    for name in set(session) - KEPT_OVER_SIGN_IN - TWO_FACTOR_STATE:
        session.pop(name)
    g.pop("csrf_token", None)
    now = request_now()
    if request.endpoint == "security.login":
        _begin_after_password(user, now)
        return
    # The other ways in write within the transaction of the request, which Flask-Security commits.
    if halfway is not None and not sign_ins.finish_halfway(db.session(), token=halfway, now=now):
        _refuse()
    _hold(user.id, now)
    if halfway is not None:
        trail.note(db.session(), action=trail.SIGNED_IN, account=_account(user.id), now=now, **_circumstances())


def _begin_after_password(user: Any, now: datetime) -> None:
    """In a transaction of its own: the one that read the account must not write once the hashing is done."""
    hashes = inspect(user).attrs.password.history  # Flask-Security hashes anew when its parameters have changed
    with write_transaction(db.session()):
        account = db.session.get_one(Organizer, user.id, with_for_update=True)
        if not account.active or account.fs_uniquifier != session["_user_id"]:
            _refuse()
        if hashes.added and hashes.deleted == [account.password]:
            account.password = hashes.added[0]
        _hold(account.id, now)
        trail.note(db.session(), action=trail.SIGNED_IN, account=account, now=now, **_circumstances())


def _hold(organizer_id: int, now: datetime, *, is_halfway: bool = False) -> None:
    agent = request.headers.get("User-Agent", "")
    session[TOKEN] = sign_ins.begin(
        db.session(), organizer_id=organizer_id, user_agent=agent, now=now, is_halfway=is_halfway
    )
    session[SEEN] = int(now.timestamp())


def _circumstances() -> dict[str, Any]:
    agent = request.headers.get("User-Agent", "")[:200]
    return {"source": request.remote_addr or "", "changes": {"browser": (None, agent)}}


def _refuse() -> None:
    """The account or its half-done sign-in changed while this request was on its way."""
    db.session.rollback()
    forget()
    tf_clean_session()
    flash(_("That sign-in could not be finished. Start again."), "warning")
    abort(redirect(url_for("security.login")))


def forget() -> None:
    """Takes the sign-in out of this session."""
    for name in ALL_OF_A_SIGN_IN:
        session.pop(name, None)


def _end(_app: Flask, user: Any, **_more: object) -> None:
    """Signs out on every host, also whoever holds a copy of the cookie."""
    ended = session.pop(TOKEN, None)
    session.pop(SEEN, None)
    if ended is None or request.method != "POST" or not getattr(user, "id", None):
        return
    with write_transaction(db.session()):
        sign_ins.end(db.session(), token=ended, now=request_now())
        account = _account(user.id)
        trail.note(
            db.session(), action=trail.SIGNED_OUT, account=account, now=request_now(), source=request.remote_addr or ""
        )


def _account(organizer_id: int) -> Organizer:
    return db.session.get_one(Organizer, organizer_id)


def _after(response: Response) -> Response:
    """Keeps a sign-in that waits for its code, and when one last changed something. Only after a POST."""
    if request.method != "POST":
        return response
    try:
        if request.endpoint == "security.login" and session.get("tf_state") == "ready":
            _begin_halfway()
        elif "sign_in_changed_at" in g and TOKEN in session:
            _note_change(g.sign_in_changed_at)
    except AWAY as error:
        log.warning("A sign-in could not be kept or brought up to date: %s", said(error))
    return response


def _begin_halfway() -> None:
    with write_transaction(db.session()):
        account = service.by_uniquifier(db.session(), session["tf_user_id"])
        if account is not None:
            _hold(account.id, request_now(), is_halfway=True)


def _note_change(before: datetime) -> None:
    if request_now() - before > sign_ins.NOTED_EVERY:
        with write_transaction(db.session()):
            sign_ins.note_change(db.session(), token=token(), now=request_now())
