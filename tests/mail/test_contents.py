import pytest

from eventreg.mail import contents


@pytest.mark.parametrize(
    "typed",
    [
        "http://evil.example/x",
        "https://evil.example",
        "Win at www.evil.example now",
        "evil.example/path?q=1",
        "mailto:a@evil.example",
        "write to a@evil.example",
        "javascript://evil.example/%0aalert(1)",
        "HTTP://EVIL.EXAMPLE",
    ],
)
def test_what_a_stranger_typed_holds_nothing_a_mail_program_takes_for_a_link(typed: str) -> None:
    made = contents.harmless(typed)
    assert made.replace("\u2060", "") == typed
    assert not any(sign in made.lower() for sign in ("://", "evil.example", "www.evil", "a@"))


@pytest.mark.parametrize("typed", ["No nuts, 2.5 portions.", "Zoë O'Brien; 李 🎉", "a\nb", "wheelchair / ramp"])
def test_plain_words_stay_as_they_are(typed: str) -> None:
    assert contents.harmless(typed) == typed


def test_control_characters_and_lone_surrogates_are_dropped() -> None:
    assert contents.harmless("a\0b\x1b[1m\ud800c") == "ab[1mc"
