"""What a button of the desk acts on, as its page showed it; see `web.versions`."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from eventreg.events import pictures, queries
from eventreg.events.models import Event, Picture, Question
from eventreg.events.values import EventValues
from eventreg.following.models import FollowedCalendar
from eventreg.registrations import changes
from eventreg.registrations import queries as registrations
from eventreg.registrations.models import Registration
from eventreg.web import versions
from eventreg.web.organizer import words

EVENT = (*EventValues.__dataclass_fields__, "status")
PERSON = ("name", "email", "rsvp", "status", "party_size")


def event_version(event: Event) -> str:
    """Everything an organizer decides about it, and its status."""
    return versions.version_of(_of_event(event))


def person_version(registration: Registration) -> str:
    """Who they are, what they answered and where they stand."""
    return versions.version_of(_of_person(registration))


def question_version(question: Question, asked: Sequence[Question]) -> str:
    """Its words, and the order of all that are asked."""
    return versions.version_of(_of_question(question, asked))


def picture_version(picture: Picture | None) -> str:
    """The file and what it is said to show."""
    return versions.version_of(_of_picture(picture))


def calendar_version(calendar: FollowedCalendar) -> str:
    """Where it is read from, and whether it is paused."""
    return versions.version_of(_of_calendar(calendar))


def check_event(event: Event) -> None:
    """The event is locked. Raises: versions.ChangedMeanwhileError, as all of these."""
    values = _of_event(event)
    _check(values, {name: (words.label(name), words.value(_plain(values[name]), event)) for name in values})


def check_person(session: Session, registration_id: int) -> None:
    """Locks the registration and its event. Raises: NotFound."""
    if versions.is_sent():
        event, registration = changes.load(session, registration_id)
        _check_person(event, registration, request.form[versions.VERSION])


def check_people(session: Session, event_id: int, registration_ids: Iterable[int]) -> None:
    """The same of several people of this event, each with a version of its own; those of others are passed over."""
    differences, fields = [], {}
    for number in registration_ids:
        field, known = f"{versions.VERSION}-{number}", registrations.by_id(session, number)
        if field not in request.form or known is None or known.event_id != event_id:
            continue
        event, registration = changes.load(session, number)
        fields[field] = person_version(registration)
        try:
            _check_person(event, registration, request.form[field])
        except versions.ChangedMeanwhileError as error:
            differences += error.differences
    if differences:
        raise versions.ChangedMeanwhileError(differences, fields=fields)


def _check_person(event: Event, registration: Registration, sent: str) -> None:
    values = _of_person(registration)
    said = {name: (f"{registration.name}: {words.label(name)}", words.value(values[name], event)) for name in values}
    versions.refuse_stale_button(sent, values, said)


def check_question(session: Session, event: Event, question: Question) -> None:
    """The event is locked."""
    asked = queries.questions(session, event.id)
    values = _of_question(question, asked)
    order = " · ".join(one.label for one in asked)
    _check(
        values,
        {
            "label": (words.label("label"), question.label),
            "required": (words.label("required"), words.value(question.required, event)),
            "choices": (words.label("choices"), " · ".join(question.choices.splitlines()) or _("empty")),
            "position": (_("Order of the questions"), order or _("empty")),
        },
    )


def check_picture(session: Session, event: Event, typed: str | None = None) -> None:
    """The event is locked. `typed` is what the form says the new picture shows."""
    picture = pictures.of_event(session, event.id)
    now = _("no picture") if picture is None else picture.alt_text or _("empty")
    values = _of_picture(picture)
    label = _("Picture, what it shows")
    try:
        _check(values, {"picture": (label, now), "picture_alt": (label, now)})
    except versions.ChangedMeanwhileError as error:
        error.differences = [versions.Difference(label, now, typed)]
        raise


def check_calendar(calendar: FollowedCalendar) -> None:
    """The calendar is locked."""
    values = _of_calendar(calendar)
    said = {
        "url": (_("Address of the calendar"), calendar.url),
        "title": (_("Name"), calendar.title or _("empty")),
        "paused": (_("Paused"), _("yes") if values["paused"] else _("no")),
    }
    _check(values, said)


def _check(values: Mapping[str, Any], said: Mapping[str, tuple[str, str]]) -> None:
    versions.refuse_stale_button(request.form.get(versions.VERSION), values, said)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _of_event(event: Event) -> dict[str, Any]:
    return {name: getattr(event, name) for name in EVENT}


def _of_person(registration: Registration) -> dict[str, Any]:
    return {name: getattr(registration, name) for name in PERSON}


def _of_question(question: Question, asked: Sequence[Question]) -> dict[str, Any]:
    order = ",".join(str(one.id) for one in asked)
    return {
        "label": question.label,
        "required": question.required,
        "choices": question.choices,
        "position": order,
    }


def _of_picture(picture: Picture | None) -> dict[str, Any]:
    return {"picture": picture.digest if picture else "", "picture_alt": picture.alt_text if picture else ""}


def _of_calendar(calendar: FollowedCalendar) -> dict[str, Any]:
    return {"url": calendar.url, "title": calendar.title, "paused": calendar.next_fetch_at is None}
