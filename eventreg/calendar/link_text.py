"""A link in plain text: its words and its address, or the address alone where the words say the same. Pure.

Source: RFC 3986 section 6.2 for when two addresses are equivalent.
"""

import re
from urllib.parse import unquote

_ADDRESS = re.compile(r"(?:(https?)://)?([^/?#\s@]+)([/?#].*)?", re.IGNORECASE)
_PORTS = {"http": ":80", "https": ":443"}
_AROUND = "<>.,;:!?\u201c\u201d\"' "
LONGEST = 2000
LONGEST_HOST = 253


def link_text(words: str, address: str) -> str:
    """The link as plain text shows it.

    >>> link_text("Map", "https://example.org/map"), link_text("https://Example.org/café", "https://example.org/caf%C3%A9")
    ('Map (https://example.org/map)', 'https://example.org/caf%C3%A9')
    """
    return address if is_same(words, address) else f"{words} ({address})"


def is_same(words: str, address: str) -> bool:
    """Whether the words are that web or mail address, in whatever spelling.

    Case of the scheme and host, percent-encoding, international hosts, `&amp;`, default ports, a slash at the end,
    and punctuation around the words make no difference. Words without a scheme may stand for any.
    """
    if words == address:
        return True
    scheme, *said = _key(words.strip(_AROUND))
    real_scheme, *real = _key(address)
    return bool(said[0]) and said == real and scheme in {"", real_scheme}


def _key(text: str) -> tuple[str, str, str]:
    """Scheme, host and the rest in one spelling; all empty for what is no address."""
    text = text.replace("&amp;", "&")
    found = _ADDRESS.fullmatch(text) if len(text) <= LONGEST else None
    if found is None:
        return "", text.lower() if "@" in text and " " not in text else "", ""
    scheme, rest = (found[1] or "").lower(), found[3] or ""
    host = found[2].lower().removesuffix(_PORTS.get(scheme, ":443")).rstrip(".")
    return scheme, _ascii(host), unquote(rest).rstrip("/")


def _ascii(host: str) -> str:
    if host.isascii() or len(host) > LONGEST_HOST:
        return host
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        return host
