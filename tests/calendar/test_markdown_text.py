import pytest

from eventreg.calendar.markdown_text import plain


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("", ""),
        ("# Program\n\nOne **bold** and *soft* word, `code`.", "Program\n\nOne bold and soft word, code."),
        ("first\nsecond  \nthird", "first\nsecond\nthird"),
        ("- one\n- two\n  - three\n\nafter", "- one\n- two\n  - three\n\nafter"),
        ("3. three\n4. four", "3. three\n4. four"),
        ("- a\n\n  b\n- c", "- a\n\n  b\n\n- c"),
        ("> said\n> so", "> said\n> so"),
        ("- > said", "- > said"),
        ("- - deep", "- - deep"),
        ("[Map](https://example.org/map)", "Map (https://example.org/map)"),
        ("<https://example.org>", "https://example.org"),
        ("<https://example.org/caf%C3%A9>", "https://example.org/caf%C3%A9"),
        ("<https://bücher.example/>", "https://xn--bcher-kva.example/"),
        ("<HTTPS://Example.org/X>", "HTTPS://Example.org/X"),
        ("[https://example.org/café](https://example.org/caf%C3%A9)", "https://example.org/caf%C3%A9"),
        ("[**example.org/map**](https://example.org/map/)", "https://example.org/map/"),
        ("[http://example.org](https://example.org)", "http://example.org (https://example.org)"),
        ("[example.org.evil](https://example.org)", "example.org.evil (https://example.org)"),
        ("[Olga@example.org](mailto:olga@example.org)", "olga@example.org"),
        ("[write](mailto:olga@example.org)", "write (olga@example.org)"),
        ("[go](/events/)", "go"),
        ("```\nx = 1\n  y\n```", "x = 1\n  y"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "a | b\n1 | 2"),
        ("one\n\n---\n\ntwo", "one\n\n---\n\ntwo"),
        ("<b>as typed</b> &amp; more", "<b>as typed</b> & more"),
    ],
)
def test_markdown_reads_well_without_its_marks(markdown: str, expected: str) -> None:
    assert plain(markdown) == expected
