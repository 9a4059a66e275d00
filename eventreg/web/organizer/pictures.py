"""An event's picture. A page of its own, because a file chosen in a form is lost when the form comes back."""

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired

from eventreg.db import db, write_transaction
from eventreg.errors import InvalidField, NotFound
from eventreg.events import pictures
from eventreg.events.models import Event
from eventreg.events.service import load
from eventreg.web.access import event_editor, take_large_body
from eventreg.web.fields import Line
from eventreg.web.moment import request_now
from eventreg.web.organizer import actor, blueprint, states, words
from eventreg.web.security import returns_form
from eventreg.web.versions import ChangedMeanwhileError, ReturnedForm

UNPROCESSABLE = 422
CONFLICT = 409
ROOM_FOR_THE_REST = 64 * 1024


class PictureForm(ReturnedForm):
    """A file and the words for those who do not see it."""

    picture = FileField(
        _l("Picture"),
        [FileRequired(_l("Choose a picture."))],
        description=_l("JPEG, PNG, WebP or GIF, up to 12 MB. Wide pictures look best."),
        render_kw={"accept": "image/jpeg,image/png,image/webp,image/gif"},
    )
    picture_alt = Line(
        _l("What it shows"),
        most=pictures.LONGEST_ALT,
        required=_l("Say in a few words what the picture shows, for people who cannot see it."),
        description=_l(
            "For people who cannot see it, like: Three students laughing on the steps of the main building."
        ),
    )


def _take_large_files(endpoint: str | None, _values: Any) -> None:
    """Before anything reads the form: this one address takes more than the others."""
    if endpoint == "organizer.picture_edit":
        take_large_body(pictures.MOST_BYTES + ROOM_FOR_THE_REST)


def _register(to: Blueprint) -> None:
    to.url_value_preprocessor(_take_large_files)


_register(blueprint)


@blueprint.route("/events/<slug>/picture", methods=["GET", "POST"])
@returns_form
@event_editor
def picture_edit(event: Event) -> Any:
    """The picture there is, and another in its place."""
    form = PictureForm()
    if request.method != "POST":
        return _page(form, event)
    if not form.validate():
        return _page(form, event), form.refused_with
    event_id, slug = event.id, event.slug
    try:
        encoded = pictures.encode(form.picture.data.read())
    except InvalidField as error:
        form[error.field].errors = [error.message]
        return _page(form, event), UNPROCESSABLE
    try:
        with write_transaction(db.session()):
            states.check_picture(db.session(), load(db.session(), event_id), form.picture_alt.data)
            pictures.store(
                db.session(),
                event_id=event_id,
                encoded=encoded,
                alt_text=form.picture_alt.data,
                actor=actor(),
                now=request_now(),
            )
    except ChangedMeanwhileError as error:
        return _page(form, event, meanwhile=error), CONFLICT
    flash(_("The picture is in place."), "success")
    return redirect(url_for("organizer.picture_edit", slug=slug))


@blueprint.post("/events/<slug>/picture/remove")
@event_editor
def picture_remove(event: Event) -> Any:
    """Back to the drawn cover."""
    event_id, slug = event.id, event.slug
    with write_transaction(db.session()):
        states.check_picture(db.session(), load(db.session(), event_id))
        pictures.remove(db.session(), event_id=event_id, actor=actor(), now=request_now())
    flash(_("The picture is removed. The event shows its drawn cover again."), "success")
    return redirect(url_for("organizer.picture_edit", slug=slug))


@blueprint.get("/events/<slug>/picture.webp")
@event_editor
def picture_file(event: Event) -> Response:
    """The picture for its own page, also while the event is a draft."""
    picture = pictures.of_event(db.session(), event.id)
    if picture is None:
        raise NotFound(_("This event has no picture."))
    response = Response(picture.webp, mimetype="image/webp")
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _page(form: PictureForm, event: Event, *, meanwhile: ChangedMeanwhileError | None = None) -> str:
    return render_template(
        "organizer/picture_edit.html",
        form=form,
        meanwhile=meanwhile,
        event=event,
        picture=pictures.of_event(db.session(), event.id),
        status=words.status_of_event(event, request_now()),
    )
