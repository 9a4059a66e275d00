"""Header blocks are ASCII, folded, and hold no encoded word that a strict reader refuses. RFC 2047, RFC 5322."""

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.utils import parseaddr

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from eventreg.mail import mime

WORD = re.compile(r"=\?[^?\s]+\?[bqBQ]\?[^?\s]*\?=")
AT = datetime(2026, 10, 5, 16, tzinfo=UTC)
LINES = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "M", "Zs")), min_size=1, max_size=220)
TITLES = (LINES | st.text('aé李🎉 =?_"(),.:;@<>', min_size=1, max_size=220)).map(lambda text: " ".join(text.split()))


def head(subject: str, name: str = "Community events") -> str:
    """The header block of a mail with that subject and sender."""
    given = mime.Head(
        subject=subject,
        sender=mime.sender_header(name, "events@example.org"),
        recipient="amira@example.org",
        reply_to="rsvp+abcdefghijklmnopqrstuvwxyz@example.org",
        date=AT,
        message_id="<0af3bd550af3bd550af3bd550af3bd55@example.org>",
        key="0af3bd55",
    )
    return mime.assemble(given, text="x", html="<p>x</p>", ics=None).partition(b"\r\n\r\n")[0].decode("ascii")


def faults(block: str) -> list[str]:
    """The lines that are too long, or hold an encoded word that is."""
    lines = block.split("\r\n")
    found = [line for line in lines if len(line) > (76 if WORD.search(line) else 78)]
    return found + [word for word in WORD.findall(block) if len(word) > 75]


@given(title=TITLES.filter(bool), name=TITLES.filter(bool))
@example(title="Gespräch über Völkerverständigung und Brüderlichkeit in schwierigen Zeiten für alle", name="Bücher")
@example(title="李明" * 100, name="🎉" * 60)
@example(title="é" * 200, name="é" * 75)
@example(title="x" * 200, name="y" * 120)
@example(title="a " * 99 + "a", name="Friends of the “Library”, Ü " * 4 + "x")
@example(title="=?utf-8?q?no?= word", name='Smith, "Bob" <x@y.z> ' * 5)
def test_header_block_is_ascii_with_short_lines_and_short_encoded_words(title: str, name: str) -> None:
    assert faults(head(title, name)) == []
    content = (head(title, name) + "\r\n\r\n").encode()
    read = message_from_bytes(content, policy=policy.default)
    assert read["Subject"] == title
    assert [one.addr_spec for one in read["From"].addresses] == ["events@example.org"]
    # Python's newer reader puts a blank between encoded words of a name; its older one reads them as RFC 2047 says.
    words, _address = parseaddr(str(message_from_bytes(content)["From"]))
    assert str(make_header(decode_header(words))) == name


@pytest.mark.parametrize("length", range(1, 130))
@pytest.mark.parametrize("letter", ["é", "李", "🎉", "é ", "aé"])
def test_title_of_any_length_is_folded_within_the_limits(letter: str, length: int) -> None:
    assert faults(head("Über " + letter * length)) == []


def test_every_mail_says_that_a_program_sent_it_and_wants_no_automatic_answer() -> None:
    block = head("A day of reflection").split("\r\n")
    assert block.count("Auto-Submitted: auto-generated") == 1
    assert block.count("X-Auto-Response-Suppress: All") == 1
