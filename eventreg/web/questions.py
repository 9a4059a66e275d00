"""An event's own questions as form fields `q-<id>`, for the RSVP form, "my registration" and the desk."""

from collections.abc import Sequence
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
from eventreg.web.fields import AtMost

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


def answers(form: Form, questions: Sequence[Query]) -> dict[int, str]:
    """{question id: what was typed}, empty answers included."""
    return {question.id: _text(form[field_name(question)].data) for question in questions}


def data(questions: Sequence[Query], given: dict[int, str]) -> dict[str, Any]:
    """Stored answers as the fields take them."""
    return {
        field_name(question): given.get(question.id) == CHECKED
        if question.kind == "checkbox"
        else given.get(question.id, "")
        for question in questions
    }


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
