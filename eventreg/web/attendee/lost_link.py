"""“I lost my link”: mails it, and answers alike for addresses nobody registered with."""

from flask import redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from eventreg import tasks
from eventreg.db import db, write_transaction
from eventreg.registrations import service
from eventreg.web import limits
from eventreg.web.attendee import blueprint
from eventreg.web.attendee.forms import LostLinkForm
from eventreg.web.moment import request_now
from eventreg.web.security import csrf

INVALID = 422
TOO_MANY = 429


@blueprint.get("/lost-link")
def lost_link_form() -> str:
    """Asks for the address."""
    return render_template("attendee/lost_link_form.html", form=LostLinkForm())


@blueprint.post("/lost-link")
@csrf.exempt  # the form checks the token itself, so that one that has expired gives what was typed back
def lost_link_send() -> Response | tuple[str, int]:
    """Owes that address a mail with its links, if it has any; the answer is the same if not."""
    form = LostLinkForm()
    if limits.is_over("lost-link", per_address=limits.LINKS_PER_ADDRESS, per_ip="30 per minute"):
        form.form_errors.append(_("That was a lot of tries. Wait an hour, and look in your spam folder meanwhile."))
        return render_template("attendee/lost_link_form.html", form=form), TOO_MANY
    if not form.validate():
        return render_template("attendee/lost_link_form.html", form=form), INVALID
    now = request_now()
    with write_transaction(db.session()):
        service.send_lost_links(db.session(), email_key=form.email.data.lower(), now=now)
    tasks.nudge()
    return redirect(url_for("attendee.lost_link_sent"), 303)


@blueprint.get("/lost-link/sent")
def lost_link_sent() -> str:
    """What happens now, whoever asked."""
    return render_template("attendee/lost_link_sent.html")
