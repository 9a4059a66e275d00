"""Text from outside: bounded before it is normalized, and nothing that cannot be seen passes for text."""

import time
import unicodedata
from collections.abc import Callable

import pytest

from eventreg import addresses, text
from eventreg.events import search
from eventreg.organizers import passwords

MARKS = {
    "marks of two classes": "\u0301\u0316",
    "a mark that is none by its class": "\u0f73",
    "halfwidth marks, which are marks only when decomposed": "\uff9e\u0345",
    "marks of three classes": "\u0345\u0301\u0316",
}
SINKS: dict[str, Callable[[str], object]] = {
    "line": lambda given: text.line(given, most=200),
    "long line": lambda given: text.line(given, most=100_000),
    "paragraph": lambda given: text.paragraph(given, most=100_000),
    "beginning": lambda given: text.beginning(given, most=200),
    "NFC": lambda given: text.normalized("NFC", given),
    "NFKD": lambda given: text.normalized("NFKD", given),
    "fold": search.fold,
    "key": search.key,
    "name_key": search.name_key,
    "address": addresses.identity,
    "pasted address": lambda given: addresses.identity(given[:900] + "@example.org"),
    "password": passwords.normalize,
}


@pytest.mark.parametrize("marks", MARKS)
@pytest.mark.parametrize("sink", SINKS)
def test_run_of_combining_marks_costs_no_more_than_its_length(sink: str, marks: str) -> None:
    """A quarter of a megabyte of marks: seconds for `unicodedata.normalize`, and some milliseconds here."""
    hostile = "a" + MARKS[marks] * (120_000 // len(MARKS[marks]))
    used = []
    for _again in range(3):
        begun = time.process_time()
        SINKS[sink](hostile)
        used.append(time.process_time() - begun)
    assert min(used) < 0.3


def test_unicodedata_normalizes_in_one_module_alone() -> None:
    from pathlib import Path

    root = Path(text.__file__).parent
    callers = [path.name for path in root.rglob("*.py") if "unicodedata.normalize(" in path.read_text()]
    assert callers == ["text.py"]


def test_marks_a_language_needs_stay() -> None:
    for word in ("Việt Nam", "שָׁלוֹם", "กรุงเทพฯ", "བོད་ཡིག", "e\u0301\u0323"):
        assert text.line(word, most=200) == unicodedata.normalize("NFC", word)


INVISIBLE = {
    "zero-width space": "\u200b",
    "Hangul filler": "\u3164",
    "Hangul choseong filler": "\u115f",
    "Hangul jungseong filler": "\u1160",
    "halfwidth Hangul filler": "\uffa0",
    "Braille blank": "\u2800",
    "variation selector": "\ufe0f",
    "variation selector of the supplement": "\U000e0100",
    "tag characters": "\U000e0041\U000e007f",
    "byte order mark": "\ufeff",
    "word joiner": "\u2060",
    "soft hyphen": "\u00ad",
    "grapheme joiner": "\u034f",
    "Mongolian vowel separator": "\u180e",
    "Khmer inherent vowel": "\u17b4",
    "override": "\u202e",
    "a mark without a letter": "\u0301",
    "ideographic space": "\u3000",
    "invisible times": "\u2062",
    "null notehead": "\U0001d159",
    "private use": "\ue000",
    "not assigned": "\U0003ffff",
}


@pytest.mark.parametrize("name", INVISIBLE)
def test_text_of_which_nothing_can_be_seen_is_no_text(name: str) -> None:
    for given in (INVISIBLE[name], f" {INVISIBLE[name]}\u200d\n{INVISIBLE[name]} "):
        assert (text.line(given, most=200), text.paragraph(given, most=200)) == ("", "")


@pytest.mark.parametrize(
    "name",
    ["محمد", "שרה\u200f", "نامه\u200cای", "👩\u200d🔬", "🏴\U000e0067\U000e0062\U000e007f", "한", "❤️", "O’Brien", "."],
)
def test_names_in_every_script_stay_as_they_are(name: str) -> None:
    assert text.line(name, most=200) == name


def test_direction_controls_are_dropped_and_the_letters_stay() -> None:
    assert text.line("Bob\u202egpj.exe", most=200) == "Bobgpj.exe"
    assert text.paragraph("\u2067one\u2069\n\u202atwo\u202c", most=200) == "one\ntwo"


def test_text_far_too_long_is_left_for_the_length_check() -> None:
    assert text.line("x" * 900, most=200) == "x" * 900
    assert text.beginning("x" * 900, most=200) == "x" * 200
