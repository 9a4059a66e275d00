"""An event's Markdown as plain text that reads well in a calendar entry or a plain mail."""

from collections.abc import Sequence
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from eventreg.calendar import quick_markdown
from eventreg.calendar.link_text import link_text
from eventreg.calendar.markdown_parser import parser


def _words_of_lines(state: StateCore) -> None:
    """The parser's own rule for what stands within blocks, spared where that is simple, as it mostly is."""
    for token in state.tokens:
        if token.type == "inline":
            token.children = token.children if token.children is not None else []
            words = quick_markdown.words(token.content)
            if words is None:
                state.md.inline.parse(token.content, state.md, state.env, token.children)
            else:
                token.children.append(Token("text", "", 0, content=words))


_PARSER = parser(inline=_words_of_lines)


@lru_cache(maxsize=128)
def plain(markdown: str) -> str:
    r"""The words without the marks: lists keep their bullets, links their address, line breaks their place.

    Remembered, because the dates of a series say the same.

    >>> plain("# Program\n\n* **Talks**\n* [Map](https://example.org/map)")
    'Program\n\n- Talks\n- Map (https://example.org/map)'
    """
    quick = quick_markdown.text(markdown, _words)
    return parsed(markdown) if quick is None else quick


def parsed(markdown: str, by: MarkdownIt = _PARSER) -> str:
    """The same by a parser, whatever is in it."""
    writer = _Writer()
    for token in by.parse(markdown):
        writer.take(token)
    return "".join(writer.parts)


def _words(content: str) -> str:
    """A paragraph's, in a text that defines no addresses elsewhere."""
    words = quick_markdown.words(content)
    return _inline(_PARSER.inline.parse(content, _PARSER, {}, [])) if words is None else words


class _Writer:
    """Walks the block tokens; `margins` are what stands before each line of the blocks now open."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.margins: list[str] = []
        self.numbers: list[int | None] = []
        self.cells: list[str] | None = None
        self.marker = ""
        self.tight = self.was_tight = False

    def take(self, token: Token) -> None:
        kind = token.type
        if kind == "inline":
            self.take_words(_inline(token.children or []))
        elif kind in {"tr_open", "tr_close"}:
            self.take_row(ends=kind == "tr_close")
        elif kind == "paragraph_open":
            self.tight = token.hidden
        elif kind in {"fence", "code_block"}:
            self.write(token.content.rstrip("\n"))
        elif kind == "hr":
            self.write("---")
        elif kind == "blockquote_open":
            self.margins.append("> ")
            self.marker += "> " if self.marker else ""
        elif kind in {"blockquote_close", "list_item_close"}:
            self.margins.pop()
            self.marker = ""
        elif kind.endswith(("list_open", "list_item_open", "list_close")):
            self.take_list(token)

    def take_words(self, words: str) -> None:
        """A paragraph's, heading's or table cell's words."""
        if self.cells is None:
            self.write(words)
        else:
            self.cells.append(words)

    def take_row(self, *, ends: bool) -> None:
        """A table's row: its cells on one line."""
        if ends:
            self.tight = True
            row = " | ".join(self.cells or [])
            self.cells = None
            self.write(row)
        else:
            self.cells = []

    def take_list(self, token: Token) -> None:
        if token.type == "list_item_open":
            self.begin_item()
        elif token.nesting > 0:
            ordered = token.type == "ordered_list_open"
            self.numbers.append(int(token.attrGet("start") or 1) if ordered else None)
        else:
            self.numbers.pop()
            self.was_tight = self.was_tight and bool(self.numbers)

    def begin_item(self) -> None:
        number = self.numbers[-1]
        marker = "- "
        if number is not None:
            marker = f"{number}. "
            self.numbers[-1] = number + 1
        self.marker += marker
        self.margins.append(" " * len(marker))

    def write(self, text: str) -> None:
        """One block: its first line after the list marker, if one waits, the others under it."""
        margin = "".join(self.margins)
        first = margin[: len(margin) - len(self.marker)] + self.marker
        if self.parts:
            self.parts.append("\n" if self.tight and self.was_tight else "\n\n")
        self.parts.append(first + text.replace("\n", "\n" + margin))
        self.was_tight, self.tight, self.marker = self.tight, False, ""


def _inline(tokens: Sequence[Token]) -> str:
    parts: list[str] = []
    links: list[tuple[str, int]] = []
    for token in tokens:
        if token.type in {"softbreak", "hardbreak"}:
            parts.append("\n")
        elif token.type == "link_open":
            links.append((str(token.attrGet("href") or ""), len(parts)))
        elif token.type == "link_close":
            address, start = links.pop()
            # The words of an autolink are the parser's decoded spelling of its address.
            words = address if token.markup == "autolink" else "".join(parts[start:])
            parts[start:] = [_linked(words.removeprefix("mailto:"), address)]
        else:
            # Plain text and code; marks have no content.
            parts.append(token.content)
    return "".join(parts)


def _linked(words: str, address: str) -> str:
    if not address.startswith(("https://", "http://", "mailto:")):
        return words
    return link_text(words, address.removeprefix("mailto:"))
