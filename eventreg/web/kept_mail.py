"""Who may read kept mail at /dev/mail: a person at this machine while the demo runs, with the printed address.

A request from this machine may have come through a proxy that says nothing of it, so the address holds a secret that
only the terminal shows. The browser keeps it in a cookie for /dev/mail alone: no public page varies by it.
"""

import hashlib
import hmac
from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, request

from eventreg import mail

PATH = "/dev/mail"
COOKIE = "dev_mail"
_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_OF_PROXIES = (
    *("forwarded", "via", "x-forwarded", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "x-original-", "x-host"),
    *("x-envoy-", "x-proxy", "x-azure-", "x-arr-", "x-amz", "x-appengine-", "x-cloud-trace", "x-varnish", "x-scheme"),
    *("cf-", "cdn-loop", "true-client-ip", "client-ip", "fastly-"),
)
"""What the headers begin with that proxies add."""


def address(app: Flask) -> str:
    """The path that opens the list, with its secret."""
    return f"{PATH}?key={_key(app)}"


def is_open() -> bool:
    """Whether a page may lead this visitor there: the demo, no mail server, the machine itself, no proxy known."""
    is_direct = not any(name.lower().startswith(_OF_PROXIES) for name in request.headers.keys())  # noqa: SIM118
    is_kept = bool(current_app.config["DEMO"]) and mail.destination(current_app) == "kept"
    return is_kept and is_direct and _is_loopback(request.remote_addr) and _is_asked_for_by_name()


def has_key() -> bool:
    """Whether the request holds the secret, in its address or in the cookie."""
    given = request.args.get("key") or request.cookies.get(COOKIE, "")
    return hmac.compare_digest(given.encode(errors="replace"), _key(current_app).encode())


def remember_key(response: Response) -> None:
    """Lets the browser that opened the printed address go on without it."""
    if request.args.get("key"):
        base = urlsplit(current_app.config["BASE_URL"]).path
        response.set_cookie(COOKIE, _key(current_app), path=f"{base}{PATH}", httponly=True, samesite="Strict")


def _key(app: Flask) -> str:
    return hmac.new(app.config["SECRET_KEY"].encode(), b"dev-mail", hashlib.sha256).hexdigest()[:32]


def _is_loopback(address: str | None) -> bool:
    try:
        return ip_address(address or "").is_loopback
    except ValueError:
        return False


def _is_asked_for_by_name() -> bool:
    """Whether the browser believes to be here: a foreign page can point its own name at this machine."""
    host = urlsplit(f"//{request.host}").hostname
    return host in _LOCAL_NAMES or host == urlsplit(current_app.config["BASE_URL"]).hostname
