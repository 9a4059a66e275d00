"""The words of HTML of others, and HTML that is meant to do harm."""

import pytest

from eventreg.calendar import html_text

MEGABYTE = 1_000_000


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("Come<br>early<BR/>today", "Come\nearly\ntoday"),
        ('<a class="x" href="https://example.org/?a=1&amp;b=2" title="a > b">here</a>', None),
        ("<a href=https://example.org/x>https://example.org/x</a>", "https://example.org/x"),
        ("<a href=https://example.org/caf%C3%A9>https://<b>Example</b>.org/café</a>", "https://example.org/caf%C3%A9"),
        ("<a href='https://example.org/'>example.org</a>, more", "https://example.org/, more"),
        ("<a href='https://example.org/a'><i>at</i> <b>https://example.org/a</b></a>", "at https://example.org/a"),
        ("<a data-href='https://example.org/x'>no link</a>", "no link"),
        ("<a href='javascript:alert(1)'>no link</a>", "no link"),
        ("1 < 2 and 3 > 2, <3", "1 < 2 and 3 > 2, <3"),
        ("a<!-- <p> not this -->b", "ab"),
        ("a<!-- without end <p>b", "a"),
        ("<![if !supportLists]>-<![endif]> a<o:p></o:p>", "- a"),
        ("<!DOCTYPE html><?xml version='1'?>a", "a"),
        ("<head><style>p{}</style><title>t</title></head>a", "a"),
        ("<head><title>t</title><body>head without end", "head without end"),
        ("<script>if (a<b) x('</p>')</script>a", "a"),
        ("a&nbsp;&amp;&#8217;&#x2019;&unknown;&#99999999999;b", "a &’’&unknown;b"),
        ("<p>one</p><p>two</p>\n\n\n<ul><li>a<li>b</ul>", "one\n\ntwo\n\n- a\n- b"),
    ],
)
def test_words_are_what_a_reader_of_the_page_sees(html: str, words: str | None) -> None:
    assert html_text.plain(html).strip() == (words or "here (https://example.org/?a=1&b=2)")


@pytest.mark.parametrize("begin", ["", "<a '", "<!-- "])
@pytest.mark.parametrize(
    "piece", ["<br ", "<!--", "<![", "<a href='", "<a>", "<div>", "\x0c", " \n", "&", "9", "\"'", "</script", "href "]
)
def test_a_megabyte_of_unfinished_html_is_read_in_one_pass(begin: str, piece: str) -> None:
    # Read as html.parser reads them, most of these would take hours.
    assert len(html_text.plain(begin + piece * (MEGABYTE // len(piece)))) <= MEGABYTE + len(begin)
