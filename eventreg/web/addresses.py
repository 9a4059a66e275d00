"""An e-mail address as people type it -> one that can be written to."""

import email_validator
from flask_babel import gettext as _
from wtforms import Field, Form
from wtforms.validators import ValidationError

# An institution's own network may well use .local or .test; its mail server is the judge of that.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()

LONGEST = 254
"""RFC 5321 section 4.5.3.1.3, without the angle brackets."""


def normalised(text: str) -> str:
    """The address with its domain in ASCII. Raises: ValueError saying what is wrong with it."""
    if len(text) > LONGEST:
        raise ValueError(_("An e-mail address has at most %(max)d characters.", max=LONGEST))
    try:
        found = email_validator.validate_email(text, check_deliverability=False, allow_smtputf8=False)
    except email_validator.EmailNotValidError as error:
        raise ValueError(
            _("“%(text)s” is not an e-mail address we can write to. It looks like name@example.org.", text=text)
        ) from error
    return str(found.ascii_email or found.normalized)


class EmailAddress:
    """WTForms validator that also normalises the field's data."""

    def __call__(self, form: Form, field: Field) -> None:  # noqa: ARG002 - WTForms calls it so
        """Raises: ValidationError."""
        try:
            field.data = normalised(field.data or "")
        except ValueError as error:
            raise ValidationError(str(error)) from error
