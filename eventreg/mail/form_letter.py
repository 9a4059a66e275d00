"""A mail that many get: its words are rendered once, with gaps for what is each person's own.

Three hundred confirmations of one event differ in a name, a few answers and a link, and rendering them takes longer
than all else of a mail.
"""

import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import escape

_MARK = secrets.token_hex(16)
"""Whoever writes a title or an answer cannot know it, so nothing they write is taken for a gap."""
_GAP = re.compile(f"{_MARK}([0-9]+);")


@dataclass(frozen=True, slots=True)
class Bodies:
    """What a mail says: in one line, in plain text, and in HTML."""

    subject: str
    text: str
    html: str


class FormLetter:
    """What `render` makes of any words of one's own, which stand in the bodies as they are or not at all."""

    def __init__(self, render: Callable[[Sequence[str]], Bodies], own: Sequence[str]) -> None:
        """`own` are the first person's; for everybody else the same ones must be empty."""
        made = render([f"{_MARK}{number};" if words else "" for number, words in enumerate(own)])
        if _MARK in made.subject:
            raise ValueError("a subject holds nothing of one's own")
        self._subject = made.subject
        self._text, self._html = _Pieces(made.text), _Pieces(made.html)

    def filled(self, own: Sequence[str]) -> Bodies:
        """The letter for whom those are."""
        return Bodies(self._subject, self._text.around(own), self._html.around([str(escape(words)) for words in own]))


class _Pieces:
    def __init__(self, body: str) -> None:
        self._pieces = _GAP.split(body)
        self._numbers = [int(number) for number in self._pieces[1::2]]

    def around(self, own: Sequence[str]) -> str:
        pieces = self._pieces.copy()
        pieces[1::2] = [own[number] for number in self._numbers]
        return "".join(pieces)
