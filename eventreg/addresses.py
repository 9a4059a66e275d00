"""E-mail addresses: one spelling for each, however it was typed or pasted. Pure.

Every address the service takes in passes `normalised`, so that an account, a registration, a limit and a header mean
the same mailbox: the host in ASCII, the part before it in ASCII because no mail is sent with SMTPUTF8.
"""

import re
import unicodedata
from contextlib import suppress
from urllib.parse import unquote

import email_validator
from flask_babel import gettext as _

from eventreg.errors import InvalidField
from eventreg.hosts import ascii_host
from eventreg.text import line, normalized

# An institution's own network may well use .local or .test; its mail server is the judge of that.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()

LONGEST = 254
"""RFC 5321 section 4.5.3.1.3, without the angle brackets."""
LONGEST_TYPED = 1000
"""With what copying puts around it."""
_MAILTO = re.compile("mailto:", re.IGNORECASE)
_AROUND = ("<>", '""', "''", "()", "[]", "\u201c\u201d", "\u2018\u2019", "\xab\xbb")
_JOINERS = re.compile("(?<![^\0-\x7f])[\u200c\u200d]+|[\u200c\u200d]+(?![^\0-\x7f])")
"""Zero-width joiners, except between letters of a domain in Persian or an Indian language, which may need them."""
_VARIATIONS = re.compile("[\u115f\u1160\u2800\ufe00-\ufe0f\U000e0100-\U000e01ef]")


def normalised(text: str) -> str:
    """An address that can be written to, its domain in ASCII.

    Raises: InvalidField("email") saying what is wrong with it.

    >>> normalised("zoe@Bücher.example")
    'zoe@xn--bcher-kva.example'
    """
    typed = tidied(text)
    if len(typed) > LONGEST:
        raise InvalidField("email", _("An e-mail address has at most %(max)d characters.", max=LONGEST))
    try:
        found = email_validator.validate_email(typed, check_deliverability=False, allow_smtputf8=False)
    except email_validator.EmailNotValidError as error:
        raise InvalidField(
            "email",
            _("“%(text)s” is not an e-mail address we can write to. It looks like name@example.org.", text=typed),
        ) from error
    return str(found.ascii_email or found.normalized)


def identity(text: str) -> str:
    r"""What an address is compared and counted by: the same for every spelling of it, whatever was typed.

    >>> identity("Anna@\uff45xample.org"), identity("nonsense")
    ('anna@example.org', 'nonsense')
    """
    try:
        return normalised(text).lower()
    except InvalidField:
        return tidied(text[:LONGEST_TYPED])[:LONGEST].lower()


def tidied(text: str) -> str:
    r"""Without what copying adds: blanks, invisible characters, brackets, `mailto:`; full-width letters are folded.

    Longer text than any address comes back as it is.

    >>> tidied("\ufeff<mailto:anna\uff20example.org?subject=Hi>,")
    'anna@example.org'
    """
    if len(text) > LONGEST_TYPED:
        return text
    if not text.isascii():
        plain = _VARIATIONS.sub("", _JOINERS.sub("", normalized("NFKC", text)))
        text = "".join([char for char in plain if char in "\u200c\u200d" or unicodedata.category(char) != "Cf"])
    text = _unwrapped(text)
    if _MAILTO.match(text):
        text = _unwrapped(unquote(text[len("mailto:") :].partition("?")[0]))
    return text


_DOTS_MEAN_NOTHING = {"gmail.com": "gmail.com", "googlemail.com": "gmail.com"}


def counting_key(address: str) -> str:
    """One key for all addresses that one mailbox surely has. For rate limits alone, never for telling people apart.

    Case, what follows a plus (RFC 5233), and the dots and two names of Gmail, all of which reach the same mailbox.

    >>> counting_key("Anna+spam@Example.org") == counting_key("anna+29@example.org") == "anna@example.org"
    True
    >>> counting_key("a.nn.a+x@googlemail.com")
    'anna@gmail.com'
    """
    with suppress(ValueError):  # no host that mail could reach; counted as it is written
        address = for_envelope(address)
    local, _at, host = address.lower().rpartition("@")
    host = host.rstrip(".")
    local = local.partition("+")[0] or local
    if host in _DOTS_MEAN_NOTHING:
        local, host = local.replace(".", ""), _DOTS_MEAN_NOTHING[host]
    return f"{local}@{host}"


def bare_address(given: str) -> str:
    """The address alone, of one that may be given with a name.

    >>> bare_address("Events <events@example.org>")
    'events@example.org'
    """
    return given.rpartition("<")[2].rstrip("> ")


def host_of(given: str) -> str:
    """The part after the @, as ASCII.

    >>> host_of("Events <events@bücher.example>")
    'xn--bcher-kva.example'
    """
    return ascii_host(bare_address(given).rpartition("@")[2])


def for_envelope(address: str) -> str:
    """The address as SMTP takes it: the host in ASCII, the part before it as it is.

    >>> for_envelope("zoe@bücher.example")
    'zoe@xn--bcher-kva.example'
    """
    local, _at, _host = bare_address(address).rpartition("@")
    return f"{local}@{host_of(address)}"


def of_setting(given: str) -> str:
    """The same, with the name it may be given with. Raises: ValueError saying why it cannot stand in a mail's header.

    >>> of_setting("Bücher <events@bücher.example>")
    'Bücher <events@xn--bcher-kva.example>'
    """
    name, bracket, _rest = given.rpartition("<")
    address = tidied(bare_address(given))
    local, at, host = address.rpartition("@")
    if not at or not host or "@" in local or not address.isprintable():
        raise ValueError("it must be an e-mail address like events@example.org")
    if not local.isascii():
        raise ValueError("it must have only ASCII characters before the @")
    address = f"{local}@{ascii_host(host)}"
    name = line(name, most=LONGEST_TYPED)
    return f"{name} <{address}>" if bracket and name else address


def _unwrapped(text: str) -> str:
    """Without blanks, pairs of brackets or quotation marks around it, and the punctuation of its sentence."""
    bare = text.strip().rstrip(",;.").rstrip()
    while len(bare) > 1 and bare[0] + bare[-1] in _AROUND:
        bare = bare[1:-1].strip()
    return bare
