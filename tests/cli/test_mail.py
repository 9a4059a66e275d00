import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy.orm import Session

from eventreg import clock
from eventreg.cli.mail import mail
from eventreg.db import write_transaction
from eventreg.mail import kept
from eventreg.outbox import queue
from eventreg.outbox.backoff import Failure, Trouble
from tests.support.letters import read
from tests.support.outbox import owe, states
from tests.support.smtp import SmtpServer, settings_for

MakeApp = Callable[..., Flask]


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(mail, arguments)


def test_status_says_how_much_waits_and_why(app: Flask, session: Session, now: datetime, instance: Path) -> None:
    for _ in range(3):
        owe(session, now=now)
    with write_transaction(session):
        (claimed,) = queue.claim(session, limit=1, now=now)
        queue.mark_retry(session, message=claimed, failure=Failure(Trouble.REJECTED, "550 5.1.1 No"), now=now)
    assert run(app, "status").output == (
        f"No mail server is set. Mail is kept in {instance / 'mail'}.\n"
        "queued          2\nsending         0\nsent            0\n"
        "retrying        0\nfailed          1\naborted         0\n"
        "2 queued, oldest 2026-10-05 16:00 UTC: not tried yet\n"
        "1 failed, oldest 2026-10-05 16:00 UTC: 550 5.1.1 No\n"
        "The words of finished mails are forgotten after 90 days; kept files go with them.\n"
    )


def test_status_names_the_server(make_app: MakeApp, smtp_server: SmtpServer) -> None:
    output = run(make_app(**settings_for(smtp_server)), "status").output
    assert output.splitlines()[0] == f"Mail leaves through 127.0.0.1:{smtp_server.port}."


@pytest.mark.sqlite_only
def test_test_sends_at_once_and_quotes_the_server(make_app: MakeApp, smtp_server: SmtpServer) -> None:
    result = run(make_app(**settings_for(smtp_server)), "test", "olga@example.org")
    assert (result.exit_code, result.output) == (0, "250 OK\n")
    (sent,) = smtp_server.messages
    assert (sent["To"], sent["Subject"]) == ("olga@example.org", "Test mail from Community events")


@pytest.mark.sqlite_only
def test_test_without_a_server_says_where_the_mail_is_kept(app: Flask, instance: Path) -> None:
    result = run(app, "test", "olga@example.org")
    (name,) = kept.names(instance / "mail")
    assert (result.exit_code, result.output) == (0, f"Kept in {instance / 'mail' / name}\n")
    assert read((instance / "mail" / name).read_bytes())["To"] == "olga@example.org"


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        ("stop", "Connection refused"),
        ("stall", "did not answer within 0.3 seconds"),
        ("refuse", "550 5.7.1 Not from you"),
    ],
)
def test_test_fails_with_the_servers_own_words(
    make_app: MakeApp, smtp_server: SmtpServer, behaviour: str, words: str
) -> None:
    if behaviour == "refuse":
        smtp_server.refused = {"olga@example.org": "550 5.7.1 Not from you"}
    else:
        getattr(smtp_server, behaviour)()
    result = run(make_app(**settings_for(smtp_server) | {"MAIL_TIMEOUT": 0.3}), "test", "olga@example.org")
    assert result.exit_code == 1
    assert re.search(f"not taken by 127.0.0.1:{smtp_server.port}: .*{re.escape(words)}", str(result.exception))


@pytest.mark.sqlite_only
@pytest.mark.parametrize("address", ["olga", "olga@", "olga@example.org\nBcc: all@example.org", ""])
def test_test_refuses_what_is_no_address(app: Flask, instance: Path, address: str) -> None:
    result = run(app, "test", address)
    assert result.exit_code == 1
    assert "is not an e-mail address" in str(result.exception)
    assert kept.names(instance / "mail") == []


def test_retry_makes_what_failed_due_again(app: Flask, session: Session) -> None:
    now = clock.now()
    owe(session, now=now)
    with write_transaction(session):
        (claimed,) = queue.claim(session, limit=1, now=now)
        queue.mark_retry(session, message=claimed, failure=Failure(Trouble.REJECTED, "550 5.1.1 No"), now=now)
    assert run(app, "retry").output == "1 to be tried again.\n"
    assert states(session) == [("test", "queued")]


@pytest.mark.sqlite_only
def test_sender_with_an_international_host_sends_mail_with_an_ascii_header(
    make_app: MakeApp, smtp_server: SmtpServer
) -> None:
    """Addresses of every kind: sender, contact, mailbox for answers, recipient."""
    app = make_app(
        **settings_for(smtp_server)
        | {
            "BASE_URL": "https://bücher.example",
            "SITE_NAME": "Bücher",
            "MAIL_DEFAULT_SENDER": "events@bücher.example",
            "CONTACT_EMAIL": "Hilfe <hilfe@bücher.example>",
            "REPLY_ADDRESS": "rsvp@bücher.example",
        }
    )
    result = run(app, "test", "zoe@bücher.example")
    assert (result.exit_code, result.output) == (0, "250 OK\n")
    (sent,) = smtp_server.messages
    header = sent.as_bytes().partition(b"\n\n")[0]
    assert header.isascii()
    assert (sent["From"], sent["To"], sent["Reply-To"]) == (
        "Bücher <events@xn--bcher-kva.example>",
        "zoe@xn--bcher-kva.example",
        "hilfe@xn--bcher-kva.example",
    )
    assert smtp_server.recipients == [["zoe@xn--bcher-kva.example"]]
