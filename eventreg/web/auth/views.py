"""The account page: what there is to change, and where."""

from flask import render_template
from flask_babel import gettext as _
from flask_security import current_user

from eventreg.organizers import access
from eventreg.web.access import signed_in
from eventreg.web.auth import blueprint


@blueprint.get("/account")
@signed_in
def account_show() -> str:
    """Name, address, role, and the ways to password and sign-in codes."""
    return render_template(
        "auth/account_show.html",
        organizer=current_user,
        role=_role_words()[access.role_of(current_user)],
        codes_on=bool(current_user.tf_primary_method and current_user.tf_totp_secret),
        recovery_codes_left=len(current_user.mf_recovery_codes or []),
    )


def _role_words() -> dict[str, str]:
    return {
        "admin": _("Administrator: every event"),
        "organizer": _("Organizer: your own events"),
        "door": _("Door: who is coming, and how many"),
    }
