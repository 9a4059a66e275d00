"""The parser of Markdown that pages, mails and calendar entries share: no raw HTML, no pictures.

A parser, and the library that writes its links, makes tables at its first use and shows them to other threads while
they are half made: one of the first visitors of a process would find a paragraph, or the whole page, missing. So it
is used once before anybody else has it.
"""

from collections.abc import Callable
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore

_FIRST_TEXT = "* > [One](http://one.example/%C3%A9 'way') and <http://two.example/%C3%A9>.\n\n| a |\n|---|\n| b |\n"


def parser(*, inline: Callable[[StateCore], None] | None = None, **options: Any) -> MarkdownIt:
    """CommonMark with tables and strikethrough; `inline` reads what stands within blocks in place of its own rule."""
    made = MarkdownIt("commonmark", {"html": False, **options}).enable(["table", "strikethrough"]).disable("image")
    made.parse(_FIRST_TEXT)  # by its own rules, each of which has its table
    if inline is not None:
        made.core.ruler.at("inline", inline)
        made.parse("")
    return made
