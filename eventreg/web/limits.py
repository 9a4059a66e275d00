"""Rate limits, counted by Flask-Limiter's storage: for all processes of a host in a file, for all hosts in Redis.

A request is checked against all of its counters before it counts under any, so a refused request writes nothing: it
neither fills the store nor uses up what belongs to others. Counters are keyed on what the request would really use:
the normalised mailbox or the account, and the client's network.
"""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from flask import Flask, request
from flask_limiter import Limiter
from limits import RateLimitItem, parse_many
from limits.errors import StorageError
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter, RateLimiter

from eventreg import addresses
from eventreg.errors import InvalidField
from eventreg.networks import network_of
from eventreg.web import limit_store  # noqa: F401 - registers its storage with `limits`

log = logging.getLogger(__name__)
_here = FixedWindowRateLimiter(MemoryStorage())
"""Counts in this process while the shared counters cannot be reached: nobody's answer is lost for want of them."""

PER_IP = "120 per minute; 1500 per hour"
"""A lecture hall answers from one address at once, so this stops programs, not people."""
PER_ADDRESS = "10 per hour"
"""One mailbox; what a person who changes their mind never reaches."""
LINKS_PER_ADDRESS = "5 per hour"


@dataclass(frozen=True, slots=True)
class Counter:
    """`rates` in the words of `limits`, and whom or what they are counted for."""

    rates: str
    key: tuple[str, ...]


def client_network() -> str:
    """Whom a request counts for: its IPv4 address, or the network of its IPv6 address."""
    return network_of(request.remote_addr or "")


limiter = Limiter(client_network, strategy="fixed-window")


def init_app(app: Flask) -> None:
    """Registers Flask-Limiter; RATELIMIT_ENABLED switches it off."""
    limiter.init_app(app)


def is_over(name: str, *, per_address: str = PER_ADDRESS, per_ip: str = PER_IP) -> bool:
    """Counts this request against its network and its posted e-mail address; True when either has had enough."""
    if not limiter.enabled:
        return False
    of_network = Counter(per_ip, (name, "ip", client_network()))
    if is_spent(of_network):  # before anything is made of what was posted
        return True
    mailbox = mailbox_of(request.form.get("email", ""))
    of_mailbox = [Counter(per_address, (name, "address", digest(mailbox)))] if mailbox else []
    return not is_admitted(*of_mailbox, of_network)


def is_admitted(*counters: Counter) -> bool:
    """Counts once under each; False, and nothing is counted, when one of them has had enough."""
    return not is_spent(*counters) and count(*counters)


def is_spent(*counters: Counter) -> bool:
    """Whether one of them has had enough. Writes nothing."""
    return any(not _asked(partial(_test, rate, one.key)) for one in counters for rate in parse_many(one.rates))


def count(*counters: Counter) -> bool:
    """Counts once under each; False when others have used up one of them since it was checked."""
    hits = [_asked(partial(_hit, rate, one.key)) for one in counters for rate in parse_many(one.rates)]
    return all(hits)


def mailbox_of(typed: str) -> str:
    """The mailbox that the forms read from what was typed, for counting; empty for what they refuse."""
    try:
        return addresses.counting_key(addresses.normalised(addresses.tidied(typed)))
    except InvalidField:
        return ""


def digest(words: str) -> str:
    """A key of bounded length that keeps no personal data in the store."""
    return hashlib.blake2b(words.encode(errors="replace"), digest_size=16).hexdigest()


def _test(rate: RateLimitItem, key: tuple[str, ...], limits: RateLimiter) -> bool:
    return limits.test(rate, *key)


def _hit(rate: RateLimitItem, key: tuple[str, ...], limits: RateLimiter) -> bool:
    return limits.hit(rate, *key)


def _asked(ask: Callable[[RateLimiter], bool]) -> bool:
    try:
        return ask(limiter.limiter)
    except StorageError as error:
        log.warning(
            "The shared counters do not answer, rate limits are counted in this process: %s", error.storage_error
        )
        return ask(_here)
