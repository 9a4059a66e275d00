"""`eventreg organizer …` as it is typed."""

from typing import Any

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from eventreg.cli.organizers import organizer
from eventreg.organizers.models import Organizer
from eventreg.outbox.models import Message

PASSWORD = "correct horse battery"


def run(app: Flask, *arguments: str, input: str | None = None) -> Any:  # noqa: A002 - click's own name
    return app.test_cli_runner().invoke(organizer, arguments, input=input)


def test_add_reads_the_password_from_a_pipe_and_says_what_it_made(app: Flask, session: Session) -> None:
    result = run(
        app, "add", "Olga@example.org", "--name", "Olga", "--role", "admin", "--password-stdin", input=PASSWORD + "\n"
    )
    assert (result.exit_code, result.output) == (0, "Added olga@example.org with the role admin.\n")
    assert session.scalars(select(Organizer.name)).one() == "Olga"
    listed = run(app, "list")
    assert listed.output == "olga@example.org\tadmin\tno codes\tOlga\n"


def test_add_refuses_an_account_that_exists_and_a_weak_password(app: Flask, session: Session) -> None:
    run(app, "add", "olga@example.org", "--password-stdin", input=PASSWORD)
    again = run(app, "add", "olga@example.org", "--password-stdin", input=PASSWORD)
    assert again.exit_code == 1
    assert str(again.exception) == "There is already an account for olga@example.org."
    weak = run(app, "add", "wim@example.org", "--password-stdin", input="short")
    assert weak.exit_code == 1
    assert str(weak.exception).startswith("A password has at least 10 characters.")
    known = run(app, "add", "wim@example.org", "--password-stdin", input="iloveyou12")
    assert known.exit_code == 1
    assert "one of the first that would be tried" in str(known.exception)
    known = run(app, "password", "olga@example.org", "--password-stdin", input="password12")
    assert known.exit_code == 1
    assert session.scalars(select(Organizer.email)).all() == ["olga@example.org"]


def test_add_without_terminal_or_pipe_is_wrong_usage(app: Flask) -> None:
    result = run(app, "add", "olga@example.org")
    assert result.exit_code == 2
    assert "Use --password-stdin." in result.output


def test_password_lets_somebody_in_again(app: Flask, session: Session) -> None:
    run(app, "add", "olga@example.org", "--password-stdin", input=PASSWORD)
    before = session.scalars(select(Organizer.password)).one()
    result = run(
        app, "password", "olga@example.org", "--password-stdin", "--forget-two-factor", input="another battery horse"
    )
    assert (result.exit_code, result.output) == (0, "olga@example.org has a new password and signs in without codes.\n")
    session.rollback()
    assert session.scalars(select(Organizer.password)).one() != before
    notice = session.scalars(select(Message)).one()
    assert (notice.recipient, notice.payload["subject"]) == ("olga@example.org", "Your password has been changed")
    assert "has just been changed" in notice.payload["text"]
