"""Takes in one mail: whose it is, whether it was seen before, and what is done with it.

The token in the recipient's address says whose registration it is about and cannot be guessed. A forwarded invitation
holds it too, so an answer whose From is not the registered address waits for an organizer. One row a mail, in the
transaction that acts on it.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from eventreg.addresses import LONGEST
from eventreg.calendar import automatic
from eventreg.calendar import letter as letters
from eventreg.calendar import reply as replies_read
from eventreg.calendar.letter import Letter
from eventreg.calendar.reply import LONGEST_COMMENT, NotAnAnswer, OtherMethod, Reply, TooLarge, Unread
from eventreg.calendar.text import one_line
from eventreg.db import upsert
from eventreg.incoming import bounce, forwarding
from eventreg.incoming.models import ReceivedMail
from eventreg.links import Links
from eventreg.outbox import bounces
from eventreg.outbox.models import Message
from eventreg.registrations import changes, replies
from eventreg.registrations.models import Registration

KEPT = timedelta(days=180)
"""How long it is known that a mail was seen; no mail server tries for longer than a week."""
LARGEST_ID = 2**31 - 1
NOBODYS = "no registration has the address it was sent to"
SEEN = "it was taken in before"


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one mail: `outcome` is applied, ignored or held; `words` say it to whoever runs the service."""

    outcome: str
    kind: str
    words: str

    @property
    def may_owe_mail(self) -> bool:
        """Whether the worker should look: also who is not believed is told so."""
        return self.outcome != "held" and self.kind != "mail"

    def __str__(self) -> str:
        return f"{self.outcome}: {self.kind}: {one_line(self.words)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One mail for one recipient. `envelope` is the address it was delivered to, where the mail server said so."""

    data: bytes
    letter: Letter
    envelope: str = ""

    @property
    def tokens(self) -> list[str]:
        """Reply tokens it may be for, the envelope's first."""
        return [*letters.tokens_in(self.envelope), *self.letter.reply_tokens()]

    def digest(self, about: str) -> str:
        """What it is known by: its Message-ID, else all of it; and what it is about, as one mail may go to two."""
        identity = self.letter.message_id.encode("utf-8", "replace") or self.data
        return hashlib.sha256(identity + b"\0" + about.encode()).hexdigest()


def take(session: Session, arrival: Arrival, *, links: Links, now: datetime) -> Taken:
    """Acts on a mail, once, however often it is brought. Raises nothing for any bytes."""
    try:
        reply = replies_read.of(arrival.letter)
    except NotAnAnswer as reason:
        return _not_an_answer(session, arrival, reason, links=links, now=now)
    registration_id = _registration_of(session, links, arrival.tokens)
    if registration_id is None:
        return Taken("ignored", "mail", NOBODYS)
    return _answer(session, arrival, reply, registration_id, now=now)


def is_old(session: Session, *, now: datetime) -> bool:
    """Whether `forget` has something to do."""
    return session.scalar(select(ReceivedMail.id).where(ReceivedMail.received_at < now - KEPT).limit(1)) is not None


def forget(session: Session, *, now: datetime, limit: int) -> int:
    """Deletes what was received longer ago than KEPT, `limit` at most; how many. Needs a write transaction."""
    old = select(ReceivedMail.id).where(ReceivedMail.received_at < now - KEPT).limit(limit)
    gone = session.scalars(
        delete(ReceivedMail)
        .where(ReceivedMail.id.in_(old.scalar_subquery()))
        .returning(ReceivedMail.id)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())


def _answer(session: Session, arrival: Arrival, reply: Reply, registration_id: int, *, now: datetime) -> Taken:
    event, registration = changes.load(session, registration_id)
    attendee, rsvp = reply.line_of(registration.email_key)
    seen = _note(
        session,
        arrival,
        kind="reply",
        registration=registration,
        now=now,
        sender=_sender(arrival.letter),
        attendee=attendee[:LONGEST],
        rsvp=rsvp,
        sequence=reply.sequence,
        stamp_at=reply.stamp_at,
        comment=reply.comment,
    )
    if seen is None:
        return Taken("ignored", "mail", SEEN)
    if reply.uid != event.uid:
        return _settle(seen, "ignored", _("It answers for another event than the one it was sent for."))
    doubt = _doubt(reply, registration)
    if doubt:
        return _settle(seen, "held", doubt)
    assert reply.stamp_at is not None
    answer = replies.CalendarAnswer(rsvp=rsvp, sequence=reply.sequence, stamp_at=reply.stamp_at, comment=reply.comment)
    taken = replies.apply(session, registration_id=registration_id, answer=answer, now=now)
    return _settle(seen, "applied" if taken.is_applied else "ignored", taken.words)


def _doubt(reply: Reply, registration: Registration) -> str:
    """Why an organizer has to look at it, as a sentence; empty for the registered person's own clear answer."""
    if reply.author != registration.email_key:
        return _("It was not sent from the registered address.")
    if reply.doubt:
        return reply.doubt
    return "" if reply.stamp_at else _("It does not say when it was given, so it may be an old one.")


def _not_an_answer(session: Session, arrival: Arrival, reason: NotAnAnswer, *, links: Links, now: datetime) -> Taken:
    """A bounce is recorded, what may be an answer is held, a person's words go on to the organizer."""
    letter = arrival.letter
    report = bounce.read(letter, arrival.data)
    if report is not None:
        return _take_bounce(session, arrival, report, links=links, now=now)
    registration_id = _registration_of(session, links, arrival.tokens)
    if registration_id is None:
        return Taken("ignored", "mail", NOBODYS)
    _event, registration = changes.load(session, registration_id)
    held = _why_held(letter, reason)
    kind, sender = "reply" if held else "other", _sender(letter)
    seen = _note(session, arrival, kind=kind, registration=registration, now=now, sender=sender)
    if seen is None:
        return Taken("ignored", "mail", SEEN)
    is_words = not automatic.is_automatic(letter) or _asks(reason)
    if held:
        seen.comment = f"{letter.header('Subject')}\n{letter.words}".strip()[:LONGEST_COMMENT]
        if is_words and letter.words:
            forwarding.pass_on(session, registration, letter, reason=reason, now=now)
        return _settle(seen, "held", held)
    if not is_words:
        return _settle(seen, "ignored", str(reason))
    outcome, words = forwarding.pass_on(session, registration, letter, reason=reason, now=now)
    return _settle(seen, outcome, words)


def _why_held(letter: Letter, reason: NotAnAnswer) -> str:
    """Why an organizer has to look at a mail that may hold an answer, as a sentence; empty for any other mail."""
    if isinstance(reason, TooLarge) and not letter.words:
        return _("The mail is larger than an answer, and no text in it was read.")
    return str(reason) if isinstance(reason, Unread) else ""


def _asks(reason: NotAnAnswer) -> bool:
    """Whether a calendar program asks for something; a mail that returns our own REQUEST asks for nothing."""
    return isinstance(reason, OtherMethod) and reason.method in {"COUNTER", "REFRESH"}


def _take_bounce(session: Session, arrival: Arrival, report: bounce.Bounce, *, links: Links, now: datetime) -> Taken:
    if not report.is_final:
        return Taken("ignored", "bounce", f"the mail is not lost: {report.words}")
    registration_id = None if report.keys else _registration_of(session, links, arrival.tokens)
    if registration_id is not None:
        return _take_nameless_bounce(session, arrival, report, session.get_one(Registration, registration_id), now=now)
    return _record_bounce(session, report.keys, report, now=now)


def _take_nameless_bounce(
    session: Session, arrival: Arrival, report: bounce.Bounce, registration: Registration, *, now: datetime
) -> Taken:
    """Taken in once, like an answer: brought again, it would be held to mean the mail before."""
    seen = _note(session, arrival, kind="bounce", registration=registration, now=now, sender=_sender(arrival.letter))
    if seen is None:
        return Taken("ignored", "bounce", SEEN)
    taken = _record_bounce(session, _last_sent(session, registration.id), report, now=now)
    seen.outcome = taken.outcome
    seen.reason = report.words if taken.outcome == "applied" else _("It is not known which one.")
    return taken


def _record_bounce(session: Session, keys: Iterable[str], report: bounce.Bounce, *, now: datetime) -> Taken:
    for key in keys:
        if bounces.record(session, message_key=key, words=report.words, now=now):
            return Taken("applied", "bounce", f"mail {key} came back: {report.words}")
    return Taken("ignored", "bounce", "it names no mail of ours that is not known to have come back")


def _last_sent(session: Session, registration_id: int) -> list[str]:
    """The key of the newest mail that left for it: a report that returns nothing can mean no other."""
    query = select(Message.message_key).where(Message.registration_id == registration_id, Message.state == "sent")
    return list(session.scalars(query.order_by(Message.id.desc()).limit(1)))


def _registration_of(session: Session, links: Links, tokens: Iterable[str]) -> int | None:
    """The registration that the first true token opens: the live one of that calendar entry, else the latest."""
    for token in tokens:
        numbers = links.read_reply_token(token)
        if numbers is None or numbers[0] > LARGEST_ID:
            continue
        entry_id, generation = numbers
        first = session.get(Registration, entry_id)
        if first is None:
            continue
        query = (
            select(Registration.id)
            .where(
                # By an index: whoever comes back is found by their address.
                Registration.email_key == first.email_key,
                Registration.event_id == first.event_id,
                or_(Registration.id == entry_id, Registration.entry_id == entry_id),
                Registration.link_generation % 256 == generation,
            )
            .order_by((Registration.status == "cancelled"), Registration.id.desc())
            .limit(1)
        )
        found = session.scalar(query)
        if found is not None:
            return found
    return None


def _note(
    session: Session, arrival: Arrival, *, kind: str, registration: Registration, now: datetime, **given: Any
) -> ReceivedMail | None:
    """The mail's row; None when there is one already: the unique index decides which of two deliveries acts."""
    values = {
        "digest": arrival.digest(str(registration.reply_id)),
        "kind": kind,
        "outcome": "ignored",
        "event_id": registration.event_id,
        "registration_id": registration.id,
        "received_at": now,
        **given,
    }
    statement = upsert(session, ReceivedMail).values(values).on_conflict_do_nothing(index_elements=["digest"])
    return session.scalar(statement.returning(ReceivedMail))


def _settle(mail: ReceivedMail, outcome: str, words: str) -> Taken:
    mail.outcome, mail.reason = outcome, words
    return Taken(outcome, mail.kind, words)


def _sender(letter: Letter) -> str:
    """Who wrote it, every address where From holds several."""
    return (letter.author or ", ".join(letter.senders()))[:LONGEST]
