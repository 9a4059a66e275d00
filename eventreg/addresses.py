"""E-mail addresses: checked as people type them, taken apart as settings and SMTP want them. Pure."""

import email_validator
from flask_babel import gettext as _

from eventreg.errors import InvalidField

# An institution's own network may well use .local or .test; its mail server is the judge of that.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()

LONGEST = 254
"""RFC 5321 section 4.5.3.1.3, without the angle brackets."""


def normalised(text: str) -> str:
    """An address that can be written to, its domain in ASCII.

    Raises: InvalidField("email") saying what is wrong with it.

    >>> normalised("zoe@Bücher.example")
    'zoe@xn--bcher-kva.example'
    """
    if len(text) > LONGEST:
        raise InvalidField("email", _("An e-mail address has at most %(max)d characters.", max=LONGEST))
    try:
        found = email_validator.validate_email(text, check_deliverability=False, allow_smtputf8=False)
    except email_validator.EmailNotValidError as error:
        raise InvalidField(
            "email",
            _("“%(text)s” is not an e-mail address we can write to. It looks like name@example.org.", text=text),
        ) from error
    return str(found.ascii_email or found.normalized)


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
    host = bare_address(given).rpartition("@")[2]
    return host if host.isascii() else host.encode("idna").decode()


def for_envelope(address: str) -> str:
    """The address as SMTP takes it: the host in ASCII, the part before it as it is.

    >>> for_envelope("zoe@bücher.example")
    'zoe@xn--bcher-kva.example'
    """
    local, _at, _host = bare_address(address).rpartition("@")
    return f"{local}@{host_of(address)}"
