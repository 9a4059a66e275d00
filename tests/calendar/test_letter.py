"""Parsing incoming mail: whose it is, and how much work it may make, counted in Python calls instead of seconds."""

import sys
from collections.abc import Callable

import pytest

from eventreg.calendar import letter
from eventreg.calendar.letter import LARGEST, LONGEST_HEADER, MOST_LINES, MOST_MULTIPARTS, MOST_PARTS, Part
from tests.support.replies import words

SEVERAL_MEGABYTES = 5_000_000


@pytest.mark.parametrize("name", ["Content-Type", "Content-Disposition", "To", "Subject", "Message-ID"])
def test_header_is_read_as_far_as_anybody_writes_one(name: str) -> None:
    read = letter.read(f"{name}: x{';' * 200_000}\r\n".encode() + words(to="rsvp@example.org"))
    assert len(str(read.message[name])) == (51 if name.startswith("Content-") else LONGEST_HEADER)


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


@pytest.mark.parametrize(
    "header",
    [
        "From: amira@example.org",
        "From: Amira Haddad <amira@example.org>",
        'From: "Haddad, Amira" <AMIRA@Example.ORG>',
        "from:\r\n =?utf-8?q?Amira?=\r\n <amira@example.org>",
        "From: amira@example.org (Amira)",
        "From: amira@example.org\r\nSender: Google Calendar <calendar-notification@google.com>",
        "From: amira@example.org\r\nResent-From: Amira <amira@example.org>",
        "From: amira@example.org\r\nReply-To: mal@evil.example",
    ],
)
def test_author_is_the_one_address_in_from(header: str) -> None:
    assert letter.read(f"{header}\r\n\r\nx".encode()).author == "amira@example.org"


def test_author_at_an_international_host_is_compared_in_ascii() -> None:
    assert letter.read("From: zoe@Bücher.example\r\n\r\nx".encode()).author == ""  # undeclared 8-bit octets
    assert letter.read(b"From: zoe@xn--bcher-kva.example\r\n\r\nx").author == "zoe@xn--bcher-kva.example"


@pytest.mark.parametrize(
    "header",
    [
        'From: "amira@example.org" <mal@evil.example>',
        "From: amira@example.org <mal@evil.example>",
        "From: mal@evil.example (amira@example.org)",
        "From: mal@evil.example, amira@example.org",
        "From: amira@example.org, mal@evil.example",
        "From: <amira@example.org> <mal@evil.example>",
        'From: "mal@evil.example," amira@example.org',
        "From: amira@example.org\r\nFrom: mal@evil.example",
        "From: mal@evil.example\r\nFrom: amira@example.org",
        "From: =?utf-8?q?amira=40example.org=2C?= <mal@evil.example>",
        "From: =?utf-8?q?=3Camira=40example.org=3E?= <mal@evil.example>",
        "From: mal@evil.example\r\nSender: amira@example.org",
        "From: mal@evil.example\r\nResent-From: amira@example.org",
        "From: amira@example.org\r\nResent-From: mal@evil.example",
        "From: amira@example.org\r\nResent-Sender: mal@evil.example",
        "From: mal@evil.example\r\nReply-To: amira@example.org\r\nReturn-Path: <amira@example.org>",
        "From: amira+x@example.org",
        "From: amira@example.org.evil.example",
        "From: xamira@example.org",
        'From: "amira"@example.org',
        "From: amira@example.org\0",
        "From: amira\0@example.org",
        "From: a\u0301mira@example.org",
        "From: amira@ｅxample.org",
        "From: amira@exam\u200bple.org",
        "From: amira@[example.org]",
        "From: amira@example.org (" + "x" * LONGEST_HEADER + "), mal@evil.example",
        "From: amira@example.org," + " " * LONGEST_HEADER + "mal@evil.example",
        "X: From: amira@example.org",
        "From: amira",
        "From:",
    ],
)
def test_author_is_never_read_out_of_what_surrounds_another_address(header: str) -> None:
    assert letter.read(f"{header}\r\n\r\nx".encode()).author != "amira@example.org"


def calls(work: Callable[[], object]) -> int:
    """How many Python and C functions are called by it."""
    counted = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal counted
        counted += event in {"call", "c_call"}

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return counted


def look(data: bytes) -> None:
    read = letter.read(data)
    _ = read.author, read.words, read.reply_tokens(), read.message_id, [part.text for part in read.parts]


def nested(depth: int, kind: str = "multipart/mixed") -> bytes:
    head = b"From: a@b.c\r\n"
    for level in range(depth):
        head += b"Content-Type: %b; boundary=b%d\r\n\r\n--b%d\r\n" % (kind.encode(), level, level)
    return head + b"\r\n"


def filled(beginning: bytes, filling: bytes, size: int) -> bytes:
    return beginning + filling * ((size - len(beginning)) // len(filling))


HEAD = b"From: a@b.c\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
SEMICOLONS = b"--b\r\nContent-Type: text/plain" + b";a=b" * 400 + b"\r\n\r\nx\r\n"


@pytest.mark.parametrize(
    ("beginning", "filling"),
    [
        (nested(MOST_MULTIPARTS), b"\n"),
        (nested(400), b"\n"),
        (nested(100, "MultiPart/Mixed"), b"--x\r"),
        (b"From: a@b.c\n" + b"Content-Type:\n multipart/mixed; boundary=b\n\n--b\n" * 100, b"\n"),
        (b"From: a@b.c\n", b"Content-Type: message/rfc822\n\n"),
        (HEAD, b"--b\r\n\r\n"),
        (HEAD, b"--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\n--c--\n"),
        (HEAD, SEMICOLONS),
        (b"From: a@b.c\nContent-Type: message/delivery-status\n\n", b"\n"),
        (b"From: a@b.c\nContent-Type: message/delivery-status\n\n", b"a:b\n\n"),
        (b"From: a@b.c\n", b"a:\n"),
        (b"", b"From: " + b"a@b.c," * 300 + b"\n"),
        (b"", b"From: " + b"(" * 1900 + b"\n"),
        (b"To: a@b.c\n", b"To: " + b"+a" * 900 + b"\n"),
    ],
    ids=[
        "depth", "deeper", "carriage returns", "folded", "mails in mails", "parts", "multiparts in a row", "parameters",
        "empty reports", "reports", "headers", "senders", "comments", "recipients",
    ],
)  # fmt: skip
def test_work_for_a_mail_is_bounded_and_grows_no_faster_than_its_size(beginning: bytes, filling: bytes) -> None:
    small, large = (calls(lambda size=size: look(filled(beginning, filling, size))) for size in (25_000, 50_000))
    assert large < 2.3 * small + 2_000
    assert large < 100 * MOST_LINES


def test_mail_beyond_a_limit_is_still_a_mail_that_says_so() -> None:
    assert letter.read(nested(MOST_MULTIPARTS) + b"x").is_parsed
    for deep in (nested(MOST_MULTIPARTS + 1), filled(b"From: a@b.c\n", b"Content-Type: message/rfc822\n\n", 100_000)):
        read = letter.read(deep)
        assert (read.is_parsed, read.parts, read.author) == (False, (), "a@b.c")
    many = letter.read(HEAD + b"--b\r\n\r\nx\r\n" * (MOST_PARTS + 1))
    assert (many.is_parsed, len(many.parts)) == (False, MOST_PARTS)
    assert letter.read(HEAD + b"--b\r\n\r\nx\r\n" * MOST_PARTS).is_parsed
    assert not letter.read(words("x\n" * MOST_LINES, to="rsvp@example.org")).is_whole
    assert not letter.read(words("x" * LARGEST, to="rsvp@example.org")).is_whole


def test_part_of_a_mail_inside_is_told_from_the_mails_own() -> None:
    inner = b"--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: c@d.e\r\n\r\ninner\r\n--b--\r\n"
    read = letter.read(HEAD + b"--b\r\n\r\nouter\r\n" + inner)
    assert ([part.content for part in read.parts], [part.content for part in read.enclosed]) == ([b"outer"], [b"inner"])
