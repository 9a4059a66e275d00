"""A calendar file as drafts: chosen, read, and what became of each event of it."""

from typing import TYPE_CHECKING, Any

from flask import Blueprint, current_app, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField

from eventreg.db import db, write_transaction
from eventreg.events import importing
from eventreg.events.importing import Outcome
from eventreg.web.access import me, organizers_only, take_large_body
from eventreg.web.moment import request_now
from eventreg.web.organizer import actor, blueprint
from eventreg.web.security import returns_form
from eventreg.web.versions import ReturnedForm

if TYPE_CHECKING:
    from eventreg.calendar.reading import Reading

UNPROCESSABLE = 422
ROOM_FOR_THE_REST = 64 * 1024


class ImportForm(ReturnedForm):
    """A file, and whether events that are over are wanted too."""

    file = FileField(
        _l("Calendar file"),
        [FileRequired(_l("Choose a calendar file."))],
        description=_l("An .ics file of any calendar program, up to 2 MB."),
        render_kw={"accept": ".ics,.ical,.ifb,.icalendar,text/calendar"},
    )
    past = BooleanField(_l("Also events that are over"))


def _take_large_files(endpoint: str | None, _values: Any) -> None:
    """Before anything reads the form: this one address takes more than the others."""
    if endpoint == "organizer.import_events":
        from eventreg.calendar import reading  # noqa: PLC0415 - brings the libraries that read calendars of others

        take_large_body(reading.MOST_BYTES + ROOM_FOR_THE_REST)


def _register(to: Blueprint) -> None:
    to.url_value_preprocessor(_take_large_files)


_register(blueprint)


@blueprint.route("/import", methods=["GET", "POST"])
@returns_form
@organizers_only
def import_events() -> Any:
    """The form, and the report of what a file brought."""
    form = ImportForm()
    if request.method != "POST":
        return render_template("organizer/import_form.html", form=form)
    if not form.validate():
        return render_template("organizer/import_form.html", form=form), form.refused_with
    found, fault = _read(form)
    if found is None:
        form.file.errors = (fault,)
        return render_template("organizer/import_form.html", form=form), UNPROCESSABLE
    outcomes = _take(found)
    totals = importing.totals(outcomes)
    totals["skipped"] += len(found.skipped)
    return render_template(
        "organizer/import_report.html", found=found, outcomes=outcomes, totals=totals, names=kinds_of_outcome()
    )


def kinds_of_outcome() -> dict[str, str]:
    """What became of an event, in words."""
    return {
        "taken": _("New drafts"),
        "changed": _("Drafts brought up to date"),
        "unchanged": _("Unchanged"),
        "skipped": _("Skipped"),
    }


def _read(form: ImportForm) -> "tuple[Reading | None, str]":
    """What the file holds, or what is wrong with it."""
    from eventreg.calendar import reading  # noqa: PLC0415 - as above

    data = form.file.data.read(reading.MOST_BYTES + 1)
    if len(data) > reading.MOST_BYTES:
        return None, _("This file is larger than 2 MB. Export fewer events, or a shorter time.")
    found = reading.read(
        data, now=request_now(), default_timezone=current_app.config["DEFAULT_TIMEZONE"], past=form.past.data
    )
    if not found.is_calendar:
        return None, _("This is no calendar file. Choose one that ends in .ics; it begins with BEGIN:VCALENDAR.")
    if not found.items and not found.skipped:
        return None, _("This calendar file holds no event.")
    return found, ""


def _take(found: "Reading") -> list[Outcome]:
    """What became of each event, a few to a transaction."""
    owner_id, doer = me().id, actor()
    outcomes: list[Outcome] = []
    for items in importing.portions(found.items):
        with write_transaction(db.session()):
            outcomes += importing.take(
                db.session(),
                items,
                organizer_id=owner_id,
                actor=doer,
                now=request_now(),
            )
    return outcomes
