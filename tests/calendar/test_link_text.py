"""When the words of a link are its address."""

import pytest

from eventreg.calendar.link_text import is_same


@pytest.mark.parametrize(
    ("words", "address"),
    [
        ("https://example.org/café", "https://example.org/caf%C3%A9"),
        ("https://example.org/~a", "https://example.org/%7Ea"),
        ("HTTPS://Example.ORG/a", "https://example.org/a"),
        ("https://bücher.example", "https://xn--bcher-kva.example/"),
        ("https://example.org/a/", "https://example.org/a"),
        ("https://example.org.", "https://example.org/"),
        ("https://example.org:443/a", "https://example.org/a"),
        ("http://example.org:80", "http://example.org"),
        ("https://example.org/?a=1&amp;b=2", "https://example.org/?a=1&b=2"),
        ("<https://example.org/a>", "https://example.org/a"),
        ("example.org/a", "https://example.org/a"),
        ("https://example.org/?q=a b", "https://example.org/?q=a%20b"),
        ("Olga@Example.org", "olga@example.org"),
    ],
)
def test_other_spelling_is_the_same_address(words: str, address: str) -> None:
    assert is_same(words, address)


@pytest.mark.parametrize(
    ("words", "address"),
    [
        ("https://example.org/A", "https://example.org/a"),
        ("http://example.org", "https://example.org"),
        ("https://example.org/?a=1", "https://example.org/?a=2"),
        ("https://example.org:8443", "https://example.org"),
        ("https://example.org.evil.example", "https://example.org"),
        ("https://me@example.org", "https://example.org"),
        ("here", "https://example.org/here"),
        ("", "https://example.org"),
        ("olga@example.org", "olga@example.com"),
        ("https://example.org/a and more", "https://example.org/a"),
        ("https://" + "é" * 3000, "https://" + "e" * 3000),
    ],
)
def test_other_address_is_another(words: str, address: str) -> None:
    assert not is_same(words, address)
