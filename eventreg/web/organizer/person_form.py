"""The form about one person: what they answered, as an organizer types it for them."""

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField
from wtforms.validators import InputRequired

from eventreg.errors import EventFull, EventRegError, InvalidField
from eventreg.events.models import Event, Question
from eventreg.registrations.models import Registration
from eventreg.web import questions
from eventreg.web.attendee.forms import LONGEST_NAME, RsvpForm, keep_stored, largest_party
from eventreg.web.fields import Email, Given, Line, Lines, Whole
from eventreg.web.organizer import words


class PersonForm(RsvpForm):
    """The fields of an RSVP in the words of somebody who writes about another; no trap for robots."""

    rsvp = RadioField(
        _l("Answer"),
        [InputRequired(_l("Choose yes, maybe or no."))],
    )
    name = Line(_l("Name"), most=LONGEST_NAME, required=_l("Give their name."))
    email = Email(_l("E-mail"), required=_l("Give their e-mail address."))
    join_waitlist = BooleanField(_l("Put them on the waitlist if they do not all fit"))
    note = Lines(
        _l("Note for organizers"),
        most=2000,
        description=_l("Never shown to the person."),
        render_kw={"rows": 3},
    )
    tell = BooleanField(_l("Mail them the confirmation"), default=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rsvp.choices = words.choices({"yes": _("Yes, coming"), "maybe": _("Maybe"), "no": _("No")})
        # An organizer may not know the answer to what the attendee must answer.
        for question in self.asked:
            field = self[questions.field_name(question)]
            field.validators = [one for one in field.validators if not isinstance(one, questions.RequiredIfComing)]

    def refuse(self, error: EventRegError) -> None:
        """Shows why the service refused, at the field it names."""
        name = error.field if isinstance(error, InvalidField) else "party_size" if isinstance(error, EventFull) else ""
        if name in self:
            self[name].errors = [*self[name].errors, str(error)]
        else:
            self.form_errors.append(str(error))


def add_form(event: Event, asked: Sequence[Question]) -> PersonForm:
    """An empty form."""
    return _class(asked, event.max_party_size, note=None, version=None)(data={"rsvp": "yes", "party_size": 1})


def correct_form(
    event: Event, registration: Registration, asked: Sequence[Question], given: dict[int, str], *, sent: bool = True
) -> PersonForm:
    """The form as the registration stands, with what was sent; not `sent`: as it stands alone."""
    known = {name: getattr(registration, name) for name in ("rsvp", "name", "email", "party_size", "note")}
    form = _class(asked, largest_party(event, registration), tell=None)(
        **({} if sent else {"formdata": None}), data=known | questions.data(asked, given)
    )
    return keep_stored(form, given)


def _class(asked: Sequence[Question], most: int, **without: None) -> type[PersonForm]:
    size = Whole(_("People, they included"), least=1, most=most, validators=[Given()])
    own: dict[str, Any] = {
        "leave_empty": None,  # the trap for robots
        "asked": asked,
        "party_size": size,
        **questions.fields(asked),
        **without,
    }
    return type("EventPersonForm", (PersonForm,), own)
