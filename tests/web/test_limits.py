"""Rate limits when the counters they share are gone."""

import logging

import pytest
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


def send(client, event, email: str) -> int:
    page = Page.of(client.get(f"/events/{event.slug}/rsvp"))
    return int(page.submit(client, page.form("rsvp").set(name="Amira", email=email, rsvp="yes")).status_code)


@pytest.mark.sqlite_only
def test_a_program_that_goes_on_about_one_address_keeps_out_nobody_behind_the_same_ip(
    make_app, make_client, make_event, monkeypatch
) -> None:
    monkeypatch.setattr(limits.is_over, "__kwdefaults__", {"per_address": "3 per hour", "per_ip": "8 per hour"})
    client = make_client(make_app(RATELIMIT_ENABLED=True))
    event = make_event(capacity=None)
    assert [send(client, event, "victim@example.org") for _ in range(20)] == [303] * 3 + [429] * 17
    assert [send(client, event, f"amira{number}@example.org") for number in range(6)] == [303] * 5 + [429]
    # And the IP that has had enough uses up nobody's address.
    assert [send(client, event, "wim@example.org") for _ in range(5)] == [429] * 5
    elsewhere = make_client(client.application)
    elsewhere.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    assert send(elsewhere, event, "wim@example.org") == 303
