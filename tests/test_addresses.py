"""Addresses: one spelling for each, however it was typed, pasted or set."""

import pytest

from eventreg import addresses
from eventreg.errors import InvalidField
from tests.support.html import Page


def test_contact_given_with_a_name_is_a_plain_link(make_app, tmp_path) -> None:
    client = make_app(CONTACT_EMAIL="Events office <events@example.org>").test_client()
    assert Page.of(client.get("/privacy")).link("events@example.org") == "mailto:events@example.org"


PASTED = (
    "anna@example.org",
    " anna@example.org\t",
    "anna\u200b@example.org",
    "\ufeffanna@example.org",
    "anna@example.org\u00a0",
    "\u2066anna@example.org\u2069",
    "\u200eanna@example.org",
    "an\u00adna@example.org",
    "anna@\u2060example.org",
    "anna\ufe0f@example.org",
    "anna\u3164@example.org",
    "anna\uff20example.org",
    "anna\ufe6bexample.org",
    "ａｎｎａ@example．org",
    "anna@example。org",
    "anna@Example.ORG",
    "<anna@example.org>",
    "\u201canna@example.org\u201d",
    "mailto:anna@example.org",
    "<MAILTO:anna%40example.org?subject=Hello>",
    "anna@example.org,",
    "anna@example.org.",
)


@pytest.mark.parametrize("pasted", PASTED)
def test_pasted_address_is_the_address_it_was_copied_from(pasted: str) -> None:
    assert addresses.normalised(pasted) == addresses.identity(pasted) == "anna@example.org"


@pytest.mark.parametrize(
    "given",
    [
        "jürgen@example.org",
        "anna@",
        "@example.org",
        "anna",
        "",
        "\u200b",
        "anna@example.org, b@example.org",
        "a b@c.org",
    ],
)
def test_what_cannot_be_written_to_is_refused(given: str) -> None:
    with pytest.raises(InvalidField) as refused:
        addresses.normalised(given)
    assert refused.value.field == "email"


def test_long_text_is_refused_unread() -> None:
    with pytest.raises(InvalidField, match="at most 254 characters"):
        addresses.normalised("\u0301\u0316" * 60_000 + "@example.org")
    assert len(addresses.identity("\u0301\u0316" * 60_000)) <= addresses.LONGEST


def test_nested_brackets_end() -> None:
    assert addresses.identity("<" * 490 + "anna@example.org" + ">" * 490) == "anna@example.org"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("events@bücher.example", "events@xn--bcher-kva.example"),
        ("Bücher <events@bücher.example>", "Bücher <events@xn--bcher-kva.example>"),
        ("events\uff20straße.example", "events@xn--strae-oqa.example"),
        ("events@localhost", "events@localhost"),
    ],
)
def test_address_of_a_setting_has_an_ascii_host(given: str, kept: str) -> None:
    assert addresses.of_setting(given) == kept


@pytest.mark.parametrize("given", ["jürgen@example.org", "a@b@c", "nobody", "a@\r\nBcc: b@c.org"])
def test_address_of_a_setting_that_no_header_holds_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="it must"):
        addresses.of_setting(given)


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("Anna@Example.ORG", "anna@example.org"),
        ("anna+29@example.org", "anna@example.org"),
        ("anna+a+b@example.org.", "anna@example.org"),
        ("an.na@example.org", "an.na@example.org"),
        ("A.N.na+x@gmail.com", "anna@gmail.com"),
        ("anna@googlemail.com", "anna@gmail.com"),
        ("anna@bücher.example", "anna@xn--bcher-kva.example"),
        ("+anna@example.org", "+anna@example.org"),
        ("anna@" + "ü" * 70 + ".example", "anna@" + "ü" * 70 + ".example"),
    ],
)
def test_mailbox_an_address_is_counted_for(address: str, key: str) -> None:
    assert addresses.counting_key(address) == key
