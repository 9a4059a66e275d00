"""Text folded so that people find "Café" by typing "cafe" and "women’s" by typing "women's", on every database."""

import re
import unicodedata

from eventreg.text import normalized

TYPOGRAPHIC: dict[str, str] = {
    **dict.fromkeys("‘’‚‛′‵ʹʻʼʽˈ՚`", "'"),
    **dict.fromkeys("“”„‟″‶«»", '"'),
    **dict.fromkeys("‹", "<"),
    **dict.fromkeys("›", ">"),
    **dict.fromkeys("‐‑‒–—―−⁃", "-"),
    "⁄": "/",
    "æ": "ae",
    "œ": "oe",
    "ø": "o",
    "đ": "d",
    "ð": "d",
    "þ": "th",
    "ł": "l",
    "ħ": "h",
    "ŧ": "t",
    "ı": "i",
    "ĸ": "k",
    "ŋ": "n",
}
"""What keyboards do not have, as people type it. Text folded before is folded again where this grows: a migration."""
IGNORED = (
    "\u00ad\u034f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\u115f\u1160\u3164\ufe00-\ufe0f\ufeff\uffa0"
)
"""Characters that show nothing, as a range of a regular expression."""
MOST_GROWTH, LEAST_ROOM = 3, 1000
"""Letters that one letter may become in a long text, and characters that a short text may; U+FDFA becomes 18."""
_TYPOGRAPHIC = str.maketrans(TYPOGRAPHIC)
_IGNORED = re.compile(f"[{IGNORED}]+")


def fold(text: str) -> str:
    r"""What a search compares: lower case without accents, plain quotes and dashes, white space single.

    >>> fold("  Zoë’s CAFÉ—bar\n李 ")
    "zoe's cafe-bar 李"
    """
    return " ".join(_IGNORED.sub("", _plain(text.replace("´", "'"))).casefold().translate(_TYPOGRAPHIC).split())


def _plain(text: str) -> str:
    """Without accents, and with blanks in place of controls; each letter decomposed."""
    if text.isascii() and text.isprintable():
        return text
    decomposed = normalized("NFKD", text)[: max(LEAST_ROOM, MOST_GROWTH * len(text))]
    return "".join(
        [
            char if char.isprintable() or unicodedata.category(char) not in _CONTROLS else " "
            for char in decomposed
            if char < _FIRST_MARK or not unicodedata.combining(char)
        ]
    )


_FIRST_MARK = "\u0300"
_CONTROLS = frozenset({"Cc", "Cs"})


def key(text: str) -> str:
    """The part of an address that a name becomes; empty when nothing of it is a letter or digit of ASCII.

    >>> key("Talks & Lectures")
    'talks-lectures'
    """
    return re.sub(r"[^a-z0-9]+", "-", _name(text)).strip("-")


def name_key(text: str) -> str:
    """What a category or audience is compared by: `key`, or the folded name where `key` would be empty.

    >>> name_key("李")
    '李'
    """
    return key(text) or _name(text).replace("|", "")


def _name(text: str) -> str:
    """Lower case without accents. Not `fold`: addresses are made of it, so it stays as it is."""
    return " ".join(_plain(text.casefold()).split())
