"""Rate limits of the public forms, and what becomes of them when the counters they share are gone."""

import logging
from pathlib import Path

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


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    "spellings",
    [
        ("amira+{}@example.org",),
        ("amira@ｅxample.org", "amira@example.org", "AMIRA@example。org"),
        ("a.mira{}@gmail.com", "amira{}+x@GoogleMail.com"),
    ],
)
def test_spellings_of_one_mailbox_count_together(make_app, make_client, make_event, spellings) -> None:
    client = make_client(make_app(RATELIMIT_ENABLED=True))
    event = make_event(capacity=None)
    codes = []
    for number in range(11):
        email = spellings[number % len(spellings)].format(number if len(spellings) == 1 else "")
        codes.append(send(client, event, email))
    assert codes == [303] * 10 + [429]


@pytest.mark.sqlite_only
def test_plus_addresses_are_people_of_their_own_all_the_same(make_app, make_client, make_event, session) -> None:
    client = make_client(make_app(RATELIMIT_ENABLED=True))
    event = make_event(capacity=None)
    assert [send(client, event, f"amira+{name}@example.org") for name in ("work", "home")] == [303, 303]
    assert session.scalar(select(func.count()).select_from(Registration)) == 2


@pytest.mark.sqlite_only
def test_refused_answers_add_no_byte_to_the_store(make_app, make_client, make_event, instance: Path) -> None:
    client = make_client(make_app(RATELIMIT_ENABLED=True))
    event = make_event(capacity=None)
    while send(client, event, "victim@example.org") == 303:
        pass
    token = dict(Page.of(client.get(f"/events/{event.slug}/rsvp")).form("rsvp").data())["csrf_token"]
    sent = {"name": "Amira", "rsvp": "yes", "party_size": "1", "csrf_token": token}
    before = {file.name: file.stat().st_size for file in instance.glob("limits.db*")}
    assert "limits.db" in before
    for number in range(100):
        client.environ_base["REMOTE_ADDR"] = f"10.0.{number}.1"
        answer = client.post(f"/events/{event.slug}/rsvp", data={**sent, "email": f"victim+{number}@example.org"})
        assert answer.status_code == 429
    assert {file.name: file.stat().st_size for file in instance.glob("limits.db*")} == before


@pytest.mark.parametrize(
    ("peer", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7:40312", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("[2001:db8:1:2::9]:443", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("64:ff9b::c000:207", "192.0.2.7"),
        ("2002:c000:207:99::1", "192.0.2.7"),
        ("", ""),
        ("unix:", "unix"),
        ("nonsense" * 100, ("nonsense" * 100)[:64]),
    ],
)
def test_network_that_a_client_counts_for(peer: str, network: str) -> None:
    assert limits.network_of(peer) == network
