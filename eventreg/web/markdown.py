"""Descriptions: Markdown in, HTML out that can do no harm.

markdown-it-py is told to drop raw HTML, and nh3 then lets only a few elements through, so a mistake in one is
caught by the other. Headings begin at the level below the page's own, links are marked as another's words.
"""

from functools import lru_cache

import nh3
from markdown_it.token import Token
from markupsafe import Markup

from eventreg.calendar.markdown_parser import parser

ALLOWED = frozenset(
    "p br hr strong em s code pre blockquote ul ol li h3 h4 h5 h6 a table thead tbody tr th td".split()  # noqa: SIM905
)
HIGHEST_HEADING = 3
"""The page's title is h1 and its sections h2, so the highest heading of a description becomes h3."""


_PARSER = parser(breaks=True, maxNesting=20)


@lru_cache(maxsize=128)
def render(text: str) -> Markup:
    """Safe HTML of a description.

    >>> str(render("# Hello <b>there</b>")).strip()
    '<h3>Hello &lt;b&gt;there&lt;/b&gt;</h3>'
    """
    tokens = _PARSER.parse(text)
    _lower_headings(tokens)
    html = _PARSER.renderer.render(tokens, _PARSER.options, {})
    clean = nh3.clean(
        html,
        tags=set(ALLOWED),
        attributes={"a": {"href", "title"}, "th": {"scope"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel="nofollow noopener noreferrer",
    )
    return Markup(clean)  # noqa: S704 - nh3 has just cleaned it


def plain(text: str, limit: int = 200) -> str:
    """The words of a description without its markup, for a summary; cut at a word with an ellipsis."""
    blocks = ("".join(_words(child) for child in token.children or []) for token in _PARSER.parse(text))
    line = " ".join(" ".join(blocks).split())
    if len(line) <= limit:
        return line
    return (line[:limit].rpartition(" ")[0] or line[: limit - 1]) + "…"


def _words(token: Token) -> str:
    if token.type in {"softbreak", "hardbreak"}:
        return " "
    return token.content if token.type in {"text", "code_inline"} else ""


def _lower_headings(tokens: list[Token]) -> None:
    """Moves all headings so that the highest is h3; no level is left out that the writer did not leave out."""
    headings = [token for token in tokens if token.type in {"heading_open", "heading_close"}]
    shift = HIGHEST_HEADING - min((int(token.tag[1]) for token in headings), default=1)
    for token in headings:
        token.tag = f"h{min(int(token.tag[1]) + shift, 6)}"
