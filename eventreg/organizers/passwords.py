"""What a password must be: long, and not among the first guesses; no rules about digits and signs.

Every way to set one (web forms, commands, the demo) asks `fault`. Its blocklist is the one inside zxcvbn, which reads
leaked passwords, names and words with the usual additions ("password12", "P@ssw0rd2026") without any network.
"""

import re
import unicodedata

from flask_babel import gettext as _

from eventreg.text import is_far_too_long, normalized

SHORTEST = 10
LONGEST = 128
FEWEST_GUESSES = 10**8
"""A stolen hash costs an attacker that many trials of argon2id: months of one machine."""
FEWEST_GUESSES_SQUEEZED = 10**6
"""The same without spaces, punctuation and accents, which are the first variations tried."""
_LONGEST_ESTIMATED = 72
"""zxcvbn takes quadratic time and refuses more."""


def normalize(password: str) -> str:
    """The same characters however the keyboard composed them (NIST SP 800-63B section 5.1.1.2).

    What is much longer than LONGEST is left as it is: `fault` refuses it.
    """
    return password if is_far_too_long(password, LONGEST) else normalized("NFKD", password)


def fault(password: str, *, email: str) -> str | None:
    """What is wrong with a (normalized) password, None when nothing is.

    >>> fault("correct horse battery", email="olga@example.org") is None
    True
    """
    if len(password) < SHORTEST:
        return _("A password has at least %(count)s characters. A short sentence is easy to remember.", count=SHORTEST)
    if len(password) > LONGEST:
        return _("A password has at most %(count)s characters.", count=LONGEST)
    folded = password.casefold().strip()
    address = email.casefold()
    if any(unicodedata.category(char) in {"Cc", "Cs"} for char in password):
        return _("A password cannot hold control characters.")
    if folded in {address, address.partition("@")[0]}:
        return _("Your e-mail address is the first thing anybody would try. Choose something else.")
    if len(set(folded)) < 4 or _is_run(folded):  # noqa: PLR2004 - "aaaaaaaaaa", "abababab…"
        return _("One character or row of keys repeated is guessed at once. Choose something longer and less even.")
    if _is_guessable(password, address):
        return _("That password is one of the first that would be tried. A short sentence is hard to guess.")
    return None


def _is_guessable(password: str, address: str) -> bool:
    """Whether a list of known passwords, names and words leads to it in few trials."""
    from zxcvbn import zxcvbn  # noqa: PLC0415 - 14 MB of words, for who sets a password

    known = [*re.split(r"[@.+_-]", address), address, "eventreg"]
    squeezed = "".join(char for char in password if char.isalnum())
    return any(
        zxcvbn(text[:_LONGEST_ESTIMATED], user_inputs=known)["guesses"] < fewest
        for text, fewest in ((password, FEWEST_GUESSES), (squeezed, FEWEST_GUESSES_SQUEEZED))
        if text
    )


def _is_run(text: str) -> bool:
    """Whether it only counts up or down, or is a row of the keyboard."""
    rows = ("01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")
    return any(text in row or text in row[::-1] for row in rows)
