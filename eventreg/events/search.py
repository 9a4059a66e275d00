"""Text folded so that people find "Café" by typing "cafe", the same on every database."""

import re
import unicodedata


def fold(text: str) -> str:
    r"""Lower case without accents, white space single; NUL and other controls become spaces.

    >>> fold("  Zoë's CAFÉ\n李 ")
    "zoe's cafe 李"
    """
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return " ".join(_UNUSUAL.sub(_plain, decomposed).split())


def _plain(found: re.Match[str]) -> str:
    char = found[0]
    if unicodedata.combining(char):
        return ""
    return " " if unicodedata.category(char) in {"Cc", "Cs"} else char


_UNUSUAL = re.compile(r"[^ -~]")


def key(text: str) -> str:
    """The part of an address that a name becomes; empty when nothing of it is a letter or digit of ASCII.

    >>> key("Talks & Lectures")
    'talks-lectures'
    """
    return re.sub(r"[^a-z0-9]+", "-", fold(text)).strip("-")


def name_key(text: str) -> str:
    """What a category or audience is compared by: `key`, or the folded name where `key` would be empty.

    >>> name_key("李")
    '李'
    """
    return key(text) or fold(text).replace("|", "")
