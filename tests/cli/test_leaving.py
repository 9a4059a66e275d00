"""`eventreg organizer disable, enable, role, remove` and `eventreg audit` as they are typed."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from eventreg.audit import Actor, AuditEntry
from eventreg.cli.audit import audit
from eventreg.cli.importing import _owner
from eventreg.cli.organizers import organizer
from eventreg.db import write_transaction
from eventreg.errors import EventRegError
from eventreg.events.models import Event
from eventreg.following.models import FollowedCalendar
from eventreg.organizers import access, leaving, service
from eventreg.organizers.models import Organizer
from eventreg.outbox.models import Message
from tests.support.factories import PASSWORD
from tests.support.html import Page

OLGA, ADA, SAM = "olga@example.org", "ada@example.org", "sam@example.org"


@pytest.fixture
def run(app: Flask) -> Callable[..., tuple[int, str]]:
    """Runs `eventreg organizer …`; (exit status, what it printed or refused)."""

    def invoke(*arguments: str) -> tuple[int, str]:
        done = app.test_cli_runner().invoke(organizer, arguments)
        said = str(done.exception) if isinstance(done.exception, EventRegError) else done.output
        return done.exit_code, said.strip()

    return invoke


def attempt(client: Any, password: str = PASSWORD) -> int:
    page = Page.of(client.get("/auth/login"))
    return int(page.submit(client, page.form("email").set(email=OLGA, password=password)).status_code)


def test_disabled_account_is_out_at_once_and_everything_of_it_is_dead(
    run: Any, olga: Any, client: Any, app: Flask, make_app: Any, make_client: Any, make_event: Any, session: Session
) -> None:
    make_event()
    elsewhere = make_client(make_app())
    elsewhere.set_cookie("session", olga.get_cookie("session").value)
    page = Page.of(client.get("/auth/reset"))
    page.submit(client, page.form("email").set(email=OLGA))
    text = session.scalars(select(Message.payload)).one()["text"]
    reset = "/auth/reset/" + text.split("/auth/reset/")[1].split()[0]
    account = session.scalars(select(Organizer)).one()
    feed = app.extensions["eventreg.links"].desk_feed(account.id, account.feed_generation)
    feed = feed.removeprefix("https://events.example.org")
    assert [one.get("/organize/").status_code for one in (olga, elsewhere)] == [200, 200]
    assert (client.get(reset).status_code, client.get(feed).status_code) == (200, 200)

    assert run("disable", "OLGA@example.org") == (
        0,
        (
            "Disabled olga@example.org: signed out everywhere.\n"
            "Its events are still there: 1. `eventreg organizer remove olga@example.org --to EMAIL` moves them."
        ),
    )
    assert [one.get("/organize/").status_code for one in (olga, elsewhere)] == [302, 302]
    assert attempt(client) == 200
    assert (client.get(reset).status_code, client.get(feed).status_code) == (302, 404)
    page = Page.of(client.get("/auth/reset"))
    page.submit(client, page.form("email").set(email=OLGA))
    assert session.scalar(select(func.count()).select_from(Message)) == 1, "no second mail"
    with pytest.raises(EventRegError):
        _owner(OLGA)

    assert run("enable", OLGA) == (0, "Enabled olga@example.org, with the password it had.")
    assert olga.get("/organize/").status_code == 302
    assert (client.get(reset).status_code, client.get(feed).status_code) == (302, 404)
    assert attempt(client) == 302


@pytest.mark.parametrize("command", [("disable",), ("role", "organizer"), ("remove", "--to", SAM)])
def test_last_administrator_stays(run: Any, make_organizer: Any, session: Session, command: tuple[str, ...]) -> None:
    make_organizer(email=ADA, role="admin")
    make_organizer(email="gone@example.org", role="admin").active = False
    make_organizer(email=SAM)
    session.commit()
    name, *rest = command
    status, said = run(name, ADA, *rest)
    assert status == 1
    assert said.startswith("ada@example.org is the only administrator who can sign in. Make another one first:")
    assert run("role", SAM, "admin") == (0, "sam@example.org has the role admin.")
    assert run(name, ADA, *rest)[0] == 0
    session.rollback()
    assert access.role_of(session.scalars(select(Organizer).where(Organizer.email == SAM)).one()) == "admin"


def test_role_takes_effect_on_the_next_request(run: Any, olga: Any, make_event: Any) -> None:
    event = make_event()
    run("role", OLGA, "door")
    assert olga.get(f"/organize/events/{event.slug}/edit").status_code == 403


def test_removed_account_hands_over_its_events_and_leaves_its_trail(
    run: Any, olga: Any, make_event: Any, make_organizer: Any, session: Session, now: datetime
) -> None:
    event = make_event(contact_email="Olga@example.org")
    leaver = session.scalars(select(Organizer)).one()
    session.add(FollowedCalendar(url="https://example.org/c.ics", organizer_id=leaver.id, created_at=now))
    sam = make_organizer(email=SAM)
    make_organizer(email="dora@example.org", role="door")
    status, said = run("remove", OLGA)
    assert status == 1
    assert said.startswith("olga@example.org has 1 events and 1 followed calendars. Name the account")
    for unfit in (OLGA, "dora@example.org"):
        assert run("remove", OLGA, "--to", unfit)[0] == 1
    assert run("remove", OLGA, "--to", "never@example.org") == (1, "There is no account for never@example.org.")
    assert run("remove", OLGA, "--to", SAM) == (
        0,
        "Removed olga@example.org.\nsam@example.org took over 1 events, 1 followed calendars.",
    )
    assert olga.get("/organize/").status_code == 302
    session.expire_all()
    assert session.scalars(select(Event.organizer_id)).all() == [sam.id]
    assert session.scalars(select(FollowedCalendar.organizer_id)).all() == [sam.id]
    assert session.get_one(Event, event.id).contact_email == ""
    assert service.find(session, OLGA) is None
    assert list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id))) == [
        "organizer.signed_in",
        "event.handed_over",
        "organizer.removed",
    ]
    assert run("remove", OLGA) == (1, "There is no account for olga@example.org.")


def test_mail_about_events_goes_to_no_disabled_account(make_organizer: Any, session: Session, now: datetime) -> None:
    owner, boss = make_organizer(), make_organizer(email=ADA, role="admin")
    asked = {"contact": "", "organizer_id": owner.id}
    assert leaving.mailed_about(session, **asked) == OLGA
    assert leaving.mailed_about(session, **{**asked, "contact": "desk@example.org"}) == "desk@example.org"
    owner.active = False
    session.flush()
    assert leaving.mailed_about(session, **asked) == ADA
    assert leaving.mailed_about(session, **{**asked, "contact": "OLGA@example.org"}) == ADA
    boss.active = False
    session.flush()
    assert leaving.mailed_about(session, **asked) == ""


def test_new_account_does_not_open_the_feed_of_a_removed_one(app: Flask, session: Session, now: datetime) -> None:
    generations = set()
    for _ in range(3):
        with write_transaction(session):
            made = service.add(session, email=OLGA, password=PASSWORD, now=now)
            generations.add(made.feed_generation)
        with write_transaction(session):
            leaving.remove(session, organizer=service.known(session, OLGA), actor=Actor.system(), now=now)
    assert len(generations) == 3


def test_audit_shows_who_did_what_with_filters(
    app: Flask,
    olga: Any,
    make_organizer: Any,
    make_client: Any,
    sign_in: Any,
    run: Any,
    session: Session,
    now: datetime,
) -> None:
    make_organizer(email=SAM, name="Sam")
    sign_in(make_client(), SAM)
    run("disable", OLGA)

    def lines(*arguments: str) -> list[list[str]]:
        done = app.test_cli_runner().invoke(audit, arguments)
        assert done.exit_code == 0, done.output
        return [line.split("\t") for line in done.output.splitlines()]

    everything = lines()
    assert [line[2] for line in everything] == ["organizer.signed_in"] * 2 + ["organizer.disabled"]
    assert everything[0][0] == f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    assert [line[1] for line in everything] == ["organizer Olga Ortega", "organizer Sam", "system eventreg organizer"]
    assert [line[2] for line in lines("--who", "Olga@Example.org")] == ["organizer.signed_in", "organizer.disabled"]
    assert [line[2] for line in lines("--who", "never@example.org")] == []
    assert [line[2] for line in lines("--action", "disab")] == ["organizer.disabled"]
    assert lines("--limit", "1") == everything[-1:]
    assert lines("--since", "2026-10-06", "--action", "signed_in") == []
    assert len(lines("--since", "2026-10-05T16:00")) == 3
    assert app.test_cli_runner().invoke(audit, ["--since", "soon"]).exit_code == 2


def test_unknown_account_is_said_in_one_line(run: Any) -> None:
    for command in (("disable",), ("enable",), ("role", "admin"), ("remove",)):
        name, *rest = command
        assert run(name, "never@example.org", *rest) == (1, "There is no account for never@example.org.")
    assert run("role", OLGA, "queen")[0] == 2
