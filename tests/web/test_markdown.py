import re

import pytest

from eventreg.web import markdown


def test_headings_begin_below_the_sections_of_the_page() -> None:
    assert str(markdown.render("# One\n## Two\n")) == "<h3>One</h3>\n<h4>Two</h4>\n"
    assert str(markdown.render("## One\n### Two\n")) == "<h3>One</h3>\n<h4>Two</h4>\n"


def test_line_ends_stay_and_lists_and_tables_work() -> None:
    assert str(markdown.render("Doors 6 pm\nTalk 7 pm\n\n- a\n- b\n")) == (
        "<p>Doors 6 pm<br>\nTalk 7 pm</p>\n<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"
    )
    assert "<td>1</td>" in markdown.render("|a|\n|-|\n|1|\n")


def test_links_are_marked_as_the_words_of_another() -> None:
    assert str(markdown.render("[x](https://example.org)")) == (
        '<p><a href="https://example.org" rel="nofollow noopener noreferrer">x</a></p>\n'
    )


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![x](https://tracker.example/p.gif)",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt&#58;alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "[x](vbscript:x)",
        "<a href='x' onclick='alert(1)'>x</a>",
        "<iframe src=https://example.org></iframe>",
        '[x](https://example.org "\\" onmouseover=alert(1) x=\\"")',
        "<style>body{display:none}</style>",
        "<svg><script>alert(1)</script></svg>",
        "`<script>`\n\n    <script>alert(1)</script>",
        "<!-- --><form action=https://evil.example><input>",
        "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
        "[a]: javascript:alert(1)\n\n[a]",
    ],
)
def test_hostile_markdown_leaves_only_harmless_elements(hostile: str) -> None:
    html = str(markdown.render(hostile))
    elements = {name.lower() for name in re.findall(r"<\s*([a-zA-Z]+)", html)}
    assert elements <= markdown.ALLOWED
    attributes = {
        name for tag in re.findall(r"<[a-z][^>]*>", html) for name in re.findall(r"\s([a-z-]+)=", _unquoted(tag))
    }
    assert attributes <= {"href", "title", "rel", "start", "scope"}
    assert not re.search(r'href="(?!https?:|mailto:|tel:)[a-z]+:', html, re.IGNORECASE)


def _unquoted(tag: str) -> str:
    return re.sub(r'"[^"]*"', '""', tag)


def test_deep_nesting_is_cut_off_and_costs_little() -> None:
    assert len(markdown.render(">" * 20_000 + " x")) < 100_000
    assert len(markdown.render("[" * 20_000)) < 100_000


def test_plain_gives_the_words_alone_cut_at_a_word() -> None:
    assert markdown.plain("# Hello\n\nThis is **bold** and [linked](https://example.org).") == (
        "Hello This is bold and linked."
    )
    assert markdown.plain("word " * 100, limit=20) == "word word word word…"
