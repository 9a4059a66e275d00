"""The RSVP form and the small forms around it. They validate and convert; they know no seats and no database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, Field, Form, IntegerField, RadioField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, StopValidation
from wtforms.widgets import NumberInput, TextInput

from eventreg.events.models import Event, Question
from eventreg.registrations.models import Registration
from eventreg.registrations.service import AnswerForm
from eventreg.web import cleaning, questions
from eventreg.web.addresses import EmailAddress

LONGEST_NAME = 200


class RsvpForm(FlaskForm):
    """What somebody answers to an event; `asked` holds the event's questions, whose fields follow these."""

    asked: Sequence[Question] = ()

    # The fields in the order of the page, which is also the order in which errors are listed.
    rsvp = RadioField(_l("Will you come?"), [InputRequired(_l("Choose yes, maybe or no."))])
    party_size: IntegerField
    name = StringField(
        _l("Your name"),
        [
            DataRequired(_l("Please give your name.")),
            Length(max=LONGEST_NAME, message=_l("Please keep your name under %(max)d characters.")),
        ],
        filters=[cleaning.line],
        render_kw={"autocomplete": "name"},
    )
    email = StringField(
        _l("Your e-mail address"),
        [DataRequired(_l("Please give your e-mail address.")), EmailAddress()],
        filters=[cleaning.line],
        widget=TextInput(),
        render_kw={"autocomplete": "email", "inputmode": "email", "spellcheck": "false", "autocapitalize": "none"},
    )
    join_waitlist = BooleanField(_l("Put all of us on the waitlist"))
    leave_empty = StringField(_l("Leave this empty"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rsvp.choices = [
            SelectChoice("yes", _("Yes")),
            SelectChoice("maybe", _("Maybe")),
            SelectChoice("no", _("No")),
        ]

    def answer(self, *, email: str | None = None, opened_at: datetime | None = None) -> AnswerForm:
        """The validated values, as the service takes them; `email` where the form does not ask for it."""
        return AnswerForm(
            name=self.name.data,
            email=email or self.email.data,
            rsvp=self.rsvp.data,
            party_size=self.party_size.data or 1,
            answers=questions.answers(self, self.asked),
            join_waitlist=self.join_waitlist.data,
            opened_at=opened_at,
        )


class OneIfEmpty:
    """Nothing typed means one; the field is filled in when shown, so the page does not call it optional."""

    field_flags: ClassVar[dict[str, bool]] = {"required": True}

    def __call__(self, form: Form, field: Field) -> None:  # noqa: ARG002 - WTForms calls it so
        """Raises: StopValidation, when there is nothing further to look at."""
        if field.data is None and not field.process_errors:
            field.data = 1
        if field.process_errors:
            raise StopValidation


def rsvp_form(event: Event, asked: Sequence[Question]) -> RsvpForm:
    """An empty form, or the one sent, for this event."""
    return _class(event, asked)()


def change_form(event: Event, registration: Registration, asked: Sequence[Question], given: dict[int, str]) -> RsvpForm:
    """The form filled with what the registration says; its address stays as it is."""
    return _class(event, asked, email=None)(
        data={
            "rsvp": registration.rsvp,
            "name": registration.name,
            "party_size": registration.party_size,
            **questions.data(asked, given),
        }
    )


def _class(event: Event, asked: Sequence[Question], **changed: Any) -> type[RsvpForm]:
    """A form class of its own, because WTForms keeps fields on the class; None takes a field away."""
    most = event.max_party_size
    party_size = IntegerField(
        _("How many people, you included?"),
        [
            OneIfEmpty(),
            NumberRange(1, most, _("This event takes 1 to %(max)d people on one registration.", max=most)),
        ],
        default=1,
        widget=NumberInput(min=1, max=most),
        render_kw={"inputmode": "numeric", "data-party-size": ""},
    )
    own = {"asked": asked, "party_size": party_size, **questions.fields(asked), **changed}
    return type("EventRsvpForm", (RsvpForm,), own)


class LostLinkForm(FlaskForm):
    """Whose links are to be mailed."""

    email = StringField(
        _l("Your e-mail address"),
        [DataRequired(_l("Please give the address you registered with.")), EmailAddress()],
        filters=[cleaning.line],
        render_kw={"autocomplete": "email", "inputmode": "email", "spellcheck": "false", "autocapitalize": "none"},
    )


class ConfirmForm(FlaskForm):
    """A button alone; it carries the CSRF token."""
