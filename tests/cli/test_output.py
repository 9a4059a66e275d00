"""Standard output on a disk that is full, as /dev/full plays it."""

import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from eventreg import clock
from eventreg.outbox.models import Message
from tests.support.live import EVENTREG, environment, run_eventreg
from tests.support.mailroom import address_of, standing
from tests.support.making import SECRET_KEY
from tests.support.replies import mailed

SAID = "eventreg: Standard output cannot be written to: No space left on device. All else was done.\n"


def on_full_disk(*arguments: str, instance: Path, unbuffered: str = "", **settings: Any) -> tuple[int, str]:
    """Exit status, and what was said on standard error."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*EVENTREG, *arguments],
            env={**environment(instance, **settings), "PYTHONUNBUFFERED": unbuffered},
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    return done.returncode, done.stderr


def test_reply_is_taken_in_once(database_url, instance, make_event, make_registration, session, tmp_path) -> None:
    event = make_event(starts_at=clock.now() + timedelta(days=30))
    amira = make_registration(event)
    file = tmp_path / "reply.eml"
    file.write_bytes(mailed("exchange", to=address_of(amira), uid=event.uid, stamp=amira.created_at))
    session.rollback()
    settings = {"DATABASE_URL": database_url, "SECRET_KEY": SECRET_KEY}

    def done() -> tuple[Any, Any]:
        session.expire_all()
        found = standing(session, event), session.execute(sa.select(Message.id, Message.kind)).all()
        session.rollback()
        return found

    assert on_full_disk("reply", "ingest", str(file), instance=instance, **settings) == (1, SAID)
    once = done()
    assert once[0] == [("amira@example.org", "no", "confirmed")]
    again = run_eventreg("reply", "ingest", str(file), instance=instance, **settings)
    assert (again.returncode, again.stdout) == (0, "ignored: mail: it was taken in before\n")
    assert done() == once


@pytest.mark.sqlite_only
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_every_command_says_so_in_one_line(
    database_url, instance, make_event, make_registration, session, unbuffered: str
) -> None:
    event = make_event()
    for number in range(200):  # more than a buffer holds
        make_registration(event, email=f"p{number}@example.org")
    session.rollback()
    commands: list[list[str]] = [
        [],  # help
        ["doctor"],  # one line, by click
        ["db", "current"],  # by Alembic, which does not flush
        ["attendees", "export", event.slug],  # as bytes
    ]
    for words in commands:
        said = on_full_disk(*words, instance=instance, unbuffered=unbuffered, DATABASE_URL=database_url)
        assert said == (1, SAID), words


@pytest.mark.sqlite_only
def test_what_is_refused_is_still_said_alone(database_url, instance) -> None:
    status, words = on_full_disk("attendees", "export", "nope", instance=instance, DATABASE_URL=database_url)
    assert (status, len(words.splitlines())) == (1, 1)
    assert words.startswith("eventreg: There is no event “nope”")
