"""Slows down whoever tries passwords and codes: counted per network address and per account, right or wrong.

Counted here and not by decorating Flask-Security's views: Flask-Limiter keeps decorations per function, and
those functions are the same for every application of a process.
"""

from flask import abort, request, session
from flask_limiter.util import get_remote_address
from limits import parse_many

from eventreg.web.limits import hit, limiter

PER_IP = "30 per 5 minutes; 300 per day"
PER_ACCOUNT = "8 per 5 minutes; 40 per day"

PASSWORDS = frozenset({"security.login", "security.forgot_password"})
"""Posts that name an account by its e-mail address."""
SECRETS = frozenset(
    {
        "security.verify",
        "security.change_password",
        "security.two_factor_token_validation",
        "security.two_factor_rescue",
        "security.mf_recovery",
    }
)
"""Posts about the account that the session names, wholly or half signed in."""
OTHERS = frozenset({"security.reset_password"})
"""Posts that name no account; the signed token in their address cannot be guessed."""


def refuse_too_many() -> None:
    """Before each request. Raises: 429."""
    endpoint = request.endpoint or ""
    if request.method != "POST" or not limiter.enabled or endpoint not in PASSWORDS | SECRETS | OTHERS:
        return
    counted = [(PER_IP, "ip", get_remote_address())]
    if endpoint in PASSWORDS:
        counted.append((PER_ACCOUNT, "address", request.form.get("email", "").strip().casefold()[:254]))
    elif endpoint in SECRETS:
        account = session.get("tf_user_id") or session.get("_user_id") or get_remote_address()
        counted.append((PER_ACCOUNT, "account", str(account)))
    hits = [hit(rate, endpoint, kind, key) for rates, kind, key in counted for rate in parse_many(rates)]
    if not all(hits):
        abort(429)
