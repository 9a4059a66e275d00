"""The account page: what there is to change, and where."""

from flask import render_template
from flask_security import current_user

from eventreg.web.access import signed_in
from eventreg.web.auth import blueprint


@blueprint.get("/account")
@signed_in
def account_show() -> str:
    """Name, address, role, and the ways to password and sign-in codes."""
    return render_template(
        "auth/account_show.html",
        organizer=current_user,
        codes_on=bool(current_user.tf_primary_method and current_user.tf_totp_secret),
        recovery_codes_left=len(current_user.mf_recovery_codes or []),
    )
