"""Who may read kept mail at /dev/mail: whoever sits at this machine while the demo runs."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import current_app, request

from eventreg import mail

_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


def is_open() -> bool:
    """Whether this visitor may: the demo, no mail server, the machine itself, no proxy between."""
    is_here = _is_loopback(request.remote_addr) and not {"X-Forwarded-For", "Forwarded"} & set(request.headers.keys())
    is_kept = bool(current_app.config["DEMO"]) and mail.destination(current_app) == "kept"
    return is_kept and is_here and _is_asked_for_by_name()


def _is_loopback(address: str | None) -> bool:
    try:
        return ip_address(address or "").is_loopback
    except ValueError:
        return False


def _is_asked_for_by_name() -> bool:
    """Whether the browser believes to be here: a foreign page can point its own name at this machine."""
    host = urlsplit(f"//{request.host}").hostname
    return host in _LOCAL_NAMES or host == urlsplit(current_app.config["BASE_URL"]).hostname
