"""A real mail server that behaves badly, and what becomes of the mail."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from flask import Flask

from eventreg.mail import deliver
from eventreg.mail.deliver import UndeliveredError
from eventreg.mail.mime import Letter
from eventreg.outbox.backoff import Failure, Trouble
from tests.support import smtp
from tests.support.smtp import SmtpServer, settings_for

pytestmark = pytest.mark.sqlite_only
NAME = "20261005T160000.000000Z-test-0af3bd550af3.eml"
MakeApp = Callable[..., Flask]


@pytest.fixture(params=[[], ["PIPELINING"]], ids=["one by one", "at once"])
def smtp_server(smtp_server: SmtpServer, request: pytest.FixtureRequest) -> SmtpServer:
    """As most servers are today, and as others are."""
    smtp_server.extensions = request.param
    return smtp_server


def letter(to: str = "amira@example.org") -> Letter:
    mail = EmailMessage(policy=policy.SMTP)
    mail["From"], mail["To"], mail["Subject"], mail["Message-ID"] = "events@example.org", to, "Hello", "<1@example.org>"
    mail.set_content(".\nA line with a dot alone comes before this one.\n")
    return Letter("Hello", "Events <events@example.org>", mail.as_bytes())


def send(app: Flask, *recipients: str) -> list[Any]:
    """The server's words or the failure, for each recipient, over one connection."""
    outcomes: list[Any] = []
    with app.app_context(), deliver.open_way(app) as way:
        for recipient in recipients or ("amira@example.org",):
            try:
                outcomes.append(way.send(letter(recipient), recipient=recipient, file_name=NAME))
            except UndeliveredError as error:
                outcomes.append(error.failure)
    return outcomes


@contextmanager
def scripted(*conversations: list[bytes], pause: float = 0) -> Iterator[int]:
    """A server that says one reply after each line it reads, byte by byte with `pause` between; then hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    smtp.ALLOWED.add(port)

    def talk() -> None:
        for replies in conversations:
            try:
                connection, _peer = listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as lines:
                try:
                    for number, reply in enumerate(replies):
                        if number and not lines.readline():
                            break
                        for byte in (reply[i : i + 1] for i in range(len(reply))) if pause else (reply,):
                            connection.sendall(byte)
                            time.sleep(pause)
                except OSError:
                    pass

    thread = threading.Thread(target=talk, daemon=True)
    thread.start()
    try:
        yield port
    finally:
        listener.close()
        smtp.ALLOWED.discard(port)
        thread.join(timeout=5)


def test_mail_arrives_as_it_was_written_and_the_servers_words_come_back(
    make_app: MakeApp, smtp_server: SmtpServer
) -> None:
    (words,) = send(make_app(**settings_for(smtp_server)))
    assert words == "250 OK"
    (mail,) = smtp_server.messages
    assert mail.get_content().replace("\r\n", "\n") == ".\nA line with a dot alone comes before this one.\n"
    assert (smtp_server.senders, smtp_server.recipients) == (["events@example.org"], [["amira@example.org"]])


def test_a_batch_uses_one_connection(make_app: MakeApp, smtp_server: SmtpServer) -> None:
    assert send(make_app(**settings_for(smtp_server)), *("amira@example.org",) * 5) == ["250 OK"] * 5
    assert smtp_server.connections == 1


def test_a_refused_recipient_fails_alone(make_app: MakeApp, smtp_server: SmtpServer) -> None:
    smtp_server.refused = {"sam@example.org": "550 5.1.1 No such mailbox", "wim@example.org": "451 4.7.1 Greylisted"}
    outcomes = send(make_app(**settings_for(smtp_server)), "sam@example.org", "wim@example.org", "amira@example.org")
    assert outcomes == [
        Failure(Trouble.REJECTED, "550 5.1.1 No such mailbox"),
        Failure(Trouble.LATER, "451 4.7.1 Greylisted"),
        "250 OK",
    ]
    assert smtp_server.connections == 1


@pytest.mark.parametrize(
    ("reply", "trouble"),
    [
        ("451 4.3.0 Try again", Trouble.LATER),
        ("552 5.2.2 Mailbox full", Trouble.REJECTED),
        ("554 5.7.1 Looks like spam", Trouble.REJECTED),
        ("421 4.3.2 Closing", Trouble.LATER),
    ],
)
def test_refused_content_is_read_by_its_code(
    make_app: MakeApp, smtp_server: SmtpServer, reply: str, trouble: Trouble
) -> None:
    smtp_server.reply = reply
    assert send(make_app(**settings_for(smtp_server))) == [Failure(trouble, reply)]


def test_relaying_denied_is_about_settings_and_worth_another_try(make_app: MakeApp, smtp_server: SmtpServer) -> None:
    smtp_server.refused = {"amira@example.org": "554 5.7.1 Relay access denied"}
    assert send(make_app(**settings_for(smtp_server))) == [Failure(Trouble.LATER, "554 5.7.1 Relay access denied")]


ABOUT_US = [
    "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using bl.example.net",
    "550 5.7.1 <events@example.org>: Sender address rejected: not owned by user events",
    "504 5.5.2 <events>: Helo command rejected: need fully-qualified hostname",
    "550 5.7.26 This mail has been blocked because the sender is unauthenticated.",
    "550 5.4.5 Daily user sending limit exceeded.",
    "550 5.7.1 Unable to relay",
]


@pytest.mark.parametrize("words", ABOUT_US)
@pytest.mark.parametrize("stage", ["recipient", "content"])
def test_words_about_who_sends_concern_one_mail_once_and_all_mail_twice_in_a_row(
    make_app: MakeApp, smtp_server: SmtpServer, words: str, stage: str
) -> None:
    people = ("amira@example.org", "wim@example.org")
    if stage == "recipient":
        smtp_server.refused = dict.fromkeys(people, words)
    else:
        smtp_server.reply = words
    app = make_app(**settings_for(smtp_server))
    assert send(app, *people) == [Failure(Trouble.LATER, words), Failure(Trouble.REFUSED_FOR_ALL, words)]


def test_words_about_who_sends_that_meet_one_address_hold_up_no_other(
    make_app: MakeApp, smtp_server: SmtpServer
) -> None:
    smtp_server.refused = {"sam@example.org": ABOUT_US[0]}
    outcomes = send(make_app(**settings_for(smtp_server)), *("sam@example.org", "amira@example.org") * 2)
    assert outcomes == [Failure(Trouble.LATER, ABOUT_US[0]), "250 OK"] * 2


def test_a_mailbox_that_is_not_there_is_refused_for_good_whatever_list_it_is_missing_in(
    make_app: MakeApp, smtp_server: SmtpServer
) -> None:
    words = "550 5.1.1 <sam@example.org>: Recipient address rejected: User unknown in relay recipient table"
    smtp_server.refused = {"sam@example.org": words}
    assert send(make_app(**settings_for(smtp_server)), "sam@example.org") == [Failure(Trouble.REJECTED, words)]


def test_a_port_nobody_listens_on_is_said_in_words(make_app: MakeApp, smtp_server: SmtpServer) -> None:
    smtp_server.stop()
    assert send(make_app(**settings_for(smtp_server))) == [Failure(Trouble.UNREACHABLE, "Connection refused")]


def test_a_server_name_that_does_not_exist_is_said_in_words(make_app: MakeApp) -> None:
    smtp.ALLOWED.add(2525)
    (failure,) = send(make_app(MAIL_SERVER="no-such-host.invalid", MAIL_PORT=2525))
    smtp.ALLOWED.discard(2525)
    assert failure.trouble is Trouble.UNREACHABLE
    assert "not known" in failure.words or "name resolution" in failure.words.lower()


def test_a_server_that_says_nothing_costs_mail_timeout_and_no_more(make_app: MakeApp, smtp_server: SmtpServer) -> None:
    smtp_server.stall()
    (failure,) = send(make_app(**settings_for(smtp_server) | {"MAIL_TIMEOUT": 0.3}))
    assert failure.trouble is Trouble.UNREACHABLE
    assert "0.3 seconds" in failure.words


def test_a_server_that_dribbles_costs_no_more_than_one_that_says_nothing(make_app: MakeApp) -> None:
    with scripted([b"220 " + b"x" * 200 + b"\r\n"], pause=0.05) as port:
        (failure,) = send(make_app(MAIL_SERVER="127.0.0.1", MAIL_PORT=port, MAIL_TIMEOUT=0.4))
    assert failure.trouble is Trouble.UNREACHABLE
    assert "0.4 seconds" in failure.words


HELLO = [b"220 ready\r\n", b"250 hello\r\n"]
TAKEN = [b"250 sender ok\r\n", b"250 recipient ok\r\n", b"354 go on\r\n"]


def test_a_connection_closed_in_the_middle_is_tried_again_with_the_next_mail(make_app: MakeApp) -> None:
    with scripted([*HELLO, *TAKEN], [*HELLO, b"550 5.7.1 Not you\r\n"]) as port:
        app = make_app(MAIL_SERVER="127.0.0.1", MAIL_PORT=port, MAIL_TIMEOUT=2)
        first, second = send(app, "amira@example.org", "wim@example.org")
    assert first.trouble is Trouble.LATER
    assert second == Failure(Trouble.REFUSED_FOR_ALL, "550 5.7.1 Not you")


def test_a_connection_closed_twice_in_a_row_is_the_servers_trouble(make_app: MakeApp) -> None:
    with scripted([*HELLO, *TAKEN], [*HELLO, *TAKEN]) as port:
        app = make_app(MAIL_SERVER="127.0.0.1", MAIL_PORT=port, MAIL_TIMEOUT=2)
        outcomes = send(app, "amira@example.org", "wim@example.org")
    assert [failure.trouble for failure in outcomes] == [Trouble.LATER, Trouble.UNREACHABLE]


AT_ONCE = [b"220 ready\r\n", b"250-hello\r\n250 PIPELINING\r\n"]
CONTENT = [b""] * letter().content.count(b"\n") + [b"250 taken\r\n"]
"""No answer to any line of a mail before the dot that ends it."""


def test_what_can_be_said_at_once_waits_for_no_answers(make_app: MakeApp) -> None:
    """The server answers nothing before it has read MAIL, RCPT and DATA."""
    with scripted([*AT_ONCE, b"", b"", b"".join(TAKEN), *CONTENT, b"221 bye\r\n"]) as port:
        assert send(make_app(MAIL_SERVER="127.0.0.1", MAIL_PORT=port, MAIL_TIMEOUT=2)) == ["250 taken"]


def test_a_mail_that_was_announced_to_nobody_is_ended_and_the_next_one_leaves(make_app: MakeApp) -> None:
    refused = [TAKEN[0], b"550 5.1.1 No such mailbox\r\n", TAKEN[2], b"554 5.5.1 No recipients\r\n", b"250 reset\r\n"]
    with scripted([*AT_ONCE, *refused, *TAKEN, *CONTENT, b"221 bye\r\n"]) as port:
        app = make_app(MAIL_SERVER="127.0.0.1", MAIL_PORT=port, MAIL_TIMEOUT=2)
        outcomes = send(app, "sam@example.org", "amira@example.org")
    assert outcomes == [Failure(Trouble.REJECTED, "550 5.1.1 No such mailbox"), "250 taken"]


def test_a_server_that_says_why_and_hangs_up_is_quoted(make_app: MakeApp) -> None:
    with scripted([*AT_ONCE, TAKEN[0], b"421 4.7.0 Too many mails\r\n"], [*AT_ONCE, *TAKEN, *CONTENT]) as port:
        app = make_app(MAIL_SERVER="127.0.0.1", MAIL_PORT=port, MAIL_TIMEOUT=2)
        outcomes = send(app, "sam@example.org", "amira@example.org")
    assert outcomes == [Failure(Trouble.LATER, "421 4.7.0 Too many mails"), "250 taken"]


def test_a_server_that_is_closing_is_not_asked_for_each_mail(make_app: MakeApp) -> None:
    closing = [*HELLO, TAKEN[0], b"421 4.7.0 Too many mails\r\n"]
    with scripted(closing, closing) as port:
        outcomes = send(make_app(MAIL_SERVER="127.0.0.1", MAIL_PORT=port, MAIL_TIMEOUT=2), *("amira@example.org",) * 2)
    words = "421 4.7.0 Too many mails"
    assert outcomes == [Failure(Trouble.LATER, words), Failure(Trouble.UNREACHABLE, words)]


def test_a_server_that_closes_between_refusing_one_and_the_next_is_asked_anew_after_each(make_app: MakeApp) -> None:
    closing = [*HELLO, TAKEN[0], b"421 4.7.0 Too many mails\r\n"]
    refusing = [*HELLO, TAKEN[0], b"550 5.1.1 No such mailbox\r\n", b"421 4.4.2 Bye\r\n"]
    with scripted(closing, refusing, closing, [*HELLO, *TAKEN, *CONTENT, b"221 bye\r\n"]) as port:
        outcomes = send(make_app(MAIL_SERVER="127.0.0.1", MAIL_PORT=port, MAIL_TIMEOUT=2), *("sam@example.org",) * 4)
    later = Failure(Trouble.LATER, "421 4.7.0 Too many mails")
    assert outcomes == [later, Failure(Trouble.REJECTED, "550 5.1.1 No such mailbox"), later, "250 taken"]


@pytest.mark.parametrize("goodbye", [[b"421 4.7.0 Reconnect, please\r\n"], []], ids=["421", "closed"])
@pytest.mark.parametrize("hello", [HELLO, AT_ONCE], ids=["one by one", "at once"])
def test_a_server_that_takes_one_mail_a_connection_gets_the_next_on_another_at_once(
    make_app: MakeApp, hello: list[bytes], goodbye: list[bytes]
) -> None:
    one = [*hello, *TAKEN, *CONTENT]
    with scripted([*one, *goodbye], one, [*one, b"221 bye\r\n"]) as port:
        outcomes = send(make_app(MAIL_SERVER="127.0.0.1", MAIL_PORT=port, MAIL_TIMEOUT=2), *("sam@example.org",) * 3)
    assert outcomes == ["250 taken"] * 3


def test_a_server_that_falls_silent_is_waited_for_once(make_app: MakeApp) -> None:
    one = [*HELLO, *TAKEN, *CONTENT]
    with scripted([*one, b"", b"it reads on"], [*one, b"221 bye\r\n"]) as port:
        outcomes = send(make_app(MAIL_SERVER="127.0.0.1", MAIL_PORT=port, MAIL_TIMEOUT=1), *("sam@example.org",) * 3)
    assert [type(one) for one in outcomes] == [str, Failure, str]


def test_a_server_that_closes_at_the_greeting_is_quoted(make_app: MakeApp) -> None:
    with scripted([HELLO[0], b"421 4.3.2 Going down\r\n"]) as port:
        (failure,) = send(make_app(MAIL_SERVER="127.0.0.1", MAIL_PORT=port, MAIL_TIMEOUT=2))
    assert failure == Failure(Trouble.UNREACHABLE, "421 4.3.2 Going down")


def test_the_next_is_written_while_the_server_takes_the_one_before(make_app: MakeApp, smtp_server: SmtpServer) -> None:
    app, is_written = make_app(**settings_for(smtp_server)), threading.Event()
    smtp_server.on_data = lambda _envelope: is_written.wait(10)
    with app.app_context(), deliver.open_way(app) as way:
        assert way.send(letter(), recipient="amira@example.org", file_name=NAME, meanwhile=is_written.set) == "250 OK"
    assert is_written.is_set()


def test_a_server_that_turns_everybody_away_is_quoted(make_app: MakeApp) -> None:
    with scripted([b"554 5.3.2 No mail today\r\n"]) as port:
        (failure,) = send(make_app(MAIL_SERVER="127.0.0.1", MAIL_PORT=port, MAIL_TIMEOUT=2))
    assert failure == Failure(Trouble.REFUSED_FOR_ALL, "554 5.3.2 No mail today")


def test_letters_outside_ascii_in_an_address_need_a_server_that_takes_them(
    make_app: MakeApp, smtp_server: SmtpServer
) -> None:
    with scripted([*HELLO, b"250 reset\r\n"]) as port:
        app = make_app(MAIL_SERVER="127.0.0.1", MAIL_PORT=port, MAIL_TIMEOUT=2)
        (failure,) = send(app, "zoë@example.org")
    assert failure.trouble is Trouble.REJECTED
    assert send(make_app(**settings_for(smtp_server)), "zoë@bücher.example") == ["250 OK"]
    assert smtp_server.recipients == [["zoë@xn--bcher-kva.example"]]


# TLS and signing in.


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that only its own holder vouches for, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


@pytest.fixture
def tls_server(certificate: Path) -> Iterator[SmtpServer]:
    """A mail server that offers STARTTLS and wants a password."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = SmtpServer()

    def check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
        good = isinstance(given, LoginPassword) and (given.login, given.password) == (b"events", b"secret")
        return AuthResult(success=good, handled=False)

    server.start(tls_context=context, authenticator=check, auth_require_tls=True)
    yield server
    server.stop()


def tls_settings(server: SmtpServer, **given: Any) -> dict[str, Any]:
    return settings_for(server) | {"MAIL_SERVER": "localhost", "MAIL_USE_TLS": True} | given


def test_a_certificate_nobody_vouches_for_is_refused_before_anything_is_said(
    make_app: MakeApp, tls_server: SmtpServer
) -> None:
    app = make_app(**tls_settings(tls_server, MAIL_USERNAME="events", MAIL_PASSWORD="secret"))
    (failure,) = send(app)
    assert failure.trouble is Trouble.UNREACHABLE
    assert "certificate is not trusted" in failure.words
    assert tls_server.messages == []


def test_a_certificate_for_another_name_is_refused(
    make_app: MakeApp, tls_server: SmtpServer, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    (failure,) = send(make_app(**tls_settings(tls_server, MAIL_SERVER="127.0.0.1")))
    assert failure.trouble is Trouble.UNREACHABLE
    assert "certificate is not trusted" in failure.words


def test_a_trusted_server_gets_the_password_and_the_mail(
    make_app: MakeApp, tls_server: SmtpServer, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    app = make_app(**tls_settings(tls_server, MAIL_USERNAME="events", MAIL_PASSWORD="secret"))
    assert send(app) == ["250 OK"]
    assert len(tls_server.messages) == 1


def test_a_wrong_password_is_everybodys_trouble_in_the_servers_words(
    make_app: MakeApp, tls_server: SmtpServer, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    app = make_app(**tls_settings(tls_server, MAIL_USERNAME="events", MAIL_PASSWORD="wrong"))
    (failure,) = send(app)
    assert failure == Failure(Trouble.REFUSED_FOR_ALL, "535 5.7.8 Authentication credentials invalid")
    with app.app_context():
        assert deliver.reach(app) == "535 5.7.8 Authentication credentials invalid"


def test_a_server_without_starttls_gets_nothing_in_the_clear(make_app: MakeApp, smtp_server: SmtpServer) -> None:
    (failure,) = send(make_app(**settings_for(smtp_server), MAIL_USE_TLS=True))
    assert failure.trouble is Trouble.REFUSED_FOR_ALL
    assert "STARTTLS" in failure.words
    assert smtp_server.messages == []


def test_reaching_a_server_that_answers_says_nothing(make_app: MakeApp, smtp_server: SmtpServer) -> None:
    app = make_app(**settings_for(smtp_server))
    with app.app_context():
        assert deliver.reach(app) == ""
        smtp_server.stop()
        assert deliver.reach(app) == "Connection refused"


# Without a server.


def test_without_a_server_mail_is_kept_and_the_reply_says_where(app: Flask, instance: Path) -> None:
    (words,) = send(app)
    path = instance / "mail" / NAME
    assert words == f"Kept in {path}"
    assert b"Subject: Hello" in path.read_bytes()


def test_a_folder_that_cannot_be_written_is_everybodys_trouble(app: Flask, instance: Path) -> None:
    (instance / "mail").write_text("a file where the folder should be")
    (failure,) = send(app)
    assert failure.trouble is Trouble.UNREACHABLE
    assert failure.words.startswith(f"The mail cannot be kept in {instance / 'mail'}: ")
