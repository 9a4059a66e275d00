"""The RSVP form and the small forms around it. They validate and convert; they know no seats and no database."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, RadioField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import AnyOf, InputRequired

from eventreg.events.entrance import Asked, Entrance, as_asked
from eventreg.events.models import Event, Question
from eventreg.registrations.models import RSVPS, Registration
from eventreg.registrations.service import AnswerForm
from eventreg.web import questions, versions
from eventreg.web.fields import Email, Given, Line, Whole
from eventreg.web.versions import VersionedForm

LONGEST_NAME = 200
FORMS_KEPT = 512
"""Form classes, one for each list of questions and largest party."""

FormT = TypeVar("FormT", bound="RsvpForm")

CHOOSE = _l("Choose yes, maybe or no.")
CHOICES: tuple[tuple[str, Any], ...] = (("yes", _l("Yes")), ("maybe", _l("Maybe")), ("no", _l("No")))


class RsvpForm(VersionedForm):
    """What somebody answers to an event; `asked` holds the event's questions, whose fields follow these."""

    unstored = frozenset({"join_waitlist", "leave_empty", "tell"})
    asked: tuple[Asked, ...] = ()
    stored: Mapping[int, str] = {}
    """Answers given so far, by question id."""

    # The fields in the order of the page, which is also the order in which errors are listed.
    rsvp = RadioField(
        _l("Will you come?"),
        [InputRequired(CHOOSE), AnyOf(RSVPS, CHOOSE)],
        choices=[SelectChoice(value, words) for value, words in CHOICES],
        validate_choice=False,  # said in our words by AnyOf
    )
    party_size: Whole
    name = Line(
        _l("Your name"),
        most=LONGEST_NAME,
        required=_l("Please give your name."),
        render_kw={"autocomplete": "name"},
    )
    email = Email(
        _l("Your e-mail address"),
        required=_l("Please give your e-mail address."),
        render_kw={"autocomplete": "email"},
    )
    join_waitlist = BooleanField(_l("Put all of us on the waitlist"))
    leave_empty = StringField(_l("Leave this empty"))

    def validate(self, extra_validators: Any = None) -> bool:
        """As every form here; a number nobody asks for is not missing either."""
        if self.rsvp.data == "no" and self.party_size.is_sent_empty:
            self.party_size.process_errors = ()
        return super().validate(extra_validators)

    def answer(
        self, *, email: str | None = None, opened_at: datetime | None = None, opening: str | None = None
    ) -> AnswerForm:
        """The validated values, as the service takes them; `email` where the form does not ask for it."""
        return AnswerForm(
            name=self.name.data,
            email=email or self.email.data,
            rsvp=self.rsvp.data,
            party_size=self.party_size.data or 1,
            answers=questions.answers(self, self.asked, self.stored),
            join_waitlist=self.join_waitlist.data,
            opened_at=opened_at,
            opening=opening,
        )


def rsvp_form(entrance: Entrance, sent: MultiDict[str, str] | None = None) -> RsvpForm:
    """An empty form, or the one sent, for this event; `sent` where the request does not hold it."""
    return _class(entrance.asked, entrance.max_party_size)(**({} if sent is None else {"formdata": sent}))


def change_form(
    event: Event, registration: Registration, asked: Sequence[Question], given: dict[int, str], *, sent: bool = True
) -> RsvpForm:
    """The form filled with what the registration says; its address stays as it is. Not `sent`: that alone."""
    form = _class(as_asked(asked), largest_party(event, registration), knows_address=True)(
        **({} if sent else {"formdata": None}),
        data={
            "rsvp": registration.rsvp,
            "name": registration.name,
            "party_size": registration.party_size,
            **questions.data(asked, given),
        },
    )
    return keep_stored(form, given)


def keep_stored(form: FormT, given: Mapping[int, str]) -> FormT:
    """The form, with the answers given so far staying valid; see `questions.keep_stored`."""
    form.stored = given
    questions.keep_stored(form, form.asked, given, boxes_shown=versions.is_sent())
    return form


def largest_party(event: Event, registration: Registration) -> int:
    """As many as the event takes now, or as this party was when it took more: they may stay as they are."""
    return max(event.max_party_size, registration.party_size)


@lru_cache(maxsize=FORMS_KEPT)
def _class(asked: tuple[Asked, ...], most: int, *, knows_address: bool = False) -> type[RsvpForm]:
    """A form class of its own, because WTForms keeps fields on the class; all it says is translated when shown.

    Kept, because making it takes longer than everything a form does with an answer.
    """
    party_size = Whole(
        _l("How many people, you included?"),
        validators=[Given()],
        least=1,
        most=most,
        default=1,
        bounds=_l("This event takes 1 to %(max)d people on one registration.", max=most),
    )
    own: dict[str, Any] = {"asked": asked, "party_size": party_size, **questions.fields(asked)}
    own["email" if knows_address else "version"] = None  # takes the field away
    return type("EventRsvpForm", (RsvpForm,), own)


class LostLinkForm(FlaskForm):
    """Whose links are to be mailed."""

    email = Email(
        _l("Your e-mail address"),
        required=_l("Please give the address you registered with."),
        render_kw={"autocomplete": "email"},
    )


class ConfirmForm(FlaskForm):
    """A button alone; it carries the CSRF token."""
