import pytest

from eventreg.calendar.text import clean, escaped, mailto, one_line


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("plain", "plain"),
        ("a\x00b\x07c", "abc"),
        ("\ud800lone\udfff", "lone"),
        ("one\u2028two\u2029three\x85four\x0bfive", "one\ntwo\nthree\nfour\nfive"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("\ufeffmark\uffff", "mark"),
        ("a\tb", "a b"),
        ("é 李 🎉", "é 李 🎉"),
        (None, ""),
    ],
)
def test_clean_keeps_what_is_text_and_one_kind_of_line_break(given: str | None, expected: str) -> None:
    assert clean(given) == expected


def test_one_line_turns_breaks_into_blanks() -> None:
    assert one_line("A day\r\nof\u2028 reflection ") == "A day of reflection"


def test_text_escapes_only_what_rfc_5545_names() -> None:
    assert escaped('C:\\New, "x"; y\nz') == 'C:\\\\New\\, "x"\\; y\\nz'


@pytest.mark.parametrize(
    ("address", "uri"),
    [
        ("amira@example.org", "mailto:amira@example.org"),
        ("amira+rsvp@example.org", "mailto:amira+rsvp@example.org"),
        ("a?b=c&d@example.org", "mailto:a%3Fb=c%26d@example.org"),
        ("x\r\nATTENDEE:y@example.org", "mailto:x%20ATTENDEE%3Ay@example.org"),
    ],
)
def test_mailto_is_an_ascii_uri_on_one_line(address: str, uri: str) -> None:
    assert mailto(address) == uri


@pytest.mark.parametrize("code", range(0x80))
def test_ascii_is_cleaned_as_any_other_text(code: int) -> None:
    text = f"{chr(code)} a{chr(code)}b\r{chr(code)}"
    assert clean(f"{text}é") == f"{clean(text + '|')[:-1]}é"
    assert clean(text) == clean(text + "\ufeff")
