"""Rate limits, counted by Flask-Limiter: for all processes of a host in a file, for all hosts in Redis.

`limiter` decorates views whose refusal may be a plain error page; `is_over` is asked by views that give the form
back with everything that was typed.
"""

import logging
from collections.abc import Callable

from flask import Flask, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from limits import RateLimitItem, parse_many
from limits.errors import StorageError
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter, RateLimiter

from eventreg.web import limit_store  # noqa: F401 - registers its storage with `limits`

log = logging.getLogger(__name__)
_here = FixedWindowRateLimiter(MemoryStorage())
"""Counts in this process while the shared counters cannot be reached: nobody's answer is lost for want of them."""

limiter = Limiter(get_remote_address, strategy="fixed-window")

PER_IP = "120 per minute; 1500 per hour"
"""A lecture hall answers from one address at once, so this stops programs, not people."""
PER_ADDRESS = "10 per hour"
"""One e-mail address; what a person who changes their mind never reaches."""
LINKS_PER_ADDRESS = "5 per hour"


def init_app(app: Flask) -> None:
    """Registers Flask-Limiter; RATELIMIT_ENABLED switches it off."""
    limiter.init_app(app)


def is_over(name: str, *, per_address: str = PER_ADDRESS, per_ip: str = PER_IP) -> bool:
    """Counts this request against its IP and its posted e-mail address; True when either has had enough.

    What is refused counts no further: a program that goes on about one address uses up nothing of those behind the
    same IP, and one whose IP has had enough nothing of anybody's address.
    """
    if not limiter.enabled:
        return False
    of_ip = (name, "ip", get_remote_address())
    if any(_is_spent(rate, *of_ip) for rate in parse_many(per_ip)):
        return True
    address = request.form.get("email", "").strip().lower()[:254]
    if address and not all(hit(rate, name, "address", address) for rate in parse_many(per_address)):
        return True
    return not all(hit(rate, *of_ip) for rate in parse_many(per_ip))


def hit(rate: RateLimitItem, *key: str) -> bool:
    """Counts once under `key`; False when that is one too many."""
    return _counted(lambda limits: limits.hit(rate, *key))


def _is_spent(rate: RateLimitItem, *key: str) -> bool:
    return not _counted(lambda limits: limits.test(rate, *key))


def _counted(ask: Callable[[RateLimiter], bool]) -> bool:
    try:
        return ask(limiter.limiter)
    except StorageError as error:
        log.warning(
            "The shared counters do not answer, rate limits are counted in this process: %s", error.storage_error
        )
        return ask(_here)
