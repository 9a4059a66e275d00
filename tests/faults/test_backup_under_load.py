"""A backup taken while people register, put back elsewhere: everybody who was thanked before it began is in it."""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from eventreg import clock
from eventreg.events.models import Event
from eventreg.outbox.models import Message
from eventreg.registrations.models import Registration
from tests.support.live import LiveServer, run_eventreg
from tests.support.load import Load
from tests.support.making import SECRET_KEY


def test_a_backup_under_load_holds_every_thank_you_before_it_and_nothing_by_halves(
    make_live_server: Callable[..., LiveServer],
    session: Session,
    make_event: Callable[..., Event],
    bare_database_url: str,
    instance: Path,
) -> None:
    event = make_event(capacity=12, starts_at=clock.now() + timedelta(days=30), questions=[])
    path = f"/events/{event.slug}/rsvp"
    session.rollback()
    server = make_live_server()
    file, elsewhere = instance / "copy.tar.gz", instance / "elsewhere"
    with Load([server.base_url], path) as load:
        load.wait_for(15)
        began = time.monotonic()
        done = server.run("backup", str(file))
        assert (done.returncode, done.stderr) == (0, "")
        load.wait_for(1)
        load.stop()
    before = {one.email for one in load.promises if one.at < began}

    done = run_eventreg("restore", str(file), instance=elsewhere, DATABASE_URL=bare_database_url)
    assert (done.returncode, done.stdout) == (0, f"Restored {file}.\n")
    done = run_eventreg("doctor", instance=elsewhere, DATABASE_URL=bare_database_url)
    assert (done.returncode, done.stdout, done.stderr) == (0, "Nothing is wrong.\n", "")
    assert (elsewhere / "secret_key").read_text() == SECRET_KEY
    engine = sa.create_engine(bare_database_url)
    with Session(engine) as restored:
        rows = restored.execute(sa.select(Registration.id, Registration.email, Registration.status)).all()
        owed = set(restored.scalars(sa.select(Message.registration_id)))
    engine.dispose()
    assert before <= {row.email for row in rows}
    assert {row.id for row in rows} == owed
    assert sum(row.status == "confirmed" for row in rows) == 12
