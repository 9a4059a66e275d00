"""Host names in ASCII, as DNS, mail headers, feeds and calendar entries take them. Pure."""

from urllib.parse import SplitResult, quote

import idna

LONGEST = 253
"""RFC 1035 section 2.3.4, without the dot at its end."""


def ascii_host(host: str) -> str:
    """The host name in ASCII. Raises: ValueError for one that is none.

    >>> ascii_host("straße.example")
    'xn--strae-oqa.example'
    """
    if host.isascii():
        return host
    if len(host) > LONGEST:
        raise ValueError("its host name is too long")
    return idna.encode(host, uts46=True).decode()


def ascii_url(parts: SplitResult) -> str:
    """The web address in ASCII. Raises: ValueError.

    >>> from urllib.parse import urlsplit
    >>> ascii_url(urlsplit("https://bücher.example:8443/größe"))
    'https://xn--bcher-kva.example:8443/gr%C3%B6%C3%9Fe'
    """
    port = "" if parts.port is None else f":{parts.port}"
    return parts._replace(netloc=ascii_host(parts.hostname or "") + port, path=quote(parts.path, safe="/%")).geturl()
