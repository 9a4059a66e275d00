"""Links open one thing, for one purpose, until they are reset."""

import string

import pytest

from eventreg.links import FEED, MANAGE, Links

LINKS = Links("https://events.example.org/at", "a key of the tests")


def test_token_opens_its_own_purpose_only() -> None:
    token = LINKS.manage_token(7, 1)
    assert LINKS.numbers(MANAGE, token, 2) == (7, 1)
    assert LINKS.numbers(FEED, token, 2) is None
    assert LINKS.numbers(MANAGE, token, 3) is None
    assert Links(LINKS.base_url, "another key").numbers(MANAGE, token, 2) is None


@pytest.mark.parametrize("place", range(0, 40, 7))
def test_token_changed_in_one_character_opens_nothing(place) -> None:
    token = LINKS.manage_token(7, 1)
    other = next(char for char in string.ascii_letters if char != token[place])
    assert LINKS.numbers(MANAGE, token[:place] + other + token[place + 1 :], 2) is None


@pytest.mark.parametrize("token", ["", ".", "x", "x.y", "\x00", "é.é", "WzEsMV0", "." * 5000, "[" * 9000 + ".x"])
def test_nonsense_opens_nothing(token) -> None:
    assert LINKS.numbers(MANAGE, token, 2) is None


def test_addresses_are_absolute_ascii_below_the_base() -> None:
    assert LINKS.event("李 talk") == "https://events.example.org/at/events/%E6%9D%8E%20talk"
    assert LINKS.manage(1, 1).startswith("https://events.example.org/at/r/")


def test_reply_token_survives_case_folding_and_differs_by_registration_and_generation() -> None:
    tokens = {LINKS.reply_token(number, generation) for number in range(1, 50) for generation in (1, 2)}
    assert len(tokens) == 98
    assert all(token == token.lower() and len(token) == 26 and token.isalnum() for token in tokens)


def test_reply_token_is_read_back_in_any_case_and_nothing_else_is() -> None:
    token = LINKS.reply_token(7, 258)
    assert (LINKS.read_reply_token(token), LINKS.read_reply_token(token.upper())) == ((7, 2), (7, 2))
    for place, char in enumerate(token):
        other = "a" if char != "a" else "b"
        assert LINKS.read_reply_token(token[:place] + other + token[place + 1 :]) is None
    for nonsense in ("", "a", "a" * 26, "é" * 26, token + "a", token[:-1], "=" * 26, "\0" * 26, token + "======"):
        assert LINKS.read_reply_token(nonsense) is None
    assert Links(LINKS.base_url, "another key").read_reply_token(token) is None
