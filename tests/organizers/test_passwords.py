"""What a password must be."""

import pytest

from eventreg.organizers import passwords

GOOD = ("correct horse", "Überraschung!", "p@ssw0rd and more", "李李 is a name", "ten chars!")
BAD = (
    "",
    "nine char",
    "x" * 129,
    "olga@example.org",
    "OLGA@EXAMPLE.ORG ",
    "aaaaaaaaaaaa",
    "abababababab",
    "1234567890",
)


@pytest.mark.parametrize("password", GOOD)
def test_password_that_is_long_enough_is_taken(password: str) -> None:
    assert passwords.fault(passwords.normalize(password), email="olga@example.org") is None


@pytest.mark.parametrize("password", [*BAD, "qwertyuiop", "zyxwvutsrqponm", "has\x00nul in it"])
def test_password_that_is_guessed_at_once_is_refused_with_the_reason(password: str) -> None:
    assert passwords.fault(passwords.normalize(password), email="olga@example.org")


def test_password_is_the_same_however_the_keyboard_composed_it() -> None:
    assert passwords.normalize("Zoe\u0308 coming") == passwords.normalize("Zo\u00eb coming")
