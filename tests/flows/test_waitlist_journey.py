"""J2: a full event of four, a party that leaves, two that wait."""

import contextvars
from datetime import timedelta

import sqlalchemy as sa

from eventreg import jobs
from eventreg.audit import AuditEntry
from eventreg.db import db
from tests.flows.test_rsvp_journey import manage_path, rsvp, standing
from tests.support.html import Page


def cancel(client, path: str) -> Page:
    page = Page.of(client.get(path))
    return Page.of(page.submit(client, page.form(action="/cancel"), follow_redirects=True))


def test_seats_that_are_freed_go_to_whoever_waited_longest(client, session, make_event, post, olga) -> None:
    event = make_event(capacity=4)
    slug = event.slug
    for name, size in (("wim", "2"), ("amira", "2")):
        rsvp(client, slug, name=name, email=f"{name}@example.org", rsvp="yes", party_size=size)
    b = Page.of(rsvp(client, slug, name="B", email="b@example.org", rsvp="yes", party_size="1"))
    c = Page.of(rsvp(client, slug, name="C", email="c@example.org", rsvp="yes", party_size="2"))
    assert "number 1 in line" in b.text
    assert "party of 2, number 2 in line" in c.text
    links = {mail["To"].addresses[0].addr_spec: manage_path(mail) for mail in post()}
    assert sorted(links) == ["amira@example.org", "b@example.org", "c@example.org", "wim@example.org"]
    assert [part.get_content_type() for mail in post()[2:] for part in mail.walk() if "calendar" in str(part)] == []

    for path in links.values():  # a scanner looks at every link
        for method in ("GET", "HEAD"):
            assert client.open(path, method=method).status_code == 200
    assert [row[2] for row in standing(session)] == ["confirmed", "confirmed", "waitlisted", "waitlisted"]

    assert "You are not attending." in cancel(client, links["amira@example.org"]).text
    assert standing(session) == [
        ("wim@example.org", "yes", "confirmed", 2),
        ("amira@example.org", "yes", "cancelled", 2),
        ("b@example.org", "yes", "confirmed", 1),
        ("c@example.org", "yes", "waitlisted", 2),
    ]
    new = post()[4:]
    assert sorted(mail["To"].addresses[0].addr_spec for mail in new) == ["amira@example.org", "b@example.org"]
    assert "number 1 in line" in Page.of(client.get(links["c@example.org"])).text

    # She comes back: one place is left for two, so she is told, and goes to the end of the line when she says so.
    page = Page.of(client.get(f"/events/{slug}/rsvp"))
    form = page.form("rsvp").set(name="amira", email="amira@example.org", rsvp="yes", party_size="2")
    refused = Page.of(page.submit(client, form))
    again = refused.submit(client, refused.form("rsvp").set(join_waitlist="y"), follow_redirects=True)
    assert "party of 2, number 2 in line" in Page.of(again).text
    cancel(client, links["c@example.org"])
    assert [row[:3:2] for row in standing(session)[2:]] == [
        ("b@example.org", "confirmed"),
        ("c@example.org", "cancelled"),
        ("amira@example.org", "waitlisted"),
    ]

    actions = session.scalars(sa.select(AuditEntry.action).where(AuditEntry.event_id == event.id)).all()
    assert {"registration.cancelled", "registration.promoted"} <= set(actions)
    history = Page.of(olga.get(f"/organize/events/{slug}/history"))
    assert "amira" in history.text


def test_offered_place_is_let_pass_by_one_and_accepted_by_the_next(
    client, session, app, make_event, post, clock
) -> None:
    event = make_event(capacity=1, offer_hours=24)
    slug = event.slug
    for name in ("amira", "b", "c"):
        rsvp(client, slug, name=name, email=f"{name}@example.org", rsvp="yes", party_size="1")
    links = {mail["To"].addresses[0].addr_spec: manage_path(mail) for mail in post()}
    cancel(client, links["amira@example.org"])
    offered = {mail["To"].addresses[0].addr_spec: mail for mail in post()[3:]}["b@example.org"]
    assert offered["Subject"] == "A place is yours if you accept it: A day of reflection"
    assert [part.get_content_type() for part in offered.walk() if "calendar" in part.get_content_type()] == []
    assert "number 1 in line" in Page.of(client.get(links["c@example.org"])).text
    assert "Every place is taken" in Page.of(client.get(f"/events/{slug}/rsvp")).text

    clock.now += timedelta(hours=24)
    look(app, clock)
    told = post()[5:]
    assert [(mail["To"].addresses[0].addr_spec, mail["Subject"]) for mail in told] == [
        ("b@example.org", "The offered place has gone to the next in line: A day of reflection"),
        ("c@example.org", "A place is yours if you accept it: A day of reflection"),
    ]
    page = Page.of(client.get(manage_path(told[1])))
    accepted = page.submit(client, page.form(action="/accept"), follow_redirects=True)
    assert "Accepted. You are coming." in Page.of(accepted).text
    confirmation = post()[-1]
    assert confirmation["Subject"] == "You are coming: A day of reflection"
    assert "text/calendar" in [part.get_content_type() for part in confirmation.walk()]
    assert [row[0::2] for row in standing(session)] == [
        ("amira@example.org", "cancelled"),
        ("b@example.org", "cancelled"),
        ("c@example.org", "confirmed"),
    ]

    back = Page.of(client.get(manage_path(told[0])))
    assert "Register again" in back.text
    rsvp(client, slug, name="b", email="b@example.org", rsvp="yes", party_size="1")
    assert standing(session)[-1][0::2] == ("b@example.org", "waitlisted")
    clock.now += timedelta(hours=48)
    look(app, clock)
    assert standing(session)[2][0::2] == ("c@example.org", "confirmed")


def look(app, clock) -> None:
    """What the worker's clock does about offers."""
    (job,) = (one for one in jobs.JOBS if one.name == "offers")

    def run() -> None:
        with app.app_context():
            job.run(app, clock.now)
            db.session.remove()

    contextvars.Context().run(run)


def test_request_is_approved_waits_and_moves_up_without_being_approved_again(
    client, session, make_event, make_registration, post, olga
) -> None:
    event = make_event(capacity=1, needs_approval=True)
    first = make_registration(event, name="Wim", email="wim@example.org")
    slug = event.slug
    asked = Page.of(rsvp(client, slug, name="Amira", email="amira@example.org", rsvp="yes", party_size="1"))
    assert "You have asked to come. An organizer decides." in asked.text
    pending = post()[-1]
    assert pending["Subject"] == "You have asked to come: A day of reflection"
    assert "text/calendar" not in [part.get_content_type() for part in pending.walk()]
    page = Page.of(olga.get(f"/organize/events/{slug}/attendees/{first.id + 1}"))
    page.submit(olga, page.form(action="/approve"))
    assert post()[-1]["Subject"] == "You are on the waitlist: A day of reflection"
    page = Page.of(olga.get(f"/organize/events/{slug}/attendees/{first.id}"))
    page.submit(olga, page.form(action="/cancel"))
    moved = post()[-1]
    assert moved["Subject"] == "You moved up from the waitlist: A day of reflection"
    assert "text/calendar" in [part.get_content_type() for part in moved.walk()]
    assert standing(session)[-1] == ("amira@example.org", "yes", "confirmed", 1)
