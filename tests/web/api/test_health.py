"""Whether a host can take visitors, before, during and after an upgrade of the database."""

from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from eventreg.cli.starting import refuse_older_schema
from eventreg.db import write_transaction
from eventreg.errors import EventRegError
from eventreg.migrations import head_revision
from eventreg.outbox import heartbeat

OK = {"database": "ok", "migrations": "ok", "worker": "ok"}


def set_revision(session: Session, revision: str) -> None:
    with write_transaction(session):
        session.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})


@pytest.fixture(autouse=True)
def worker_seen(session: Session, now: datetime) -> None:
    with write_transaction(session):
        heartbeat.beat(session, now=now)


def test_host_with_database_and_worker_is_ready(client: FlaskClient) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok", "checks": OK})


def test_host_of_the_release_before_stays_ready_and_starts_again_after_the_upgrade(
    app: Flask, client: FlaskClient, session: Session
) -> None:
    set_revision(session, "9999")
    assert client.get("/readyz").json == {"status": "ok", "checks": OK}
    refuse_older_schema(app)


def test_host_of_the_new_release_is_not_ready_before_the_upgrade(
    app: Flask, client: FlaskClient, session: Session
) -> None:
    assert head_revision() != "0001"
    set_revision(session, "0001")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["checks"]["migrations"]) == (503, "run `eventreg db upgrade`")
    with pytest.raises(EventRegError, match="Run `eventreg db upgrade` first"):
        refuse_older_schema(app)
