"""The address of an organizer's own feed, and a new one for it. The feed itself lies behind its signed link."""

from flask import current_app, flash, redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from eventreg.db import db, write_transaction
from eventreg.links import Links
from eventreg.organizers import service
from eventreg.web.access import me, organizers_only
from eventreg.web.moment import request_now
from eventreg.web.organizer import actor, blueprint


def address() -> str:
    """The feed of whoever is signed in."""
    links: Links = current_app.extensions["eventreg.links"]
    return links.desk_feed(me().id, me().feed_generation)


@blueprint.post("/feed")
@organizers_only
def feed_reset() -> Response:
    """Gives it a new address; the old one is unknown from now on."""
    organizer_id, by = me().id, actor()
    with write_transaction(db.session()):
        service.reset_feed(db.session(), organizer_id=organizer_id, actor=by, now=request_now())
    flash(_("Your calendar has a new address. The old one no longer works."), "success")
    return redirect(url_for("organizer.event_list", _anchor="desk-feed"), 303)
