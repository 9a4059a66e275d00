"""The form an event is written in: wall-clock times of its own zone in, `EventValues` out."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from flask import current_app, request
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, SelectField
from wtforms.validators import InputRequired

from eventreg import timezones
from eventreg.errors import InvalidField, WallClockError
from eventreg.events import reminders, schedule
from eventreg.events.models import Event
from eventreg.events.values import LONGEST_OFFER, EventValues, check
from eventreg.web.fields import Email, Given, Line, Lines, Names, WallClock, Whole, key_at_most, web_address
from eventreg.web.organizer import words
from eventreg.web.versions import VersionedForm

INSTANTS = ("starts_at", "ends_at", "registration_opens_at", "registration_closes_at")
SAME_NAME = (
    "title",
    "summary",
    "description",
    "timezone",
    "all_day",
    "location_name",
    "location_address",
    "directions",
    "online_url",
    "contact_email",
    "category",
    "audience",
    "visibility",
    "capacity",
    "max_party_size",
    "waitlist_open",
    "waitlist_rule",
    "offer_hours",
    "needs_approval",
    "confirm_address",
    "reminder_hours",
)
"""Fields that go into `EventValues` as they are."""
NOT_TICKED = (False, "", "0", "false", "no", "off")
"""What a script may send for a box that it leaves empty."""


class EventForm(VersionedForm):
    """Fields named as scripts know them. What a request leaves out keeps its default, or the event's present value."""

    unstored = frozenset({"notify"})

    title = Line(_l("Title"), most=200, required=_l("Give the event a title."))
    summary = Line(
        _l("Summary"), most=400, description=_l("One or two sentences, shown on lists and in search engines.")
    )
    description = Lines(
        _l("Description"),
        most=20_000,
        description=_l("Markdown: an empty line begins a paragraph, **bold**, *italic*, - a list, [words](https://…)."),
        render_kw={"rows": 10},
    )
    starts_at = WallClock(_l("Starts"), [InputRequired(_l("Say when it starts."))])
    ends_at = WallClock(_l("Ends"), [InputRequired(_l("Say when it ends."))])
    timezone = SelectField(
        _l("Time zone"), [Given()], validate_choice=False, description=_l("Times on this page are of this zone.")
    )
    all_day = BooleanField(_l("All day: only the dates count"))
    location_name = Line(_l("Place"), most=200, description=_l("Room and building."))
    location_address = Line(_l("Address"), most=400, description=_l("Street and city, for the map."))
    directions = Lines(
        _l("Directions"),
        most=4_000,
        description=_l("Goes into the confirmation mail: which door, where to park, what to bring."),
        render_kw={"rows": 4},
    )
    online_url = Line(
        _l("Join link"),
        most=1000,
        validators=[web_address],
        description=_l("For people who have registered; it is on no public page."),
        render_kw={"inputmode": "url"},
    )
    contact_email = Email(_l("Contact e-mail"), description=_l("Where questions about this event go."))
    category = Line(
        _l("Category"),
        most=60,
        validators=[key_at_most(60)],
        description=_l("One of those in use, or a new one."),
        render_kw={"list": "categories"},
    )
    audience = Names(
        _l("Who it is for"),
        most=400,
        description=_l("Separated by commas, like: alumni, faculty, trainees, students, staff."),
    )
    visibility = SelectField(
        _l("Who can find it"),
        [Given()],
        default="public",
        validate_choice=False,
    )
    capacity = Whole(_l("Places"), least=1, may_be_empty=True, description=_l("Leave empty for no limit."))
    max_party_size = Whole(
        _l("People on one registration, at most"),
        validators=[Given()],
        least=1,
        default=1,
        description=_l("1 means that everybody registers for themselves."),
    )
    waitlist_open = BooleanField(_l("Keep a waitlist when every place is taken"), default=True)
    waitlist_rule = SelectField(
        _l("When places come free and the first party in line is too large for them"),
        [Given()],
        default="skip",
        validate_choice=False,
    )
    offer_hours = Whole(
        _l("Hours to accept a place that came free"),
        least=1,
        most=LONGEST_OFFER,
        may_be_empty=True,
        description=_l(
            "Whoever is next in line is asked, and the place is kept for them this long. "
            "Leave empty to give it to them at once."
        ),
    )
    needs_approval = BooleanField(
        _l("An organizer approves everybody who wants to come"),
        description=_l("A yes takes no place until you approve it on the list of people."),
        false_values=NOT_TICKED,
    )
    confirm_address = BooleanField(
        _l("Ask people to confirm their e-mail address"),
        description=_l("The answer counts once they press a button in the mail we send."),
        false_values=NOT_TICKED,
    )
    registration_opens_at = WallClock(_l("Registration opens"), description=_l("Empty: as soon as it is published."))
    registration_closes_at = WallClock(_l("Registration closes"), description=_l("Empty: when the event starts."))
    reminder_hours = Whole(
        _l("Hours before the start when people are reminded"),
        least=1,
        most=reminders.MOST_HOURS,
        may_be_empty=True,
        default=24,
        description=_l("24 is the day before. Leave empty to remind nobody."),
    )
    notify = BooleanField(_l("Tell the people registered"), false_values=NOT_TICKED)
    seen_at = HiddenField()
    """When the event had last been changed as this form was opened: the history tells what was done since."""
    waitlist_shown = HiddenField(default="1")
    """Sent by the page: without it, a box left empty may be a script that does not know of them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.timezone.choices = sorted(timezones.names() | {self.timezone.object_data or "UTC"})
        self.visibility.choices = words.choices(words.visibilities())
        self.waitlist_rule.choices = words.choices(words.waitlist_rules())
        self.waitlist_shown.data = "1"
        if self.is_submitted() and "waitlist_shown" not in request.form:
            self.waitlist_open.data = self.waitlist_open.object_data
            for name in {"all_day", "needs_approval", "confirm_address"} - request.form.keys():
                self[name].data = bool(self[name].object_data)

    @property
    def tell(self) -> bool | None:
        """What was chosen about telling people; None where the box was neither sent nor shown to be left empty."""
        if "notify" in request.form or "notify_shown" in request.form:
            return bool(self.notify.data)
        return None

    def validate(self, extra_validators: Any = None) -> bool:
        """Each field by itself, then the times against the zone and each other."""
        good = bool(super().validate(extra_validators))
        try:
            timezones.zone(self.timezone.data)
        except WallClockError as error:
            self.timezone.errors = (str(error),)
            return False
        for field in (self[name] for name in INSTANTS):
            if field.data is not None and not field.errors and not (self.all_day.data and field.name in INSTANTS[:2]):
                good = self._holds(partial(self._instant, field.data, field.name)) and good
        return good and self._holds(lambda: check(self.values()))

    def _instant(self, wall: datetime, name: str) -> datetime:
        return schedule.instant(wall, self.timezone.data, field=name)

    def _holds(self, rule: Any) -> bool:
        try:
            rule()
        except InvalidField as error:
            self.refuse(error)
            return False
        return True

    def refuse(self, error: InvalidField) -> None:
        """Shows a broken rule at the field it names."""
        field = self[error.field] if error.field in self else self.title  # noqa: SIM401 - a form has no get
        field.errors = (*field.errors, error.message)

    def values(self) -> EventValues:
        """What was written, as the service takes it. Raises: InvalidField for a time that does not exist."""
        starts_at, ends_at = schedule.instants(
            self.starts_at.data, self.ends_at.data, timezone=self.timezone.data, all_day=self.all_day.data
        )
        opens, closes = self.registration_opens_at.data, self.registration_closes_at.data
        written = {name: self[name].data for name in SAME_NAME}
        return EventValues(
            **{**written, "audience": written["audience"] or ()},
            starts_at=starts_at,
            ends_at=ends_at,
            registration_opens_at=self._instant(opens, "registration_opens_at") if opens else None,
            registration_closes_at=self._instant(closes, "registration_closes_at") if closes else None,
        )


def written(event: Event) -> dict[str, Any]:
    """An event as its form shows it."""
    starts_at, ends_at = schedule.local_span(event)
    wall = {
        name: timezones.to_wall(value, event.timezone)
        for name in INSTANTS[2:]
        if (value := getattr(event, name)) is not None
    }
    return {
        **{name: getattr(event, name) for name in SAME_NAME},
        **wall,
        "audience": tuple(name for name in event.audience.split(", ") if name),
        "starts_at": starts_at,
        "ends_at": ends_at,
        "notify": True,
        "seen_at": event.updated_at.isoformat(),
    }


def blank(now: datetime) -> dict[str, Any]:
    """A new event: an evening in two weeks, in the site's zone."""
    zone = current_app.config["DEFAULT_TIMEZONE"]
    starts_at = timezones.to_wall(now + timedelta(days=14), zone).replace(hour=17, minute=0, second=0, microsecond=0)
    return {"timezone": zone, "starts_at": starts_at, "ends_at": starts_at + timedelta(hours=1, minutes=30)}
