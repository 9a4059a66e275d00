"""Calendars that are followed: which, how they fare, and another one."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response
from wtforms import SelectField

from eventreg.db import db, write_transaction
from eventreg.errors import InvalidField, NotFound
from eventreg.following import service
from eventreg.following.models import FollowedCalendar
from eventreg.organizers import access
from eventreg.web.access import me, organizers_only
from eventreg.web.fields import Given, Line, key_at_most
from eventreg.web.moment import request_now
from eventreg.web.organizer import actor, blueprint, states, words
from eventreg.web.organizer.actions import host
from eventreg.web.organizer.people import LARGEST_ID
from eventreg.web.security import returns_form
from eventreg.web.versions import ReturnedForm

UNPROCESSABLE = 422


class FollowForm(ReturnedForm):
    """The address, and how its events are shown."""

    url = Line(
        _l("Address of the calendar"),
        most=2000,
        required=_l("Write the calendar's address."),
        description=_l("The address to subscribe to, like https://example.org/calendar.ics or webcal://…"),
        render_kw={"inputmode": "url", "autocapitalize": "none", "spellcheck": "false"},
    )
    title = Line(
        _l("Name"), most=200, description=_l("Stands on the page of each of its events. Empty: as it names itself.")
    )
    category = Line(
        _l("Category"), most=60, validators=[key_at_most(60)], description=_l("For those of its events that name none.")
    )
    visibility = SelectField(_l("Who can find its events"), [Given()], default="public", validate_choice=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.visibility.choices = words.choices(words.visibilities())


@blueprint.route("/calendars", methods=["GET", "POST"])
@returns_form
@organizers_only
def followed_list() -> Any:
    """Those there are, and the form for another."""
    form = FollowForm()
    if request.method != "POST":
        return _page(form)
    if not form.validate():
        return _page(form), form.refused_with
    owner_id, doer = me().id, actor()
    try:
        with write_transaction(db.session()):
            service.follow(
                db.session(),
                url=form.url.data,
                title=form.title.data,
                category=form.category.data,
                visibility=form.visibility.data,
                organizer_id=owner_id,
                actor=doer,
                now=request_now(),
                own_host=host(),
            )
    except InvalidField as error:
        form[error.field].errors = (error.message,)
        return _page(form), UNPROCESSABLE
    flash(_("The calendar is followed. Its events appear here within a minute or two."), "success")
    return redirect(url_for("organizer.followed_list"))


@blueprint.post("/calendars/<int:calendar_id>/pause")
@organizers_only
def followed_pause(calendar_id: int) -> Response:
    """Stops reading it for now."""
    _refuse_others(calendar_id)
    doer = actor()
    with write_transaction(db.session()):
        states.check_calendar(service.load(db.session(), calendar_id))
        service.pause(db.session(), calendar_id=calendar_id, actor=doer, now=request_now())
    flash(_("The calendar is paused. Its events stay as they are, and nothing new is read."), "success")
    return redirect(url_for("organizer.followed_list"))


@blueprint.post("/calendars/<int:calendar_id>/read")
@organizers_only
def followed_read(calendar_id: int) -> Response:
    """Reads it now, and every hour from now on."""
    _refuse_others(calendar_id)
    doer = actor()
    with write_transaction(db.session()):
        states.check_calendar(service.load(db.session(), calendar_id))
        service.read_soon(db.session(), calendar_id=calendar_id, actor=doer, now=request_now())
    flash(_("The calendar is read within a minute or two."), "success")
    return redirect(url_for("organizer.followed_list"))


@blueprint.route("/calendars/<int:calendar_id>/remove", methods=["GET", "POST"])
@organizers_only
def followed_remove(calendar_id: int) -> Any:
    """What giving it up does to its events; the button is here."""
    calendar = _refuse_others(calendar_id)
    if request.method != "POST":
        coming = service.coming(db.session(), [calendar_id], now=request_now()).get(calendar_id, 0)
        return render_template("organizer/followed_remove.html", calendar=calendar, coming=coming)
    doer = actor()
    with write_transaction(db.session()):
        states.check_calendar(service.load(db.session(), calendar_id))
        drafts = service.unfollow(db.session(), calendar_id=calendar_id, actor=doer, now=request_now())
    flash(
        _("The calendar is not followed any more. Events that are drafts of its organizer now: %(num)s.", num=drafts),
        "success",
    )
    return redirect(url_for("organizer.followed_list"))


def _refuse_others(calendar_id: int) -> FollowedCalendar:
    """The calendar, when it is theirs. Raises: NotFound, as for one that never was."""
    calendar = db.session.get(FollowedCalendar, calendar_id) if calendar_id < LARGEST_ID else None
    if calendar is None or not access.can_edit(me(), calendar):
        raise NotFound(_("There is no such calendar at your desk."))
    return calendar


def _page(form: FollowForm) -> str:
    session = db.session()
    calendars = service.listed(session, organizer_id=None if access.is_admin(me()) else me().id)
    return render_template(
        "organizer/followed_list.html",
        form=form,
        calendars=calendars,
        coming=service.coming(session, [one.id for one in calendars], now=request_now()),
        now=request_now(),
    )
