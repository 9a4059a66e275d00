"""Flask-Security's forms with our labels, and bounded: a password is not a way to keep the hasher busy."""

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_security import current_user
from flask_security.forms import (
    ChangePasswordForm,
    ForgotPasswordForm,
    LoginForm,
    LogoutForm,
    ResetPasswordForm,
    TwoFactorVerifyCodeForm,
    VerifyForm,
)
from flask_security.forms import Form as FsForm
from flask_security.recovery_codes import MfRecoveryCodesForm, MfRecoveryForm
from wtforms import EmailField, Form, PasswordField, RadioField, StringField
from wtforms.validators import AnyOf

from eventreg import addresses
from eventreg.errors import InvalidField
from eventreg.organizers import trail
from eventreg.web.auth.failures import note_failure

LONGEST_INPUT = 300


def as_typed(text: str | None) -> str | None:
    """An address as these forms read it, before it is normalised; None for what they refuse unread.

    The rate limits read it by the same function: what counts must be what is used.
    """
    typed = addresses.tidied(text or "")
    return typed if len(typed) <= LONGEST_INPUT and typed.isprintable() else None


class Plain:
    """Sets labels after Flask-Security has built the fields, and refuses what no person types."""

    labels: dict[str, Any] = {}
    hints: dict[str, Any] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields = self._fields  # type: ignore[attr-defined]
        for name, text in self.labels.items():
            fields[name].label.text = text
        for field in fields.values():
            field.description = self.hints.get(field.name, "")
            if isinstance(field, PasswordField):
                setattr(field.flags, "required", True)  # noqa: B010 - the stub knows no flags

    def validate(self, *args: Any, **kwargs: Any) -> bool:
        """As Flask-Security's, once what is too long or holds control characters has been refused unread."""
        for field in self._fields.values():  # type: ignore[attr-defined]
            if isinstance(field, EmailField):
                field.data = addresses.tidied(field.data or "")
            if isinstance(field, StringField | PasswordField | EmailField) and field.data:
                if len(field.data) > LONGEST_INPUT:
                    field.errors = (_l("That is too long."),)
                    return False
                if not field.data.isprintable():
                    field.errors = (_l("That holds characters no keyboard makes."),)
                    return False
        return bool(super().validate(*args, **kwargs))  # type: ignore[misc]


class SignInForm(Plain, LoginForm):
    """E-mail and password; nothing is remembered beyond the browser's session."""

    remember = None  # type: ignore[assignment]
    labels = {"email": _l("E-mail"), "password": _l("Password"), "submit": _l("Sign in")}

    def validate(self, *args: Any, **kwargs: Any) -> bool:
        """Flask-Security tells of a wrong password, and not of an unknown address or a disabled account."""
        valid = super().validate(*args, **kwargs)
        if not valid and self.email.data and self.password.data and (self.user is None or not self.user.is_active):
            note_failure(self.user)
        return valid


class ForgottenForm(Plain, ForgotPasswordForm):
    """Asks for a link to choose a new password."""

    labels = {"email": _l("E-mail"), "submit": _l("Send me a link")}

    def validate(self, *args: Any, **kwargs: Any) -> bool:
        """What is no address is said so; whether it has an account is not."""
        typed = addresses.tidied(self.email.data or "")
        try:
            addresses.normalised(typed)
        except InvalidField as error:
            # Not at the field: Flask-Security clears what stands there, so that nobody learns of accounts.
            self.form_errors.append(str(error) if typed else _l("Give the e-mail address of your account."))
            return False
        return super().validate(*args, **kwargs)


class NewPasswordForm(Plain, ResetPasswordForm):
    """Behind the mailed link."""

    labels = {
        "password": _l("New password"),
        "password_confirm": _l("New password again"),
        "submit": _l("Set new password"),
    }
    hints = {"password": _l("At least 10 characters. A short sentence is easy to remember.")}


class PasswordChangeForm(Plain, ChangePasswordForm):
    """On the account page."""

    labels = {
        "password": _l("Your password now"),
        "new_password": _l("New password"),
        "new_password_confirm": _l("New password again"),
        "submit": _l("Change password"),
    }
    hints = {"new_password": _l("At least 10 characters. A short sentence is easy to remember.")}

    def validate(self, *args: Any, **kwargs: Any) -> bool:
        """Tells of a wrong password, as Flask-Security does where it is asked for alone."""
        valid = super().validate(*args, **kwargs)
        if self.password.errors and self.password.data:
            note_failure(current_user)
        return valid


class PasswordAgainForm(Plain, VerifyForm):
    """Before the second factor is changed."""

    labels = {"password": _l("Password"), "submit": _l("Go on")}


class CodesChoiceForm(Plain, FsForm):
    """On or off. Not Flask-Security's own, which knows telephones and mail too."""

    setup = StringField(_l("Sign-in codes"), [AnyOf(("authenticator", "disable"), _l("Choose one of the two."))])
    user: Any = None
    """Set by the view."""


class CodeForm(Plain, TwoFactorVerifyCodeForm):
    """Six figures from the app."""

    labels = {"code": _l("Code"), "submit": _l("Go on")}
    hints = {"code": _l("The 6 figures your authenticator app shows now.")}


class RescueForm(Plain, FsForm):
    """Only recovery codes help; nobody is mailed a code or a plea."""

    help_setup = RadioField(_l("Lost your phone?"), choices=[], validate_choice=False)
    user: Any = None
    """Set by the view."""

    def validate(self, *args: Any, **kwargs: Any) -> bool:
        """Refuses the ways that are not offered."""
        return self.help_setup.data == "recovery_code" and super().validate(*args, **kwargs)


class RecoveryCodeForm(Plain, MfRecoveryForm):
    """One of the codes that were written down."""

    labels = {"code": _l("Recovery code"), "submit": _l("Sign in")}
    hints = {"code": _l("Three groups of four, like 1a2b-3c4d-5e6f. Each code works once.")}

    def validate(self, *args: Any, **kwargs: Any) -> bool:
        """Tells of a wrong code, as Flask-Security does of those from an app."""
        valid = super().validate(*args, **kwargs)
        if not valid and self.user is not None and self.code.data:
            note_failure(self.user, action=trail.CODE_FAILED)
        return valid


class RecoveryCodesForm(Plain, MfRecoveryCodesForm):
    """Makes new ones."""

    labels = {"generate_new_codes": _l("Make new recovery codes")}


class SignOutForm(Plain, LogoutForm):
    """A button."""

    labels = {"submit": _l("Sign out")}


FORMS: dict[str, type[Form]] = {
    "login_form": SignInForm,
    "logout_form": SignOutForm,
    "forgot_password_form": ForgottenForm,
    "reset_password_form": NewPasswordForm,
    "change_password_form": PasswordChangeForm,
    "verify_form": PasswordAgainForm,
    "two_factor_setup_form": CodesChoiceForm,
    "two_factor_verify_code_form": CodeForm,
    "two_factor_rescue_form": RescueForm,
    "mf_recovery_form": RecoveryCodeForm,
    "mf_recovery_codes_form": RecoveryCodesForm,
}
