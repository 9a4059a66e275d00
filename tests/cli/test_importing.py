"""`eventreg event import` as it is typed."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from eventreg import clock
from eventreg.calendar import reading
from eventreg.cli.events import event
from eventreg.events.models import Event

DAY = clock.now() + timedelta(days=30)


def run(app: Flask, *arguments: str, **given: Any) -> Any:
    return app.test_cli_runner().invoke(event, ["import", *arguments], **given)


def entry(uid: str, title: str, *, days: int = 0, lines: str = "") -> str:
    begins = f"{DAY + timedelta(days=days):%Y%m%d}T1500Z"
    return f"BEGIN:VEVENT\nUID:{uid}\nSUMMARY:{title}\nDTSTART:{begins}\n{lines}END:VEVENT\n"


@pytest.fixture
def calendar(tmp_path: Path) -> Path:
    path = tmp_path / "talks.ics"
    body = entry("a@x", "Talk\x1b[31m one") + entry("b@x", "Old", days=-60) + "BEGIN:VTODO\nEND:VTODO\n"
    path.write_text(f"BEGIN:VCALENDAR\n{body}END:VCALENDAR\n")
    return path


def test_import_says_what_became_of_each(app: Flask, session: Session, calendar: Path, make_organizer) -> None:
    make_organizer("olga@example.org")
    make_organizer("ada@example.org", role="admin")
    begins = f"{DAY:%Y-%m-%d}"
    result = run(app, str(calendar))
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0].startswith(f"taken      {begins} 1")
    assert lines[0].endswith("talk-31m-one  Talk[31m one  (It names no end; it was given one hour.)")
    assert lines[1:] == [
        "skipped    line 7            Old: It is over.",
        "skipped    line 12           1 entry of the kind VTODO is no event.",
        "1 taken, 0 changed, 0 unchanged, 2 skipped. Drafts belong to ada@example.org.",
    ]
    assert run(app, str(calendar)).stdout.splitlines()[-1].startswith("0 taken, 0 changed, 1 unchanged, 2 skipped.")
    session.rollback()
    assert session.execute(select(Event.title, Event.status, Event.uid)).all() == [("Talk[31m one", "draft", "a@x")]


def test_import_from_a_pipe_for_an_organizer_with_what_is_over(
    app: Flask, session: Session, calendar: Path, make_organizer
) -> None:
    make_organizer("ada@example.org", role="admin")
    olga = make_organizer("olga@example.org").id
    result = run(app, "-", "--organizer", "Olga@example.org", "--past", input=calendar.read_bytes())
    assert result.stdout.splitlines()[-1] == (
        "2 taken, 0 changed, 0 unchanged, 1 skipped. Drafts belong to olga@example.org."
    )
    session.rollback()
    assert session.scalars(select(Event.organizer_id)).all() == [olga, olga]


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is no iCalendar file"),
        (b"\x89PNG\r\n\x1a\n", "is no iCalendar file"),
        (b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "holds no event"),
        (b"BEGIN:VCALENDAR\r\n" + b" " * reading.MOST_BYTES, "is larger than 2 MB"),
    ],
)
def test_import_of_what_holds_nothing_is_refused(
    app: Flask, tmp_path: Path, make_organizer, content: bytes, words: str
) -> None:
    make_organizer()
    path = tmp_path / "x.ics"
    path.write_bytes(content)
    result = run(app, str(path))
    assert (result.exit_code, result.output) == (1, "")
    assert f"{path} {words}" in str(result.exception)


@pytest.mark.sqlite_only
def test_import_for_nobody_is_refused(app: Flask, calendar: Path, make_organizer) -> None:
    assert "Add one: eventreg organizer add EMAIL" in str(run(app, str(calendar)).exception)
    make_organizer("door@example.org", role="door")
    for address in ("door@example.org", "nobody@example.org"):
        refused = run(app, str(calendar), "--organizer", address)
        assert f"{address} is no account that runs events" in str(refused.exception)
