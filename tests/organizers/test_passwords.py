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


KNOWN = (
    "password12",
    "PassWord12",
    "iloveyou12",
    "P@ssw0rd2024",
    "pass word 12",
    "p.a.s.s.w.o.r.d.1.2",
    "pässword12",
    "ｐａｓｓｗｏｒｄ１２",
    "drowssap12",
    "letmein1234",
    "Monday2026",
    "Welcome2024!",
    "eventreg2026",
    "qazwsxedcrfv",
    "trustno1trustno1",
    "passwort1234",
    "password" * 16,
    "olga.example",
)


@pytest.mark.parametrize("password", GOOD)
def test_password_that_is_long_enough_is_taken(password: str) -> None:
    assert passwords.fault(passwords.normalize(password), email="olga@example.org") is None


@pytest.mark.parametrize("password", [*BAD, "qwertyuiop", "zyxwvutsrqponm", "has\x00nul in it"])
def test_password_that_is_guessed_at_once_is_refused_with_the_reason(password: str) -> None:
    assert passwords.fault(passwords.normalize(password), email="olga@example.org")


def test_password_is_the_same_however_the_keyboard_composed_it() -> None:
    assert passwords.normalize("Zoe\u0308 coming") == passwords.normalize("Zo\u00eb coming")


@pytest.mark.parametrize("password", KNOWN)
def test_password_of_the_lists_of_known_ones_is_refused(password: str) -> None:
    fault = passwords.fault(passwords.normalize(password), email="olga@example.org")
    assert fault is not None
    assert "one of the first that would be tried" in fault


def test_longest_password_is_estimated_on_a_bounded_part() -> None:
    assert passwords.fault("x1y2 " * 25, email="olga@example.org")
    assert passwords.fault(("one sentence after the other, " * 5)[:128], email="olga@example.org") is None
