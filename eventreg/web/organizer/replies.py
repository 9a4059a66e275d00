"""Answers from calendar programs that an organizer has to look at, and what else came in by mail."""

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from eventreg import tasks
from eventreg.db import db, write_transaction
from eventreg.errors import EventStateError
from eventreg.events.models import Event
from eventreg.incoming import review
from eventreg.web.access import event_editor
from eventreg.web.moment import request_now
from eventreg.web.organizer import actor, blueprint, states, words

LARGEST_ID = 2**31


@blueprint.get("/events/<slug>/replies")
@event_editor
def reply_list(event: Event) -> str:
    """The review queue, and the newest mails that need nothing."""
    session = db.session()
    return render_template(
        "organizer/reply_list.html",
        event=event,
        status=words.status_of_event(event, request_now()),
        waiting=review.waiting(session, event.id),
        latest=review.latest(session, event.id),
        answers=answers(),
        outcomes=outcomes_of_mail(),
    )


@blueprint.post("/events/<slug>/replies/<int:mail_id>/apply")
@event_editor
def reply_apply(event: Event, mail_id: int) -> Response:
    """Takes the answer over, as if the registered person had sent it."""
    slug, event_id = event.slug, event.id
    try:
        with write_transaction(db.session()):
            _refuse_stale(event_id, mail_id)
            taken = review.accept(
                db.session(), event_id=event_id, mail_id=_known(mail_id), actor=actor(), now=request_now()
            )
    except EventStateError as error:
        flash(str(error), "danger")
    else:
        tasks.nudge()
        if taken.is_applied:
            flash(_("The answer is taken over."), "success")
        else:
            flash(_("The answer was not taken over. %(reason)s", reason=taken.words), "warning")
    return redirect(url_for("organizer.reply_list", slug=slug))


@blueprint.post("/events/<slug>/replies/<int:mail_id>/dismiss")
@event_editor
def reply_dismiss(event: Event, mail_id: int) -> Response:
    """Lets the answer go; nobody is told."""
    slug, event_id = event.slug, event.id
    try:
        with write_transaction(db.session()):
            _refuse_stale(event_id, mail_id)
            review.dismiss(db.session(), event_id=event_id, mail_id=_known(mail_id), actor=actor(), now=request_now())
    except EventStateError as error:
        flash(str(error), "danger")
    else:
        flash(_("The answer is dismissed. Nothing was changed, and nobody was told."), "success")
    return redirect(url_for("organizer.reply_list", slug=slug))


def _refuse_stale(event_id: int, mail_id: int) -> None:
    """Raises: NotFound, EventStateError; ChangedMeanwhileError when the registration changed after the page opened."""
    about = review.held(db.session(), event_id, _known(mail_id)).registration_id
    if about is not None:
        states.check_person(db.session(), about)


def _known(mail_id: int) -> int:
    """An id that the database can hold; 0 is nobody's."""
    return mail_id if mail_id < LARGEST_ID else 0


def answers() -> dict[str, str]:
    """What a person can answer."""
    return {"yes": _("yes"), "no": _("no"), "maybe": _("maybe")}


def outcomes_of_mail() -> dict[str, str]:
    """What became of a mail that came in."""
    return {"applied": _("taken over"), "ignored": _("nothing changed"), "settled": _("looked at by an organizer")}
