"""Rate limits on sign-in, passwords and codes: counted per network and per account, right or wrong.

Asked before each request and not by decorating Flask-Security's views: Flask-Limiter keeps decorations per function,
and those functions are the same for every application of a process.

A browser that has signed in to an account before (`known_browser`) has a counter of its own there, so a stranger's
guesses never keep its owner out; see docs/decisions.
"""

from typing import Any

from flask import abort, current_app, request, session
from flask_security import EmailValidateException

from eventreg import addresses
from eventreg.web import limits
from eventreg.web.access import me
from eventreg.web.auth import hashing, known_browser
from eventreg.web.auth.forms import as_typed
from eventreg.web.limits import Counter, limiter

PER_IP = "30 per 5 minutes; 300 per day"
PER_ACCOUNT = "8 per 5 minutes; 40 per day"

PASSWORDS = frozenset({"security.login", "security.forgot_password"})
"""Posts that name an account by its e-mail address."""
CODES = frozenset({"security.two_factor_token_validation", "security.two_factor_rescue", "security.mf_recovery"})
"""Posts about the account that is half signed in, or wholly."""
SIGNED_IN = frozenset({"security.verify", "security.change_password"})
"""Posts about the account that is signed in."""
OTHERS = frozenset({"security.reset_password"})
"""Posts that name no account; the signed token in their address cannot be guessed."""
HASHED = PASSWORDS | SIGNED_IN | OTHERS
"""Posts that hash a password, or what makes as much work."""


def refuse_too_many() -> None:
    """Before each request. Raises: 429; 503 when too many passwords are being hashed."""
    endpoint = request.endpoint or ""
    if request.method != "POST" or endpoint not in PASSWORDS | CODES | SIGNED_IN | OTHERS:
        return
    counters = _counters(endpoint) if limiter.enabled else []
    if limits.is_spent(*counters):
        abort(429)
    if endpoint in HASHED:
        hashing.take_turn()
    if not limits.count(*counters):
        abort(429)


def _counters(endpoint: str) -> list[Counter]:
    """What this request counts under. Raises: 429 before anything is read when its network has had enough.

    A known browser is counted by itself alone; others by network and account.
    """
    of_network = Counter(PER_IP, (endpoint, "ip", limits.client_network()))
    if not known_browser.is_any() and limits.is_spent(of_network):
        abort(429)
    account, name = _account(endpoint)
    browser = known_browser.of(account)
    if browser is not None:
        return [Counter(PER_ACCOUNT, (endpoint, "browser", limits.digest(browser)))]
    of_account = [Counter(PER_ACCOUNT, (endpoint, "account", limits.digest(name)))] if name else []
    return [of_network, *of_account]


def _account(endpoint: str) -> tuple[Any, str]:
    """The account that the request is about, None for an unknown one, and the address to count it by."""
    if endpoint in PASSWORDS:
        return _named(as_typed(request.form.get("email")))
    account = None
    if endpoint in CODES and "tf_user_id" in session:
        datastore = current_app.extensions["security"].datastore
        account = datastore.find_user(fs_uniquifier=session["tf_user_id"])
    elif endpoint not in OTHERS and me().is_authenticated:
        account = me()
    return account, addresses.identity(account.email) if account else ""


def _named(typed: str | None) -> tuple[Any, str]:
    """The account that the form would find, and its own address however it was typed.

    An address without an account counts alike, so that limits do not tell which have one.
    """
    security = current_app.extensions["security"]
    try:
        address = security.mail_util.normalize(typed or "")
    except EmailValidateException:
        return None, ""  # as the form sees it, no address
    account = security.datastore.find_user(case_insensitive=True, email=address)
    return account, addresses.identity(account.email if account else address)
