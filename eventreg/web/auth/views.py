"""The account page: what there is to change and where, and the browsers that are signed in."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from eventreg.db import db, write_transaction
from eventreg.errors import NotFound
from eventreg.organizers import access, service, sign_ins, trail
from eventreg.organizers.models import Organizer, SignIn
from eventreg.web.access import me, signed_in
from eventreg.web.auth import blueprint, browsers, sessions
from eventreg.web.moment import request_now


@blueprint.get("/account")
@signed_in
def account_show() -> str:
    """Name, address, role, the ways to password and sign-in codes, and where the account is signed in."""
    organizer = me()
    open_ones = sign_ins.open_ones(db.session(), organizer_id=organizer.id, now=request_now())
    return render_template(
        "auth/account_show.html",
        organizer=organizer,
        role=_role_words()[access.role_of(organizer)],
        codes_on=bool(organizer.tf_primary_method and organizer.tf_totp_secret),
        recovery_codes_left=len(organizer.mf_recovery_codes or []),
        sign_ins=[(one, browsers.name_of(one.user_agent), _is_this(one)) for one in open_ones],
    )


@blueprint.post("/sign-ins/<int:sign_in_id>/end")
@signed_in
def sign_in_end(sign_in_id: int) -> Response:
    """Signs one browser out."""
    organizer_id, now = me().id, request_now()
    with write_transaction(db.session()):
        ended = sign_ins.end_one(db.session(), organizer_id=organizer_id, sign_in_id=sign_in_id, now=now)
        if not ended:
            raise NotFound(_("That browser is signed out already."))
        account = db.session.get_one(Organizer, organizer_id)
        trail.note(db.session(), action=trail.SIGN_IN_ENDED, account=account, now=now, source=request.remote_addr or "")
    flash(_("That browser is signed out."), "success")
    return redirect(url_for("auth.account_show"), 303)


@blueprint.post("/sign-ins/end")
@signed_in
def sign_out_everywhere() -> Response:
    """Signs every browser out, this one too; pending reset links and the feed's address end with them."""
    organizer_id, now = me().id, request_now()
    with write_transaction(db.session()):
        account = db.session.get_one(Organizer, organizer_id, with_for_update=True)
        service.revoke(db.session(), account, now=now)
        source = request.remote_addr or ""
        trail.note(db.session(), action=trail.SIGNED_OUT_EVERYWHERE, account=account, now=now, source=source)
    sessions.forget()
    flash(_("You are signed out everywhere. The address of your private calendar has changed too."), "success")
    return redirect(url_for("security.login"), 303)


def _is_this(one: SignIn) -> bool:
    return sign_ins.is_of(one, sessions.token())


def _role_words() -> dict[str, str]:
    return {
        "admin": _("Administrator: every event"),
        "organizer": _("Organizer: your own events"),
        "door": _("Door: who is coming, and how many"),
    }
