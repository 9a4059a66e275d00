"""Addresses of mail and of maps, taken apart and put together. Pure."""

from urllib.parse import quote

from eventreg.events.models import Event


def bare_address(given: str) -> str:
    """The address alone, of one that may be given with a name.

    >>> bare_address("Events <events@example.org>")
    'events@example.org'
    """
    return given.rpartition("<")[2].rstrip("> ")


def host_of(given: str) -> str:
    """The part after the @, as ASCII.

    >>> host_of("Events <events@bücher.example>")
    'xn--bcher-kva.example'
    """
    host = bare_address(given).rpartition("@")[2]
    return host if host.isascii() else host.encode("idna").decode()


def for_envelope(address: str) -> str:
    """The address as SMTP takes it: the host in ASCII, the part before it as it is.

    >>> for_envelope("zoe@bücher.example")
    'zoe@xn--bcher-kva.example'
    """
    local, _at, _host = bare_address(address).rpartition("@")
    return f"{local}@{host_of(address)}"


def map_address(event: Event) -> str:
    """Where the place is found on OpenStreetMap; empty for an event without a place."""
    spot = event.location_address.strip() or event.location_name.strip()
    return f"https://www.openstreetmap.org/search?query={quote(spot, safe='')}" if spot else ""
