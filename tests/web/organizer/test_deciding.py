"""At the desk: who waits for approval, deciding on one and on several, and who has been offered a place."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from eventreg.events.models import Event
from eventreg.registrations.models import Registration
from tests.support.html import Page


@pytest.fixture
def event(make_event: Any, make_registration: Any) -> Event:
    """One place, and two who ask for it."""
    made: Event = make_event(capacity=1, needs_approval=True)
    for name in ("Amira", "Wim"):
        make_registration(made, name=name, email=f"{name.lower()}@example.org", status="pending")
    return made


def statuses(session: Session) -> list[str]:
    session.expire_all()
    return list(session.scalars(select(Registration.status).order_by(Registration.id)))


def decide(client: Any, slug: str, decision: str, *ids: object) -> Page:
    """Ticks and presses: the boxes belong to the form by its id, outside of it."""
    page = Page.of(client.get(f"/organize/events/{slug}/attendees?status=pending"))
    token = dict(page.form(action="/decide").data())["csrf_token"]
    data = {"csrf_token": token, "decision": decision, "registration": [str(one) for one in ids]}
    response = client.post(f"/organize/events/{slug}/attendees/decide", data=data, follow_redirects=True)
    assert response.status_code == 200
    return Page.of(response)


def test_desk_shows_how_many_wait_for_approval(olga: Any, event: Event) -> None:
    assert "2 people wait for your approval" in Page.of(olga.get("/organize/")).text
    overview = olga.get(f"/organize/events/{event.slug}").text
    assert f"/organize/events/{event.slug}/attendees?status=pending" in overview
    listed = olga.get(f"/organize/events/{event.slug}/attendees?status=pending").text
    assert listed.count('type="checkbox" name="registration"') == 2


def test_several_are_approved_at_once_in_order_of_arrival(olga: Any, event: Event, session: Session) -> None:
    said = decide(olga, event.slug, "approve", 2, 1)
    assert "1 registration is approved. 1 is approved and waits for a place." in said.text
    assert statuses(session) == ["confirmed", "waitlisted"]


def test_several_are_declined_at_once(olga: Any, event: Event, session: Session) -> None:
    assert "2 registrations are not approved." in decide(olga, event.slug, "decline", 1, 2).text
    assert statuses(session) == ["cancelled", "cancelled"]


@pytest.mark.parametrize("ids", [(), ("x",), ("9" * 40,), ("0" * 12 + "9" * 12,), (-1,)])
def test_nobody_ticked_decides_nothing(olga: Any, event: Event, session: Session, ids: tuple[object, ...]) -> None:
    assert "Nobody was ticked, so nothing was decided." in decide(olga, event.slug, "approve", *ids).text
    assert statuses(session) == ["pending", "pending"]


@pytest.mark.parametrize(
    ("action", "status", "words"),
    [("approve", "confirmed", "Approved. 1 mail"), ("decline", "cancelled", "Not approved. 1 mail")],
)
def test_one_is_decided_on_their_page(
    olga: Any, event: Event, session: Session, action: str, status: str, words: str
) -> None:
    page = Page.of(olga.get(f"/organize/events/{event.slug}/attendees/1"))
    done = Page.of(page.submit(olga, page.form(action=f"/{action}"), follow_redirects=True))
    assert words in done.text
    assert statuses(session) == [status, "pending"]
    again = olga.post(
        f"/organize/events/{event.slug}/attendees/1/{action}",
        data={"csrf_token": dict(page.form(action=f"/{action}").data())["csrf_token"]},
        follow_redirects=True,
    )
    assert "This registration does not wait for approval any more." in Page.of(again).text


def test_approved_party_that_does_not_fit_is_said_to_wait(
    olga: Any, event: Event, session: Session, make_registration: Any
) -> None:
    make_registration(event, name="Coming", email="c@example.org")
    page = Page.of(olga.get(f"/organize/events/{event.slug}/attendees/1"))
    done = Page.of(page.submit(olga, page.form(action="/approve"), follow_redirects=True))
    assert "Approved. The party does not fit into the free places, so it is on the waitlist." in done.text
    assert statuses(session)[0] == "waitlisted"


def test_organizer_of_another_event_decides_nothing(
    make_organizer: Any, make_client: Any, sign_in: Any, event: Event, session: Session
) -> None:
    make_organizer("oskar@example.org", name="Oskar")
    stranger = make_client()
    sign_in(stranger, "oskar@example.org")
    for path in ("attendees/decide", "attendees/1/approve", "attendees/1/decline"):
        assert stranger.post(f"/organize/events/{event.slug}/{path}").status_code in {400, 403, 404}
    assert statuses(session) == ["pending", "pending"]


def test_list_and_page_say_until_when_a_place_is_offered(
    olga: Any, make_event: Any, make_registration: Any, session: Session, now: Any
) -> None:
    event = make_event(capacity=2, offer_hours=24)
    offered = make_registration(event, status="waitlisted", offer_expires_at=now + timedelta(hours=24))
    make_registration(event, name="Wim", email="wim@example.org")
    overview = Page.of(olga.get(f"/organize/events/{event.slug}")).text
    assert "1 / 2 Attending" in overview
    assert "1 Offered a place" in overview
    listed = Page.of(olga.get(f"/organize/events/{event.slug}/attendees?status=offered")).text
    assert "Offered a place until Tue, Oct 6, 12:00 PM EDT" in listed
    assert "Wim" not in listed
    page = Page.of(olga.get(f"/organize/events/{event.slug}/attendees/{offered.id}"))
    assert "Tuesday, October 6, 2026, 12:00 PM EDT" in page.text
    page.submit(olga, page.form(action="/promote"))
    assert (statuses(session), session.get(Event, event.id).seats_taken) == (["confirmed", "confirmed"], 2)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [({"offer_hours": "48", "needs_approval": "y"}, (48, True)), ({}, (None, False))],
)
def test_form_sets_offers_and_approval_and_a_copy_keeps_them(
    olga: Any, session: Session, typed: dict[str, str], stored: tuple[int | None, bool]
) -> None:
    page = Page.of(olga.get("/organize/events/new"))
    page.submit(olga, page.form("title", "starts_at").set(title="Tea", **typed))
    event = session.scalars(select(Event)).one()
    assert (event.offer_hours, event.needs_approval) == stored
    overview = Page.of(olga.get(f"/organize/events/{event.slug}"))
    overview.submit(olga, overview.form(action="/duplicate"))
    copy = session.scalars(select(Event).order_by(Event.id.desc()).limit(1)).one()
    assert (copy.id != event.id, copy.offer_hours, copy.needs_approval) == (True, *stored)


def test_script_that_knows_neither_leaves_both_as_they_are(olga: Any, make_event: Any, session: Session) -> None:
    event = make_event(offer_hours=48, needs_approval=True)
    path = f"/organize/events/{event.slug}/edit"
    token = dict(Page.of(olga.get(path)).form("title", "starts_at").data())["csrf_token"]
    data = {"csrf_token": token, "title": "New", "starts_at": "2026-12-01T15:00", "ends_at": "2026-12-01T16:00"}
    assert olga.post(path, data=data).status_code == 302
    session.expire_all()
    kept = session.get(Event, event.id)
    assert (kept.title, kept.offer_hours, kept.needs_approval) == ("New", 48, True)


@pytest.mark.parametrize("hours", ["0", "337", "-3", "soon"])
def test_hours_beyond_two_weeks_are_refused_at_their_field(olga: Any, session: Session, hours: str) -> None:
    page = Page.of(olga.get("/organize/events/new"))
    refused = page.submit(olga, page.form("title", "starts_at").set(title="Tea", offer_hours=hours))
    words = "Write a whole number, like 2." if hours == "soon" else "Write a number from 1 to 336."
    assert (refused.status_code, words in Page.of(refused).text) == (422, True)
    assert session.scalars(select(Event)).all() == []


def test_change_of_the_rules_is_told_in_the_history(olga: Any, make_event: Any) -> None:
    event = make_event()
    page = Page.of(olga.get(f"/organize/events/{event.slug}/edit"))
    page.submit(olga, page.form("title", "starts_at").set(offer_hours="24", needs_approval="y"))
    history = Page.of(olga.get(f"/organize/events/{event.slug}/history")).text
    assert "Hours to accept an offered place: empty → 24" in history
    assert "Approval by an organizer: no → yes" in history
