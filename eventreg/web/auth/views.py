"""The account page: what there is to change, and where."""

from flask import render_template
from flask_babel import gettext as _

from eventreg.organizers import access
from eventreg.web.access import me, signed_in
from eventreg.web.auth import blueprint


@blueprint.get("/account")
@signed_in
def account_show() -> str:
    """Name, address, role, and the ways to password and sign-in codes."""
    organizer = me()
    return render_template(
        "auth/account_show.html",
        organizer=organizer,
        role=_role_words()[access.role_of(organizer)],
        codes_on=bool(organizer.tf_primary_method and organizer.tf_totp_secret),
        recovery_codes_left=len(organizer.mf_recovery_codes or []),
    )


def _role_words() -> dict[str, str]:
    return {
        "admin": _("Administrator: every event"),
        "organizer": _("Organizer: your own events"),
        "door": _("Door: who is coming, and how many"),
    }
