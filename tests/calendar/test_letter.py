"""Mail that is made to keep its reader busy: each of these would take minutes or hours, read carelessly."""

import pytest

from eventreg.calendar import letter
from eventreg.calendar.letter import LONGEST_HEADER, Part
from tests.support.replies import words

SEVERAL_MEGABYTES = 5_000_000


@pytest.mark.parametrize("name", ["Content-Type", "Content-Disposition", "To", "Subject", "Message-ID"])
def test_header_is_read_as_far_as_anybody_writes_one(name: str) -> None:
    read = letter.read(f"{name}: x{';' * 200_000}\r\n".encode() + words(to="rsvp@example.org"))
    assert len(str(read.message[name])) == LONGEST_HEADER


def test_long_names_before_an_at_sign_are_looked_through_once() -> None:
    token = "a" * 26
    assert letter.tokens_in("a" * SEVERAL_MEGABYTES + f"+{token}@example.org") == [token]


@pytest.mark.parametrize("charset", ["punycode", "utf-7", "utf-8"])
def test_text_is_decoded_in_one_pass(charset: str) -> None:
    part = Part("text/plain", "", "", charset, b"a-" + b"b" * SEVERAL_MEGABYTES, is_attached=False)
    assert part.text.startswith("a-bbb")


def test_unfinished_html_of_a_mail_has_no_words() -> None:
    mail = words("<!--" * 60_000, to="rsvp@example.org").replace(b"text/plain", b"text/html")
    assert letter.read(mail).words == ""
