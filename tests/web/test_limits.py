"""Rate limits when the counters they share are gone."""

import logging

from sqlalchemy import func, select

from eventreg.registrations.models import Registration
from eventreg.web import limits
from tests.support.html import Page

NOBODY_LISTENS = "redis://127.0.0.1:1/0"


def test_answers_are_taken_and_still_counted_when_redis_is_gone(
    make_app, make_client, make_event, session, caplog
) -> None:
    client = make_client(make_app(RATELIMIT_ENABLED=True, REDIS_URL=NOBODY_LISTENS))
    event = make_event(capacity=None)
    limits._here.storage.reset()
    statuses = []
    with caplog.at_level(logging.WARNING, logger="eventreg.web.limits"):
        for _number in range(11):
            page = Page.of(client.get(f"/events/{event.slug}/rsvp"))
            form = page.form("rsvp").set(name="Amira", email="amira@example.org", rsvp="yes")
            statuses.append(page.submit(client, form).status_code)
    assert statuses == [303] * 10 + [429]
    assert session.scalar(select(func.count()).select_from(Registration)) == 1
    assert "The shared counters do not answer" in caplog.text
