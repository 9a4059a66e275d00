"""What an event asks: adding, wording, ordering, retiring."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, SelectField

from eventreg.db import db, write_transaction
from eventreg.errors import InvalidField, NotFound
from eventreg.events import queries
from eventreg.events import questions as service
from eventreg.events.models import Event, Question
from eventreg.events.service import load
from eventreg.web import versions
from eventreg.web.access import event_editor
from eventreg.web.fields import Given, Line, Lines
from eventreg.web.moment import request_now
from eventreg.web.organizer import actor, blueprint, states, words
from eventreg.web.security import returns_form
from eventreg.web.versions import ChangedMeanwhileError, VersionedForm

UNPROCESSABLE = 422
CONFLICT = 409
LARGEST_ID = 2**31


class QuestionForm(VersionedForm):
    """One question."""

    label = Line(_l("Question"), most=200, required=_l("Write the question."))
    hint = Line(_l("Hint"), most=300, description=_l("A line below the question, for whoever hesitates."))
    kind = SelectField(_l("Answered with"), [Given()], default="text")
    choices = Lines(
        _l("Choices"),
        most=2000,
        description=_l("One on each line; only for one of several choices."),
        render_kw={"rows": 4},
    )
    required = BooleanField(_l("People who may come must answer it"))

    def __init__(self, *args: Any, of_kind: str | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind.choices = words.choices(words.kinds_of_question())
        if of_kind is not None:
            del self.kind
            if of_kind != "choice":
                del self.choices


@blueprint.route("/events/<slug>/questions", methods=["GET", "POST"])
@returns_form
@event_editor
def question_list(event: Event) -> Any:
    """The questions in the order of the form, those taken off it, and a form for one more."""
    form = QuestionForm()
    if request.method != "POST":
        return _page(form, event)
    if not form.validate():
        return _page(form, event), form.refused_with
    event_id, slug = event.id, event.slug
    try:
        with write_transaction(db.session()):
            service.add(
                db.session(),
                event_id=event_id,
                label=form.label.data,
                hint=form.hint.data,
                kind=form.kind.data,
                choices=form.choices.data,
                required=form.required.data,
                actor=actor(),
                now=request_now(),
            )
    except InvalidField as error:
        form[error.field].errors = [error.message]
        return _page(form, event), UNPROCESSABLE
    flash(_("The question is on the form."), "success")
    return redirect(url_for("organizer.question_list", slug=slug))


@blueprint.route("/events/<slug>/questions/<int:question_id>", methods=["GET", "POST"])
@returns_form
@event_editor
def question_edit(event: Event, question_id: int) -> Any:
    """Other words for a question; what people answered stays."""
    question = _question(event, question_id)
    form, kind = _form_of(question), question.kind
    if request.method != "POST":
        return _edit_page(form, event, question)
    if not form.validate():
        return _edit_page(form, event, question), form.refused_with
    event_id, slug = event.id, event.slug
    try:
        with write_transaction(db.session()):
            _refuse_stale(event_id, question_id, form)
            service.change(
                db.session(),
                event_id=event_id,
                question_id=question_id,
                label=form.label.data,
                hint=form.hint.data,
                choices=form.choices.data if kind == "choice" else "",
                required=form.required.data,
                actor=actor(),
                now=request_now(),
            )
    except InvalidField as error:
        form[error.field].errors = [error.message]
        return _edit_page(form, event, question), UNPROCESSABLE
    except ChangedMeanwhileError as error:
        form.show_again(error.version)
        return _edit_page(form, event, _question(event, question_id), meanwhile=error), CONFLICT
    flash(_("The question is changed."), "success")
    return redirect(url_for("organizer.question_list", slug=slug))


@blueprint.post("/events/<slug>/questions/<int:question_id>/<any(up, down):direction>")
@event_editor
def question_move(event: Event, question_id: int, direction: str) -> Any:
    """One place up or down."""
    event_id, slug = _known(event, question_id)
    with write_transaction(db.session()):
        _refuse_stale_button(event_id, question_id)
        service.move(
            db.session(),
            event_id=event_id,
            question_id=question_id,
            down=direction == "down",
            actor=actor(),
            now=request_now(),
        )
    return redirect(url_for("organizer.question_list", slug=slug, _anchor=f"question-{question_id}"))


@blueprint.post("/events/<slug>/questions/<int:question_id>/<any(retire, restore):action>")
@event_editor
def question_retire(event: Event, question_id: int, action: str) -> Any:
    """Off the form, or back on it."""
    event_id, slug = _known(event, question_id)
    with write_transaction(db.session()):
        _refuse_stale_button(event_id, question_id)
        service.set_retired(
            db.session(),
            event_id=event_id,
            question_id=question_id,
            retired=action == "retire",
            actor=actor(),
            now=request_now(),
        )
    if action == "retire":
        flash(_("The question is off the form. Answers already given stay, also in exports."), "success")
    else:
        flash(_("The question is back, at the end of the form."), "success")
    return redirect(url_for("organizer.question_list", slug=slug))


def _form_of(question: Question, *, sent: bool = True) -> QuestionForm:
    """The form as the question stands, with what was sent; not `sent`: as it stands alone."""
    form = QuestionForm(**({} if sent else {"formdata": None}), obj=question, of_kind=question.kind)
    if sent and form.is_submitted() and not versions.is_sent() and "required" not in request.form:
        form.required.data = question.required
    return form


def _refuse_stale(event_id: int, question_id: int, form: QuestionForm) -> None:
    """Raises: NotFound; ChangedMeanwhileError when the question was changed after the page was opened."""
    if versions.is_sent():
        load(db.session(), event_id)
        current = db.session().get_one(Question, question_id, populate_existing=True)
        versions.refuse_stale(form, _form_of(current, sent=False))


def _refuse_stale_button(event_id: int, question_id: int) -> None:
    """Raises: NotFound; ChangedMeanwhileError when the question or the order is not as the page showed it."""
    event = load(db.session(), event_id)
    states.check_question(db.session(), event, db.session().get_one(Question, question_id, populate_existing=True))


def _known(event: Event, question_id: int) -> tuple[int, str]:
    _question(event, question_id)
    return event.id, event.slug


def _question(event: Event, question_id: int) -> Question:
    """Raises: NotFound, also for another event's question."""
    found = db.session().get(Question, question_id) if question_id < LARGEST_ID else None
    if found is None or found.event_id != event.id:
        raise NotFound(_("This event has no such question."))
    return found


def _page(form: QuestionForm, event: Event) -> str:
    asked = queries.questions(db.session(), event.id, include_retired=True)
    return render_template(
        "organizer/question_list.html",
        form=form,
        event=event,
        asked=[question for question in asked if question.retired_at is None],
        retired=[question for question in asked if question.retired_at is not None],
        kinds=words.kinds_of_question(),
        status=words.status_of_event(event, request_now()),
    )


def _edit_page(
    form: QuestionForm, event: Event, question: Question, *, meanwhile: ChangedMeanwhileError | None = None
) -> str:
    return render_template(
        "organizer/question_edit.html",
        form=form,
        meanwhile=meanwhile,
        event=event,
        question=question,
        kinds=words.kinds_of_question(),
        status=words.status_of_event(event, request_now()),
    )
