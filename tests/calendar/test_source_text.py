"""Plain text and HTML of others as Markdown: it reads as it did, and nothing in it becomes a mark."""

import pytest

from eventreg.calendar import markdown_text, source_text
from eventreg.web import markdown


@pytest.mark.parametrize(
    "text",
    [
        "# no heading",
        "1. no list",
        "2026. A year",
        "+ plus",
        "== equals",
        "-- dashes",
        "a * b * c_d_e `f` ~~g~~",
        "[no](link) ![no](picture)",
        "<b>no tag</b> &amp; no entity",
        "> no quote",
        "| no | table |",
        "back\\slash",
        "one\n\ntwo\nthree",
        "Café 李 🎶",
        "https://example.org/a_b?c=1&d=*2* and https://example.org/(x).",
    ],
)
def test_text_reads_as_it_did(text: str) -> None:
    assert markdown_text.plain(source_text.as_markdown(text)) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://example.org/caf%C3%A9", "https://example.org/caf%C3%A9"),
        ("https://example.org/%7Eolga?q=a%20b.", "https://example.org/%7Eolga?q=a%20b."),
        ("HTTPS://EXAMPLE.ORG/Map", "HTTPS://EXAMPLE.ORG/Map"),
        ("https://bücher.example/x", "https://xn--bcher-kva.example/x"),
        ("https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/"),
        ("https://example.org/café", "https://example.org/caf%C3%A9"),
        ("https://example.org/?a=1&amp;b=2", "https://example.org/?a=1&b=2"),
        ("(https://example.org/wiki/A_(b))", "(https://example.org/wiki/A_(b))"),
        ("see https://example.org/a.", "see https://example.org/a."),
        ("https://example.org/x<https://example.org/x>", "https://example.org/x"),
        ("https://example.org/x <https://Example.org/x/>.", "https://example.org/x."),
        ("https://example.org/caf%C3%A9 (https://example.org/café)", "https://example.org/caf%C3%A9"),
        ("Map<https://example.org/x>", "Map<https://example.org/x>"),
        ("<a href='https://example.org/caf%C3%A9'>https://example.org/café</a>", "https://example.org/caf%C3%A9"),
        ("<a href='https://example.org/'>https://example.org</a><br>x", "https://example.org/\nx"),
        ("<a href='https://example.org/?a=1&amp;b=2'>example.org/?a=1&amp;b=2</a>", "https://example.org/?a=1&b=2"),
    ],
)
def test_web_address_stands_once_in_text_and_page(text: str, shown: str) -> None:
    made = source_text.description(text)
    assert markdown_text.plain(made) == shown
    page = str(markdown.render(made))
    assert (page.count("<a "), page.count("://")) == (1, 2)  # the link's target and its words


@pytest.mark.parametrize("rule", ["---", "===", "***", "___", "- - -"])
def test_line_of_marks_draws_no_line_and_makes_no_heading(rule: str) -> None:
    made = str(markdown.render(source_text.as_markdown(f"Above\n{rule}\nBelow")))
    assert ("<hr" in made, "<h" in made, rule in made) == (False, False, True)


def test_bullets_stay_bullets_and_addresses_become_links() -> None:
    made = str(markdown.render(source_text.description("Bring:\n* pen\n• paper\nhttps://example.org/a_b")))
    assert made.count("<li>") == 2
    assert '<a href="https://example.org/a_b" rel="nofollow noopener noreferrer">https://example.org/a_b</a>' in made


def test_html_becomes_words_and_nothing_of_it_runs() -> None:
    html = (
        "<html><head><style>p{}</style></head><body><script>alert(1)</script><h1>Day</h1>Come<br>early "
        "<a href='javascript:x'>here</a> or <a href='https://example.org/p'>there</a>"
        "<table><tr><td>9</td><td>Talk</td></tr></table>&lt;b&gt;</body></html>"
    )
    assert markdown_text.plain(source_text.description(html)) == (
        "Day\nCome\nearly here or there (https://example.org/p)\n\n9 Talk\n<b>"
    )


def test_long_text_is_cut_between_lines() -> None:
    made = source_text.description("a_line_with_marks\n" * 5000)
    assert (len(made) <= 20_000, made.endswith("\n…")) == (True, True)
    assert set(made.split("\n")[:-1]) == {"a\\_line\\_with\\_marks"}
