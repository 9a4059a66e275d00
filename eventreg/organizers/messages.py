"""What Flask-Security says, in our words. Kept as marks for translation; it translates them when it speaks."""


def N_(text: str) -> str:  # noqa: N802 - the customary name, known to `pybabel extract`
    """Marks a text for translation and returns it as it is."""
    return text


SIGN_IN_FAILED = N_("That e-mail address and password do not belong together. Check both and try again.")

MESSAGES: dict[str, tuple[str, str]] = {
    "GENERIC_AUTHN_FAILED": (SIGN_IN_FAILED, "danger"),
    "USER_DOES_NOT_EXIST": (SIGN_IN_FAILED, "danger"),
    "INVALID_PASSWORD": (N_("That is not your password."), "danger"),
    "DISABLED_ACCOUNT": (SIGN_IN_FAILED, "danger"),
    "UNAUTHENTICATED": (N_("Sign in to go on."), "info"),
    "LOGIN": (N_("Sign in to go on."), "info"),
    "REAUTHENTICATION_REQUIRED": (N_("Enter your password once more before you change this."), "info"),
    "REAUTHENTICATION_SUCCESSFUL": (N_("Thank you. Now you can change it."), "success"),
    "ANONYMOUS_USER_REQUIRED": (N_("You are signed in already."), "info"),
    "EMAIL_NOT_PROVIDED": (N_("Enter your e-mail address."), "danger"),
    "INVALID_EMAIL_ADDRESS": (N_("Enter an e-mail address like name@example.org."), "danger"),
    "PASSWORD_NOT_PROVIDED": (N_("Enter a password."), "danger"),
    "RETYPE_PASSWORD_MISMATCH": (N_("The two passwords differ. Type the new one again in both places."), "danger"),
    "PASSWORD_MISMATCH": (N_("The two passwords differ. Type the new one again in both places."), "danger"),
    "PASSWORD_IS_THE_SAME": (N_("That is the password you have now. Choose another."), "danger"),
    "PASSWORD_CHANGE": (
        N_(
            "Your password is changed. You are signed out everywhere else, and your private calendar has a new address."
        ),
        "success",
    ),
    "PASSWORD_RESET_REQUEST": (
        N_("If %(email)s belongs to an account, a link to choose a new password is on its way there."),
        "info",
    ),
    "PASSWORD_RESET_EXPIRED": (N_("That link worked for %(within)s. Ask for a new one here."), "warning"),
    "INVALID_RESET_PASSWORD_TOKEN": (
        N_("That link does not work any more: it is used once. Ask for a new one here."),
        "warning",
    ),
    "PASSWORD_RESET_NO_LOGIN": (
        N_("Your new password is set. Sign in with it. Your private calendar has a new address."),
        "success",
    ),
    "TWO_FACTOR_INVALID_TOKEN": (
        N_("That code is not right, or was used already. Enter the one your app shows now."),
        "danger",
    ),
    "TWO_FACTOR_LOGIN_SUCCESSFUL": (N_("You are signed in."), "success"),
    "TWO_FACTOR_CHANGE_METHOD_SUCCESSFUL": (
        N_("Sign-in codes are on. Make recovery codes now, for the day your phone is lost."),
        "success",
    ),
    "TWO_FACTOR_PERMISSION_DENIED": (N_("That sign-in was not finished in time. Start again."), "warning"),
    "TWO_FACTOR_METHOD_NOT_AVAILABLE": (N_("Choose one of the two."), "danger"),
    "TWO_FACTOR_DISABLED": (N_("Sign-in codes are off. Your password alone opens your account now."), "warning"),
    "TWO_FACTOR_SETUP_EXPIRED": (N_("That took longer than %(within)s. Start again."), "warning"),
    "INVALID_RECOVERY_CODE": (N_("That is not one of your unused recovery codes."), "danger"),
    "NO_RECOVERY_CODES_SETUP": (N_("You have no recovery codes yet."), "info"),
    "INVALID_REDIRECT": (N_("That address leads away from this site, so you were not sent there."), "warning"),
    "API_ERROR": (N_("That cannot be read. Try again."), "danger"),
}
