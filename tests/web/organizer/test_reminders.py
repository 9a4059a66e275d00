"""Reminders at the desk: chosen on the form, told on the overview."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from eventreg.events.models import Event
from tests.conftest import Clock
from tests.support.html import Page

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"remind_at": DAY}, "Reminders go out on Tuesday, October 6, 2026, 12:00 PM EDT."),
        ({"remind_at": -DAY}, "Reminders go out now."),
        ({"reminded_at": -DAY}, "Reminders went out on Sunday, October 4, 2026, 12:00 PM EDT."),
        ({}, "No reminders: their hour had passed."),
        ({"status": "draft"}, "Reminders go out on Tuesday, November 3, 2026, 11:00 AM EST."),
        ({"status": "cancelled"}, None),
        ({"reminder_hours": None}, None),
    ],
)
@pytest.mark.sqlite_only
def test_the_overview_says_when_people_are_reminded(
    olga: FlaskClient, clock: Clock, make_event: Callable[..., Event], given: dict[str, Any], words: str | None
) -> None:
    given = {name: clock.now + value if isinstance(value, timedelta) else value for name, value in given.items()}
    event = make_event(**given)
    text = Page.of(olga.get(f"/organize/events/{event.slug}")).text
    assert (words in text) if words else ("Reminders" not in text)


@pytest.mark.parametrize(
    ("posted", "hours"), [("2", 2), ("", None), (None, 24)], ids=["two hours", "emptied", "left out by a script"]
)
@pytest.mark.sqlite_only
def test_the_form_sets_the_hours_and_a_script_that_does_not_know_them_changes_nothing(
    olga: FlaskClient, session: Session, clock: Clock, make_event: Callable[..., Event], posted: str, hours: int | None
) -> None:
    event = make_event()
    page = Page.of(olga.get(f"/organize/events/{event.slug}/edit"))
    form = page.form("title", "reminder_hours")
    data = dict(form.data())
    assert data.pop("reminder_hours") == "24"
    if posted is not None:
        data["reminder_hours"] = posted
    assert olga.post(f"/organize/events/{event.slug}/edit", data={**data, "action": "save"}).status_code == 302
    assert session.get_one(Event, event.id, populate_existing=True).reminder_hours == hours


@pytest.mark.parametrize("posted", ["0", "721", "soon", "-3", "1.5"])
@pytest.mark.sqlite_only
def test_hours_that_make_no_sense_are_refused_at_the_field(
    olga: FlaskClient, session: Session, make_event: Callable[..., Event], posted: str
) -> None:
    event = make_event()
    page = Page.of(olga.get(f"/organize/events/{event.slug}/edit"))
    form = page.form("title", "reminder_hours").set(reminder_hours=posted)
    response = page.submit(olga, form)
    assert response.status_code in {400, 422}
    assert session.get_one(Event, event.id, populate_existing=True).reminder_hours == 24
