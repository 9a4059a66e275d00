"""A door helper opens the lists of published events and nothing else, at every address of the desk."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from eventreg.events.models import Event
from tests.support import site
from tests.support.factories import Factory

DOOR = "/organize/events/<slug>/attendees"


@pytest.mark.parametrize("status", ["draft", "cancelled", "published"])
def test_door_helper_opens_only_the_list_of_a_published_event(
    app: Flask, client: Any, factory: Factory, sign_in: Any, session: Session, status: str
) -> None:
    built = site.build(app, factory)
    event = session.get_one(Event, built.event.id)
    event.status = status
    session.commit()
    factory.organizer(email="dora@example.org", role="door")
    sign_in(client, "dora@example.org")
    about_events = list(built.addresses("GET", lambda rule: rule.rule.startswith("/organize/events/<slug>")))
    opened = {rule.rule: client.get(address).status_code for rule, address in about_events}
    refused = 403 if status == "published" else 404
    expected = {rule.rule: refused for rule, _address in about_events}
    if status == "published":
        expected[DOOR] = 200
    assert opened == expected
