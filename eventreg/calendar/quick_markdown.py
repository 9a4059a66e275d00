"""Markdown as most people write it, made plain in a tenth of the time that the parser takes over it.

Paragraphs, headings and lists, with bold, italic and links. Whatever may be more than that is left to the parser, and
None says so. A test holds both to the same words. Source: CommonMark 0.31, and markdown-it where it says otherwise.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby

from markdown_it.common.utils import mdTrim

from eventreg.calendar.link_text import link_text

_MARKS = re.compile(r"[\\`~*_\[\]<&]")
"""What begins anything but words within a line, by the rules that are on."""
_WORDS = r"[^\\`~*_\[\]<&\n]"
_BOLD = (
    r"\*(?<![^ \n(]\*)(\*?)"
    rf"([^\W_](?:{_WORDS}*(?:[^\W_]|[.,:!?](?=\*+(?:[ \n]|$))))?)"
    r"\*\1(?![^ \n.,:;!?)])"
)
"""Stars that can only open before stars that can only close, so that there is no question which belong together."""
_LINK = rf"\[({_WORDS}+)\]\((https?://[a-z0-9.-]+(?:/[A-Za-z0-9/._-]*)?)\)"
"""To an address that means the same however it is written."""
_SIMPLE = re.compile(f"{_BOLD}|{_LINK}")

_ITEM = r"(?:[-+*]|[1-9][0-9]{0,8}[.)])[ ]{1,4}"
_OTHER = (
    r"(?:>|```|~~~|\#|(?:[-+*]|[0-9]+[.)])(?:[ ]|$)|[-=:|*_+][-=:|*_+ ]*$"
    rf"|\[(?!{_WORDS}*\](?!:)))"
)
"""What begins, or underlines, anything but a paragraph."""
_BEYOND = re.compile(
    rf"[\t\r\0]|^[ ]+[^ \n]|^(?!\#{{1,6}}[ ]+[^\# \n][^\#\n]*$|{_ITEM}(?![ ]|{_OTHER}).){_OTHER}", re.MULTILINE
)
_START = re.compile(r"(?:\#+|[-+*]|([0-9]+)[.)])[ ]+")


@dataclass(slots=True)
class _Block:
    """A paragraph, heading or item of a list. `kind` is an item's mark, `#` or nothing."""

    kind: str
    number: int
    lines: list[str]
    is_apart: bool
    """Whether an empty line stands before it."""


def words(content: str) -> str | None:
    r"""The words of a paragraph: links keep their address, line breaks their place.

    >>> words("See the **whole** [program](https://example.org/p),\nas it is")
    'See the whole program (https://example.org/p),\nas it is'
    """
    if _MARKS.search(content):
        parts = _SIMPLE.split(content)
        if any(map(_MARKS.search, parts[::5])):
            return None
        content = "".join(
            parts[:1] + [_unmarked(*parts[at : at + 4]) + parts[at + 4] for at in range(1, len(parts), 5)]
        )
    if "\n" in content:
        return "\n".join([line.lstrip(" \t").rstrip(" ") for line in content.split("\n")])
    return content


def _unmarked(_star: str, bold: str | None, link: str, address: str) -> str:
    return bold or link_text(link, address)


def text(markdown: str, words_of: Callable[[str], str]) -> str | None:
    r"""The whole text, `words_of` each paragraph. Lists keep their bullets.

    >>> text("# Program\n- talks\n- music\n\nAll day.", str)
    'Program\n\n- talks\n- music\n\nAll day.'
    """
    if _BEYOND.search(markdown):
        return None
    blocks = _blocks(markdown)
    return None if blocks is None else "".join(_written(blocks, words_of))


def _blocks(markdown: str) -> list[_Block] | None:
    blocks: list[_Block] = []
    is_apart = True
    for line in markdown.split("\n"):
        if not line.strip(" "):
            is_apart = True
            continue
        start = _START.match(line)
        if start is not None:
            kind = start[0].rstrip()[-1]
            number = int(start[1] or 0)
            if number > 1 and not is_apart and blocks[-1].kind == "":
                return None  # a number at the beginning of a line, by chance
            blocks.append(_Block(kind, number, [line[start.end() :]], is_apart))
        elif is_apart or blocks[-1].kind == "#":
            blocks.append(_Block("", 0, [line], is_apart))
        else:
            blocks[-1].lines.append(line)
        is_apart = False
    return blocks


def _written(blocks: list[_Block], words_of: Callable[[str], str]) -> Iterator[str]:
    between = ""
    for kind, group in groupby(blocks, key=lambda block: block.kind):
        together = list(group)
        is_list = kind not in {"", "#"}
        is_tight = is_list and not any(block.is_apart for block in together[1:])
        for place, block in enumerate(together):
            mark = "" if not is_list else f"{together[0].number + place}. " if block.number else "- "
            yield between
            yield mark + words_of(mdTrim("\n".join(block.lines))).replace("\n", "\n" + " " * len(mark))
            between = "\n" if is_tight else "\n\n"
        between = "\n\n"
