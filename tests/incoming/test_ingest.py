"""One line in the log for each mail, also when the program itself is at fault."""

import logging

import pytest
from sqlalchemy.exc import InternalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from eventreg.incoming import service
from tests.support.mailroom import address_of, answer, bring
from tests.support.replies import mailed

pytestmark = pytest.mark.sqlite_only


def test_each_mail_is_one_line_of_the_log(session, make_event, make_registration, now, caplog) -> None:
    amira = make_registration(make_event())
    with caplog.at_level(logging.INFO):
        answer(session, amira, now=now)
        bring(session, b"\x00", now=now)
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("eventreg.incoming")]
    assert lines == [
        "Mail received: applied: reply: Now: Not attending.",
        "Mail received: ignored: mail: it is no mail: it has no header",
    ]


def test_fault_of_the_program_is_one_line_more_and_changes_nothing(
    session, make_event, make_registration, now, caplog, monkeypatch
) -> None:
    event = make_event()
    amira = make_registration(event)

    def broken(*_arguments: object, **_given: object) -> None:
        raise ZeroDivisionError("a fault")

    monkeypatch.setattr(service, "_answer", broken)
    data = mailed(to=address_of(amira), uid=event.uid, stamp=now)
    with caplog.at_level(logging.INFO):
        assert bring(session, data, now=now).outcome == "ignored"
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("eventreg.incoming")]
    assert lines[0].startswith("A mail could not be taken in: ZeroDivisionError('a fault') at ")
    assert lines[1:] == ["Mail received: ignored: mail: it could not be taken in; the log says why"]
    assert (amira.rsvp, event.seats_taken) == ("yes", 1)


@pytest.mark.parametrize("error", [InternalError("", None, Exception("no room")), PoolTimeout("no connection is free")])
def test_database_that_is_away_however_it_says_so_is_no_fault_of_the_mail(
    error, session, make_event, make_registration, now, monkeypatch
) -> None:
    event = make_event()
    amira = make_registration(event)

    def away(*_arguments: object, **_given: object) -> None:
        raise error

    monkeypatch.setattr(service, "_answer", away)
    with pytest.raises(type(error)):
        bring(session, mailed(to=address_of(amira), uid=event.uid, stamp=now), now=now)
