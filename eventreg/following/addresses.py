"""Which addresses may be asked at all: https on the public net, and nothing that is ours or our neighbours'. Pure."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_network
from urllib.parse import quote, urlsplit, urlunsplit

from flask_babel import gettext as _

from eventreg.errors import InvalidField

LONGEST = 2000
HTTPS = 443
_NAT64 = IPv6Network("64:ff9b::/96")
_NAT64_LOCAL = IPv6Network("64:ff9b:1::/48")
_COMPATIBLE = IPv6Network("::/96")
_NOBODYS = tuple(map(ip_network, ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20", "5f00::/16", "fec0::/10")))
"""Set aside or given up, and global to some version of Python."""
Address = IPv4Address | IPv6Address


def normalised(text: str, *, own_host: str) -> str:
    """The https address somebody means; `webcal:` and `webcals:` stand for it.

    Raises: InvalidField("url") saying what is wrong with it.

    >>> normalised("webcal://Example.org/cal.ics#top", own_host="events.example.org")
    'https://example.org/cal.ics'
    """
    text = text.strip()
    if not text or len(text) > LONGEST or any(char <= " " or char == "\x7f" for char in text):
        raise InvalidField(
            "url", _("Write the calendar's address without blanks, like https://example.org/calendar.ics.")
        )
    try:
        parts = urlsplit(text)
        port = parts.port
        host = _host(parts.hostname or "")
    except (ValueError, UnicodeError) as error:
        raise InvalidField("url", _("This is no address that can be opened.")) from error
    if parts.scheme.lower() not in {"https", "webcal", "webcals"}:
        raise InvalidField("url", _("The address must begin with https:// or webcal://."))
    if not host:
        raise InvalidField("url", _("This is no address that can be opened."))
    if "@" in parts.netloc:
        raise InvalidField("url", _("Leave the name and password out of the address."))
    if port not in {None, HTTPS}:
        raise InvalidField("url", _("The address must not name a port."))
    if host == own_host.lower():
        raise InvalidField("url", _("This is an address of this site. Its events are here already."))
    made = urlunsplit(("https", host, quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._"), _query(parts.query), ""))
    if len(made) > LONGEST:
        raise InvalidField("url", _("This address is too long."))
    return made


def is_public(address: Address, port: int) -> bool:
    """Whether a machine there is a stranger's: no private, loopback, link-local, shared, multicast or reserved net.

    Addresses that carry another inside are judged by that one too. Source: RFC 6890, RFC 6598, RFC 6052, RFC 3879.
    """
    if port != HTTPS:
        return False
    if isinstance(address, IPv6Address):
        if address in _NAT64_LOCAL or address in _COMPATIBLE or address.teredo is not None:
            return False
        inside = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inside = IPv4Address(int(address) & 0xFFFFFFFF)
        if inside is not None:
            return is_public(inside, port)
    if any(address in net for net in _NOBODYS):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _host(name: str) -> str:
    """In ASCII, lower case, without the dot that ends a complete name."""
    name = name.rstrip(".")
    if ":" in name:  # an IPv6 address
        return f"[{name}]"
    return name.lower() if name.isascii() else name.encode("idna").decode().lower()


def _query(query: str) -> str:
    return quote(query, safe="/?%:@!$&'()*+,;=~-._")
