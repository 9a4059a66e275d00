"""The words of HTML that others wrote: lists keep their bullets, links their addresses. Pure.

One pass over the text, whatever stands in it. Python's html.parser looks for the end of an unfinished tag anew at
every sign, which takes a minute for a hundred kilobytes of them, and an HTML5 parser is as slow with deep ones.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from eventreg.calendar.link_text import is_same
from eventreg.calendar.text import one_line

LONGEST_URL = 1000
SILENT = frozenset({"script", "style", "head", "title", "template"})
"""Nobody sees what stands in these."""
BLOCKS = frozenset({"p", "div", "ul", "ol", "table", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6"})
_TAG = re.compile(
    r"""<(?:(?P<comment>!--)|[!?][^<>]*+>|(?P<end>/?)(?P<name>[A-Za-z][^\s/<>]*+)"""
    r"""(?P<rest>(?:[^<>"']++|"[^"<]*+"|'[^'<]*+'|["'])*+)>)"""
)
_HREF = re.compile(r"""(?:^|[\s"'/])href\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"']++))""", re.IGNORECASE)
_NO_CHARACTER = re.compile(r"&#[xX]?[0-9A-Fa-f]{8,}+;?")
"""Beyond all characters, and more digits than Python reads as a number."""
_BLANKS = re.compile(r"[ \t\xa0]++")


def address(text: str) -> str:
    """An absolute web address on one line; "" for anything else.

    >>> address("https://example.org/a"), address("javascript:alert(1)")
    ('https://example.org/a', '')
    """
    line = one_line(text)
    if len(line) > LONGEST_URL:
        return ""  # before urlsplit, which normalizes the host
    try:
        parts = urlsplit(line)
        good = parts.scheme.lower() in {"http", "https"} and bool(parts.hostname) and " " not in line
    except ValueError:
        return ""
    return line if good else ""


def plain(text: str) -> str:
    r"""What a reader of the page would see, in lines.

    >>> plain("<p>See <a href='https://example.org/x'>this</a></p><ul><li>one</li></ul>").strip()
    'See this (https://example.org/x)\n\n- one'
    """
    words = _Words()
    for piece in _pieces(text):
        if isinstance(piece, str):
            words.take_text(piece)
        else:
            words.take_tag(piece["name"].lower(), piece["rest"], ends=bool(piece["end"]))
    return _in_lines("".join(words.parts))


def _pieces(text: str) -> Iterator[str | re.Match[str]]:
    """Texts and tags in their order; comments and declarations are left out, a comment without end to the end."""
    at = 0
    while (found := _TAG.search(text, at)) is not None:
        yield text[at : found.start()]
        at = found.end()
        if found["comment"]:
            end = text.find("-->", at)
            at = end + 3 if end >= 0 else len(text)
        elif found["name"]:
            yield found
    yield text[at:]


@dataclass(slots=True)
class _Words:
    """Collects the words; `silent` is the element they are not read in, `link` the address of the one they name."""

    parts: list[str] = field(default_factory=list)
    silent: str = ""
    link: str = ""
    words_at: int = 0
    """Where in `parts` the words of the link begin."""

    def take_text(self, text: str) -> None:
        """Line breaks are kept: many a program mixes them with tags."""
        if text and not self.silent:
            self.parts.append(_unescaped(text).replace("\r", ""))

    def take_tag(self, name: str, rest: str, *, ends: bool) -> None:
        """A break, a bullet, or a link's address, before its words when it opens and after them when it ends."""
        if self.silent:
            self.silent = "" if name == (self.silent if ends else "body") else self.silent
        elif ends:
            self._end(name)
        else:
            self._begin(name, rest)

    def _begin(self, name: str, rest: str) -> None:
        if name in SILENT:
            self.silent = name
        elif name == "li":
            self.parts.append("\n- ")
        elif name in {"br", "tr"} or name in BLOCKS:
            self.parts.append("\n")
        elif name == "a":
            found = _HREF.search(rest)
            self.link = address(_unescaped(found[found.lastindex or 0])) if found else ""
            self.words_at = len(self.parts)

    def _end(self, name: str) -> None:
        if name in BLOCKS:
            self.parts.append("\n\n" if name in {"p", "ul", "ol"} else "\n")
        elif name == "td":
            self.parts.append(" ")
        elif name == "a" and self.link:
            words = "".join(self.parts[self.words_at :])
            if is_same(one_line(words), self.link):
                self.parts[self.words_at :] = [self.link]
            elif self.link not in words:
                self.parts.append(f" ({self.link})")
            self.link = ""


def _unescaped(text: str) -> str:
    return html.unescape(_NO_CHARACTER.sub("", text))


def _in_lines(text: str) -> str:
    """Blanks put together, and empty lines, of which one is left."""
    kept: list[str] = []
    for line in text.split("\n"):
        words = _BLANKS.sub(" ", line).strip()
        if words or not kept or kept[-1]:
            kept.append(words)
    return "\n".join(kept)
