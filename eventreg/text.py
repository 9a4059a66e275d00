r"""Text from outside, bounded before it is normalized: the one place that calls `unicodedata.normalize`.

CPython sorts a run of combining marks in quadratic time, so one letter with 120,000 marks keeps a process busy for
seconds. Runs are cut first, to what Unicode calls stream-safe text (UAX #15 section 13).
"""

import re
import unicodedata
from typing import Literal

MOST_MARKS = 30
"""Combining marks kept after one letter; no language needs more than a few."""
ROOM = 4
"""Times the allowed length that raw text may have: blanks go, and decomposed letters come together."""
DIRECTION = "\u202a-\u202e\u2066-\u2069"
"""Embeddings, overrides and isolates, as a range of a regular expression. They turn the text around them, so that
"Bob\u202egpj.exe" reads "Bobexe.jpg". Arabic and Hebrew need none; the marks U+200E, U+200F and U+061C stay."""

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]
_FIRST_MARK = "\u0300"
_BECOME_MARKS = frozenset("\u0f73\u0f75\u0f81\uff9e\uff9f")
"""Not combining themselves, but decomposed into nothing else than combining marks."""
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0\u2800\ufffc\U0001d159\U00013441\U00013442")
"""Letters and symbols that show nothing."""
_VISIBLE = frozenset("LNPS")
_DIRECTION = re.compile(f"[{DIRECTION}]+")
_BREAKS = re.compile("\r\n|[\r\u2028\u2029]")
_NOT_TEXT = frozenset({"Cc", "Cs", "Co", "Cn"})
_EDGES = "\u00ad\u200b\u2060\ufeff"
"""What copying leaves around a text; inside it these may part words."""


def line(given: object, *, most: int) -> str:
    r"""One line of text, without controls and stray blanks; "" when nothing of it can be seen.

    Text of more than ROOM times `most` characters comes back as it is, for a length check to refuse.

    >>> line("  Zoë\x00\nO'Brien ", most=200)
    "Zoë O'Brien"
    >>> line("\u200b\u3164", most=200)
    ''
    """
    return " ".join(paragraph(given, most=most).split()) if not is_far_too_long(given, most) else str(given)


def paragraph(given: object, *, most: int) -> str:
    r"""The same of text over several lines, ends of lines as "\n". A file sent where text was asked for is no text.

    >>> paragraph("one\r\ntwo\x07 ", most=200)
    'one\ntwo'
    """
    if not isinstance(given, str) or is_far_too_long(given, most):
        return given if isinstance(given, str) else ""
    if given.isascii() and given.isprintable():
        return given.strip()
    unified = _BREAKS.sub("\n", _DIRECTION.sub("", normalized("NFC", given)))
    kept = "".join([char if char in "\n\t" or unicodedata.category(char) not in _NOT_TEXT else " " for char in unified])
    return "" if is_blank(kept) else _stripped(kept)


def beginning(given: object, *, most: int) -> str:
    """The first `most` characters of `line`, for a search or a filter, which refuses nothing.

    >>> beginning(" tea  time ", most=5)
    'tea t'
    """
    return line(given[: ROOM * most], most=most)[:most] if isinstance(given, str) else ""


def is_far_too_long(given: object, most: int) -> bool:
    """Whether it is not even cleaned: a length check will refuse it."""
    return isinstance(given, str) and len(given) > ROOM * most


def is_blank(text: str) -> bool:
    r"""Whether nothing of it can be seen: blanks, invisible characters, marks without a letter.

    >>> is_blank("\u2800\u200d\ufe0f"), is_blank("é")
    (True, False)
    """
    return not any(unicodedata.category(char)[0] in _VISIBLE and char not in _FILLERS for char in text)


def normalized(form: Form, text: str) -> str:
    """`unicodedata.normalize` in linear time."""
    return text if text.isascii() else unicodedata.normalize(form, limit_marks(text))


def limit_marks(text: str) -> str:
    r"""The text with at most MOST_MARKS combining marks in a row.

    >>> len(limit_marks("a" + "\u0301\u0316" * 1000))
    31
    """
    if not text or max(text) < _FIRST_MARK:
        return text
    kept, run = [], 0
    for char in text:
        run = run + 1 if unicodedata.combining(char) or char in _BECOME_MARKS else 0
        if run <= MOST_MARKS:
            kept.append(char)
    return "".join(kept) if len(kept) < len(text) else text


def _stripped(text: str) -> str:
    bare = text.strip()
    while bare and (bare[0] in _EDGES or bare[-1] in _EDGES):
        bare = bare.strip(_EDGES).strip()
    return bare
