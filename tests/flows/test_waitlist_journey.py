"""J2: a full event of four, a party that leaves, two that wait."""

import sqlalchemy as sa

from eventreg.audit import AuditEntry
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
