"""Every page of the desk opens, for whom it is meant."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from eventreg.events.models import Event
from tests.support.html import Page

PAGES = (
    "/organize/",
    "/organize/?when=past&q=day",
    "/organize/events/new",
    "/organize/events/{slug}",
    "/organize/events/{slug}/edit",
    "/organize/events/{slug}/picture",
    "/organize/events/{slug}/questions",
    "/organize/events/{slug}/questions/1",
    "/organize/events/{slug}/history",
    "/organize/events/{slug}/cancel",
    "/organize/events/{slug}/attendees",
    "/organize/events/{slug}/attendees/new",
    "/organize/events/{slug}/attendees/1",
    "/organize/events/{slug}/attendees.csv",
    "/organize/events/{slug}/attendees.json",
    "/organize/events/{slug}/attendees.xlsx",
)


@pytest.mark.parametrize("address", PAGES)
def test_page_opens_for_the_organizer_and_writes_nothing(
    olga: Any, make_event: Any, make_registration: Any, address: str, table_contents: Callable[[], Any]
) -> None:
    event = make_event()
    make_registration(event, answers={"Dietary or access needs": "no nuts"})
    before = table_contents()
    response = olga.get(address.format(slug=event.slug))
    assert response.status_code == 200
    assert table_contents() == before


@pytest.mark.parametrize("address", [page for page in PAGES if "{slug}" in page])
def test_page_of_somebody_elses_event_is_not_found(
    olga: Any, make_event: Any, make_organizer: Any, make_registration: Any, address: str
) -> None:
    sam = make_organizer(email="sam@example.org", name="Sam")
    event = make_event(organizer=sam)
    make_registration(event)
    assert olga.get(address.format(slug=event.slug)).status_code == 404
    assert olga.get(address.format(slug="never-was")).status_code == 404


@pytest.mark.parametrize("address", PAGES)
def test_page_asks_a_stranger_to_sign_in_and_comes_back(
    client: Any, make_event: Any, make_registration: Any, address: str
) -> None:
    event = make_event()
    make_registration(event)
    response = client.get(address.format(slug=event.slug))
    assert response.status_code == 302
    assert response.location.startswith("/auth/login?next=%2Forganize%2F") or response.location.startswith(
        "/auth/login?next=/organize/"
    )


@pytest.mark.parametrize("address", [page for page in PAGES if page != "/organize/" and "when=" not in page])
def test_page_refuses_a_door_helper(
    client: Any, make_event: Any, make_organizer: Any, make_registration: Any, sign_in: Any, address: str
) -> None:
    make_registration(make_event())
    make_organizer(email="dora@example.org", role="door")
    sign_in(client, "dora@example.org")
    response = client.get(address.format(slug="a-day-of-reflection"))
    assert response.status_code == (200 if address.endswith("/attendees") else 403)


def test_door_helper_sees_names_and_party_sizes_and_nothing_else(
    client: Any, make_event: Any, make_organizer: Any, make_registration: Any, sign_in: Any
) -> None:
    event = make_event()
    make_registration(event, party_size=3, note="late", answers={"Dietary or access needs": "no nuts"})
    make_registration(event, name="Wim", email="wim@example.org", rsvp="no")
    # Whoever has been offered a place has not said yes to it.
    make_registration(
        event,
        name="Otto",
        email="otto@example.org",
        party_size=2,
        status="waitlisted",
        offer_expires_at=event.starts_at,
    )
    make_organizer(email="dora@example.org", role="door")
    sign_in(client, "dora@example.org")
    assert event.title in Page.of(client.get("/organize/")).text
    text = Page.of(client.get(f"/organize/events/{event.slug}/attendees")).text
    assert "Amira Haddad" in text
    assert "1 registration, 3 people" in text
    for hidden in ("amira@example.org", "no nuts", "late", "Wim", "Otto"):
        assert hidden not in text


def test_admin_opens_everybodys_events(
    client: Any, make_event: Any, make_organizer: Any, sign_in: Any, session: Session
) -> None:
    event: Event = make_event()
    make_organizer(email="ada@example.org", role="admin")
    sign_in(client, "ada@example.org")
    assert event.title in Page.of(client.get("/organize/")).text
    assert client.get(f"/organize/events/{event.slug}/edit").status_code == 200
