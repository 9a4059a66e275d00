"""What a password must be. Length is what counts; rules about digits and signs only make people write them down."""

import unicodedata

from flask_babel import gettext as _

SHORTEST = 10
LONGEST = 128


def normalize(password: str) -> str:
    """The same characters however the keyboard composed them (NIST SP 800-63B section 5.1.1.2)."""
    return unicodedata.normalize("NFKD", password)


def fault(password: str, *, email: str) -> str | None:
    """What is wrong with a (normalized) password, None when nothing is.

    >>> fault("correct horse battery", email="olga@example.org") is None
    True
    """
    folded = password.casefold().strip()
    address = email.casefold()
    if len(password) < SHORTEST:
        return _("A password has at least %(count)s characters. A short sentence is easy to remember.", count=SHORTEST)
    if len(password) > LONGEST:
        return _("A password has at most %(count)s characters.", count=LONGEST)
    if any(unicodedata.category(char) in {"Cc", "Cs"} for char in password):
        return _("A password cannot hold control characters.")
    if folded in {address, address.partition("@")[0]}:
        return _("Your e-mail address is the first thing anybody would try. Choose something else.")
    if len(set(folded)) < 4 or _is_run(folded):  # noqa: PLR2004 - "aaaaaaaaaa", "abababab…"
        return _("One character or row of keys repeated is guessed at once. Choose something longer and less even.")
    return None


def _is_run(text: str) -> bool:
    """Whether it only counts up or down, or is a row of the keyboard."""
    rows = ("01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")
    return any(text in row or text in row[::-1] for row in rows)
