"""Replies fetched from a mailbox of a real IMAP server."""

import logging
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import TimeoutError as PoolTimeout

from eventreg import jobs
from eventreg.db import db
from eventreg.doctor import faults
from eventreg.incoming import mailbox, service
from eventreg.incoming.models import ReceivedMail
from tests.support.imap import ImapServer, running_imap_server
from tests.support.mailroom import address_of, received
from tests.support.replies import mailed, words
from tests.support.smtp import free_port


@pytest.fixture(scope="module")
def imap() -> Iterator[ImapServer]:
    with running_imap_server() as server:
        yield server


@pytest.fixture(autouse=True)
def emptied(imap: ImapServer) -> None:
    with imap.open() as box:
        box.delete(box.uids("ALL", charset=None))


def look(app, session, now) -> int:
    session.commit()
    with app.app_context():
        taken = mailbox.poll(app, now)
        db.session.remove()
    session.rollback()
    session.expire_all()
    return taken


@pytest.fixture
def amira(make_event, make_registration):
    return make_registration(make_event())


def answer_of(session, registration, **given) -> bytes:
    from eventreg.events.models import Event

    event = session.get_one(Event, registration.event_id)
    return mailed(to=address_of(registration), uid=event.uid, stamp=registration.created_at, **given)


def test_unread_mail_is_taken_in_once_and_marked_as_read(imap, make_app, session, amira, make_event, now) -> None:
    app = make_app(**imap.settings())
    imap.put(b"From: sam@example.org\r\nSubject: Hello\r\n\r\nNot for us.\r\n", answer_of(session, amira))
    assert look(app, session, now) == 2
    assert (received(session), amira.rsvp) == ([("reply", "applied")], "no")
    assert (imap.count("UNSEEN"), imap.count("SEEN")) == (0, 2)
    assert look(app, session, now) == 0


def test_mail_taken_in_before_it_could_be_marked_is_known(imap, make_app, session, amira, now) -> None:
    app = make_app(**imap.settings())
    imap.put(answer_of(session, amira), answer_of(session, amira))
    assert look(app, session, now) == 2
    assert received(session) == [("reply", "applied")]


@pytest.mark.sqlite_only
def test_mail_is_left_unread_while_no_connection_to_the_database_is_free(
    imap, make_app, session, amira, now, monkeypatch, caplog
) -> None:
    def away(*_arguments: object, **_given: object) -> None:
        raise PoolTimeout("no connection is free")

    monkeypatch.setattr(service, "_answer", away)
    imap.put(answer_of(session, amira))
    assert look(make_app(**imap.settings()), session, now) == 0
    assert imap.count("UNSEEN") == 1
    assert "left as it is, as the database is away: no connection is free" in caplog.text


def test_mail_taken_in_is_moved_where_the_settings_say(imap, make_app, session, amira, now, database_kind) -> None:
    folder = f"Taken in ({database_kind})"
    imap.make(folder)
    app = make_app(**imap.settings(REPLY_IMAP_DONE_FOLDER=folder))
    with app.app_context():
        assert mailbox.trouble(app) == ""
    imap.put(answer_of(session, amira))
    assert look(app, session, now) == 1
    assert (imap.count("UNDELETED"), imap.count("ALL", folder)) == (0, 1)
    assert look(app, session, now) == 0


def test_huge_mail_costs_no_more_than_its_beginning(imap, make_app, session, amira, now) -> None:
    app = make_app(**imap.settings())
    imap.put(words("May I bring my dog?\r\n" + "x" * 900_000, to=address_of(amira)))
    assert look(app, session, now) == 1
    assert received(session) == [("other", "applied")]


def test_mail_stays_unread_while_the_database_is_away(imap, make_app, session, amira, now, database_kind) -> None:
    app = make_app(**imap.settings())
    imap.put(answer_of(session, amira))
    session.execute(sa.text("ALTER TABLE received_mails RENAME TO elsewhere"))
    assert look(app, session, now) == 0
    assert imap.count("UNSEEN") == 1
    session.execute(sa.text("ALTER TABLE elsewhere RENAME TO received_mails"))
    assert look(app, session, now) == 1
    assert session.scalar(sa.select(sa.func.count()).select_from(ReceivedMail)) == 1


@pytest.mark.sqlite_only
def test_mailbox_that_cannot_be_read_is_said_by_doctor_and_log(imap, make_app, session, now, caplog) -> None:
    closed = make_app(**imap.settings(REPLY_IMAP_PORT=free_port()))
    wrong = make_app(**imap.settings(REPLY_IMAP_PASSWORD="wrong"))
    lost = make_app(**imap.settings(REPLY_IMAP_FOLDER="Nowhere"))
    unmoved = make_app(**imap.settings(REPLY_IMAP_DONE_FOLDER="Nowhere"))
    with caplog.at_level(logging.WARNING):
        for app in (closed, wrong, lost):
            assert look(app, session, now) == 0
    assert [record.message.startswith("The reply mailbox 127.0.0.1:") for record in caplog.records] == [True] * 3
    for app in (closed, wrong, lost, unmoved):
        with app.app_context():
            (fault,) = faults(app, now=now)
            assert fault.startswith("The reply mailbox "), fault


@pytest.mark.sqlite_only
def test_one_worker_looks_in_each_minute(imap, make_app, session, amira, now) -> None:
    app = make_app(**imap.settings())
    (job,) = [job for job in jobs.JOBS if job.name == "mailbox"]
    imap.put(answer_of(session, amira))
    session.commit()
    assert [jobs.run(app, job, now=now), jobs.run(app, job, now=now)] == [1, 0]
    assert received(session) == [("reply", "applied")]


@pytest.mark.sqlite_only
def test_site_without_a_mailbox_looks_nowhere(app, session, now) -> None:
    assert look(app, session, now) == 0
    with app.app_context():
        assert mailbox.trouble(app) == ""
