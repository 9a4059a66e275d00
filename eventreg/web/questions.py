"""An event's own questions as form fields `q-<id>`, for the RSVP form, "my registration" and the desk."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, Field, Form, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional, StopValidation

from eventreg import text
from eventreg.events.entrance import Asked
from eventreg.events.models import Question
from eventreg.web.fields import AtMost, stored_value

LONGEST_LINE = 300
LONGEST_PARAGRAPH = 3000
CHOOSE: Any = _l("Choose")
CHECKED = "yes"
"""How a ticked box is stored."""
Query = Question | Asked


class RequiredIfComing:
    """An answer is needed from people who may come; somebody who says no is not held up."""

    def __call__(self, form: Form, field: Field) -> None:
        """Raises: StopValidation."""
        if not field.data and form["rsvp"].data != "no":
            raise StopValidation(_("Please answer this question."))


def field_name(question: Query) -> str:
    """The form field's name."""
    return f"q-{question.id}"


def fields(questions: Sequence[Query]) -> dict[str, Field]:
    """Unbound fields by name, in the order asked, to be set on a form class."""
    return {field_name(question): _field(question) for question in questions}


def answers(form: Form, questions: Sequence[Query], stored: Mapping[int, str]) -> dict[int, str]:
    """{question id: what was typed}, empty answers included; an answer left as it was shown stays as it is stored."""
    return {question.id: _answer(form[field_name(question)], stored.get(question.id, "")) for question in questions}


def keep_stored(form: Form, questions: Sequence[Query], stored: Mapping[int, str], *, boxes_shown: bool) -> None:
    """Lets stored answers stay valid on a form that changes them: the question may be another by now.

    A choice that was removed or renamed is offered to the person who made it. `boxes_shown`: a box that is not sent
    was shown and left empty; otherwise the request says nothing of it.
    """
    for question in questions:
        field = form[field_name(question)]
        value = stored.get(question.id, "")
        if isinstance(field, SelectField) and value and value not in {choice.value for choice in field.choices}:
            label = _("%(choice)s (no longer offered)", choice=value)
            field.choices = [*field.choices, SelectChoice(value, label)]
        if isinstance(field, BooleanField) and not field.raw_data and not boxes_shown:
            field.data = field.object_data


def data(questions: Sequence[Query], given: dict[int, str]) -> dict[str, Any]:
    """Stored answers as the fields take them."""
    return {
        field_name(question): given.get(question.id) == CHECKED
        if question.kind == "checkbox"
        else given.get(question.id, "")
        for question in questions
    }


def _answer(field: Field, stored: str) -> str:
    sent = _text(field.data)
    return stored if stored and sent == _text(stored_value(field)) else sent


def _text(value: object) -> str:
    if isinstance(value, bool):
        return CHECKED if value else ""
    return str(value or "")


def _field(question: Query) -> Field:
    needed = RequiredIfComing() if question.required else Optional()
    common: dict[str, Any] = {"description": question.hint}
    match question.kind:
        case "checkbox":
            return BooleanField(question.label, [needed] if question.required else [], **common)
        case "choice":
            offered = [line.strip() for line in question.choices.splitlines() if line.strip()]
            choices = [SelectChoice("", CHOOSE), *(SelectChoice(choice) for choice in offered)]
            return SelectField(question.label, [needed], choices=choices, default="", **common)
        case "paragraph":
            limits = [needed, AtMost(LONGEST_PARAGRAPH)]
            clean = partial(text.paragraph, most=LONGEST_PARAGRAPH)
            return TextAreaField(question.label, limits, filters=[clean], render_kw={"rows": 3}, **common)
        case _other:
            clean = partial(text.line, most=LONGEST_LINE)
            return StringField(question.label, [needed, AtMost(LONGEST_LINE)], filters=[clean], **common)
