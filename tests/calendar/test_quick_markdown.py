import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from eventreg.calendar import quick_markdown
from eventreg.calendar.markdown_parser import parser
from eventreg.calendar.markdown_text import parsed, plain

AS_PEOPLE_WRITE = [
    "",
    "Words.",
    "One line  \nand the next\n\n\nand another paragraph.",
    "# Program\nWelcome\n## After that\n- *music*\n- something to **eat**",
    "* **Talks**: all day\n* [Map](https://example.org/map_2)\n\nafter",
    "3. three\n4. four\nwhich goes on",
    "- apart\n\n- from each other",
    "- one list\n* another\n1. and a third\n2) and a fourth",
    "**When:** Monday (*early*).",
    "See `code`, snake_case, <https://example.org>, 3 < 4 & so on.\n- - not a list in a list",
]
PIECES = (
    *("word", "words and more", "a.", "a  ", "a\\", "1984. A year", "\u3000", "\u00a0a \u00a0", "é*é*", "", "", " "),
    *("- a", "- ", "-", "-a", "* b", "+ c", "1. a", "2. b", "0. z", "01. z", "1) c", "3) d", "12.", "1234567890. x"),
    *("- - a", "- # a", "- > a", "-    a", "-     a", "- [ ] a", "- [x] a", "- 1. a", "- ---", "- [a]: b", "- \u3000a"),
    *("# h", "## h #", "#", "#x", "####### x", "# \u3000", "===", "---", "- - -", "***", "_ _ _", "=", "+", ":--", "|"),
    *("  a", "    a", "\ta", "a\tb", "> a", "```", "~~~", "| a | b |", "|---|---|", "a | b", "<b>", "a\r", "a\0"),
    *("[a]: /x", "[a]", "[a", "b]: x", "[a]:", "[a](/x)", "[a](https://x.org)", "[a b](https://x.org/y_z/?a=b) c"),
    *("[https://X.org/](https://x.org)", "[x.org](https://x.org/)", "[http://x.org](https://x.org)"),
    *("[https://x.org](https://x.org)", "[a](HTTPS://X.org)", "[a](https://.)", "[a](https://x.org/(a))", "![a](b)"),
    *("**b**", "*e*", "(*e*), **b.** *a", "*a **b** c*", "a**b**c", "**b.**c", "*a*b", "*a*…", "*½*", "* a*", "_u_"),
    *("***a***", "~~s~~", "`c`", "<https://x.org>", "&amp;", "*a*\u00a0", "\u00a0*a*", "**a:** b", "*a\nb*", "a*"),
)
LETTERS = (*"ab1 .:*-+#[]()\n\n_`>|=!\\&<~", "**", "[a](https://x.org)", "\u3000")
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=7).map("\n".join) | st.lists(
    st.sampled_from(LETTERS), max_size=30
).map("".join)
PARSER = parser()


@given(TEXTS)
@settings(max_examples=500)
@example("a\n2. b")
@example("- a\n2. b\n\n- c")
def test_it_says_what_the_parser_says_or_nothing(markdown: str) -> None:
    assert plain(markdown) == parsed(markdown) == parsed(markdown, PARSER)


@pytest.mark.parametrize("markdown", AS_PEOPLE_WRITE[:-1])
def test_what_people_write_needs_no_parser(markdown: str) -> None:
    assert quick_markdown.text(markdown, str) is not None
    assert plain(markdown) == parsed(markdown, PARSER)


def test_no_character_is_taken_for_something_else() -> None:
    characters = map(chr, (*range(1, 0x180), 0x1680, *range(0x2000, 0x2070), 0x3000))
    around = ("{}a", "a{}", "{} a", "x\n{} a\n{} b", "- {} a", "*a{}* b", "*a*{}", "{}*a*", "[a{}](https://x.org)")
    texts = [pattern.format(character, character) for character in characters for pattern in around]
    assert [plain(text) for text in texts] == [parsed(text, PARSER) for text in texts]
