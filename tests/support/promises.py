"""What a thank-you page promises, compared with the database and the mail server once all is quiet again."""

import re
from collections import Counter, defaultdict

import sqlalchemy as sa
from sqlalchemy.orm import Session

from eventreg.events.models import Event
from eventreg.outbox.models import Message
from eventreg.registrations import seats
from eventreg.registrations.models import Registration
from tests.support.load import Load, Promise
from tests.support.smtp import SmtpServer, wait_until

COMING = "You are coming."
WAITING = re.compile(r"You are on the waitlist, number (\d+) in line\.")


def assert_kept(session: Session, event_id: int, load: Load, smtp: SmtpServer | None = None) -> None:
    """Everybody who was thanked is there once, with the seat or the place in line that the page named, and has mail.

    Waits for the mail first. `smtp` None leaves the mail out.
    """
    if smtp is not None:
        wait_until(lambda: unsent(session) == {}, seconds=150, what="sending all mail")
    session.rollback()
    session.expire_all()
    rows = session.execute(
        sa.select(Registration.email, Registration.status, Registration.party_size)
        .where(Registration.event_id == event_id)
        .order_by(Registration.waitlisted_at, Registration.id)
    ).all()
    status = {row.email: row.status for row in rows}
    line = [row.email for row in rows if row.status == "waitlisted"]
    event = session.get_one(Event, event_id)

    assert len(rows) == len(status), "somebody is registered twice"
    assert {one.email for one in load.promises} <= set(status), "somebody was thanked and is not registered"
    assert [one for one in load.promises if not _is_as_promised(one, status, line, load)] == []
    taken = sum(row.party_size for row in rows if row.status == "confirmed")
    assert (event.seats_taken, seats.recount(session)) == (taken, [])
    assert event.capacity is None or taken <= event.capacity
    if smtp is not None:
        _assert_mailed(session, set(status), smtp)
    session.rollback()


def _is_as_promised(promise: Promise, status: dict[str, str], line: list[str], load: Load) -> bool:
    if promise.sentence == COMING:
        return status[promise.email] == "confirmed"
    place = WAITING.fullmatch(promise.sentence)
    if place is None:
        return False
    if status[promise.email] == "confirmed":
        return promise.repeated  # better than it says
    difference = line.index(promise.email) + 1 - int(place[1])
    # People whose requests were under way at the same moment may stand in either order.
    return difference <= load.people and (promise.repeated or difference >= -load.people)


def unsent(session: Session) -> dict[str, int]:
    """How many mails are in a state other than sent, by state."""
    session.rollback()
    query = sa.select(Message.state, sa.func.count()).group_by(Message.state)
    return {state: number for state, number in session.execute(query).all() if state != "sent"}


def _assert_mailed(session: Session, people: set[str], smtp: SmtpServer) -> None:
    """Every registration has its mail at the mail server; whatever arrived twice is recognisably the same mail."""
    query = sa.select(Message.message_key, Message.recipient)
    keys = {row.message_key: row.recipient for row in session.execute(query)}
    arrived: dict[str, set[str]] = defaultdict(set)
    for mail, recipients in zip(smtp.messages, smtp.recipients, strict=True):
        key = str(mail["Message-ID"]).strip("<>").partition("@")[0]
        assert keys.get(key) == recipients[0], f"a mail nobody owed: {mail['Message-ID']} to {recipients}"
        arrived[recipients[0]].add(key)
    assert set(arrived) == people
    owed = Counter(keys.values())
    assert {person: len(found) for person, found in arrived.items()} == owed
