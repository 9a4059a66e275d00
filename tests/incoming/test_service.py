"""The rules of an answer that comes by mail, one by one."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from eventreg.audit import Actor
from eventreg.db import db
from eventreg.incoming import service
from eventreg.incoming.ingest import ingest
from eventreg.incoming.models import ReceivedMail
from eventreg.outbox.models import Message
from eventreg.registrations import changes, desk, event_changes, messages
from eventreg.registrations.models import Registration
from eventreg.registrations.service import AnswerForm, register
from tests.support.calendars import unfolded
from tests.support.letters import calendar_of, text_of
from tests.support.mailroom import address_of, answer, bring, history, owed, received, standing
from tests.support.replies import NAMES, bare, calendar, mailed

MINUTE = timedelta(minutes=1)


@pytest.fixture
def event(make_event):
    return make_event(capacity=10, sequence=3, significant_sequence=2)


@pytest.fixture
def amira(event, make_registration):
    return make_registration(event, party_size=2)


@pytest.mark.parametrize("shape", NAMES)
def test_declined_frees_the_seats_whatever_program_sent_it(shape, session, event, amira, now) -> None:
    assert str(answer(session, amira, now=now, shape=shape)) == "applied: reply: Now: Not attending."
    assert standing(session, event) == [("amira@example.org", "no", "confirmed")]
    assert event.seats_taken == 0
    assert owed(session) == [("reply_taken", "amira@example.org")]
    assert ("calendar reply", "registration.changed") in history(session)
    assert (amira.reply_sequence, amira.reply_stamp_at) == (3, now + MINUTE)
    assert amira.party_size == 2


def test_the_same_mail_is_taken_in_once(session, event, amira, now) -> None:
    assert answer(session, amira, now=now).outcome == "applied"
    assert answer(session, amira, now=now).words == "it was taken in before"
    assert received(session) == [("reply", "applied")]
    assert len(owed(session)) == 1


def test_two_deliveries_of_one_mail_at_once_are_one(app, session, event, amira, now) -> None:
    data = mailed(to=address_of(amira), uid=event.uid, sequence=3, stamp=now)
    session.commit()

    def deliver(_number: int) -> str:
        with app.app_context():
            try:
                return ingest(app, data, now=now).outcome
            finally:
                db.session.remove()

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(deliver, range(4)))
    assert outcomes == ["applied", "ignored", "ignored", "ignored"]
    assert (received(session), owed(session)) == ([("reply", "applied")], [("reply_taken", "amira@example.org")])


def test_mail_for_nobody_leaves_no_trace(session, event, amira, now) -> None:
    for to in ("rsvp@example.org", f"rsvp+{'a' * 26}@example.org", "rsvp+abc@example.org"):
        taken = bring(session, mailed(to=to, uid=event.uid, stamp=now), now=now)
        assert str(taken) == "ignored: mail: no registration has the address it was sent to"
    assert (received(session), owed(session), history(session)) == ([], [], [])


def test_address_of_the_envelope_is_believed_before_the_headers(session, event, amira, make_registration, now) -> None:
    sam = make_registration(event, email="sam@example.org", name="Sam")
    data = mailed(to=address_of(amira), uid=event.uid, sequence=3, stamp=now, attendee="sam@example.org")
    assert bring(session, data, now=now, envelope=address_of(sam)).outcome == "applied"
    assert standing(session, event) == [
        ("amira@example.org", "yes", "confirmed"),
        ("sam@example.org", "no", "confirmed"),
    ]


def test_event_is_known_by_its_uid_as_it_was_sent(session, make_event, make_registration, now) -> None:
    event = make_event(uid="2026,10;a\\b@uni.example", sequence=3)
    amira = make_registration(event)
    block = unfolded(event.ics_block)
    uid = block.partition("\r\nUID:")[2].partition("\r\n")[0]
    assert uid == "2026\\,10\\;a\\\\b@uni.example"
    assert answer(session, amira, now=now, uid=uid).outcome == "applied"


def test_answer_for_another_event_is_ignored(session, event, amira, now) -> None:
    assert answer(session, amira, now=now, uid="other@example.org").words.startswith("It answers for another event")
    assert received(session) == [("reply", "ignored")]
    assert standing(session, event) == [("amira@example.org", "yes", "confirmed")]


@pytest.mark.parametrize(
    ("given", "outcome"),
    [
        ({"attendee": "sam@example.org"}, "held"),
        ({"attendee": "sam@example.org", "sender": "Amira@Example.org"}, "applied"),
        ({"attendee": "AMIRA@example.org", "sender": "sam@example.org"}, "held"),
        ({"sender": "mal@evil.example"}, "held"),
        ({"sender": "mal@evil.example, amira@example.org"}, "held"),
        ({"sender": "amira+x@example.org"}, "held"),
        ({"attendee": "amira@example.org.evil.example", "sender": "xamira@example.org"}, "held"),
    ],
)
@pytest.mark.parametrize("shape", ["gmail", "thunderbird"])
def test_answer_is_held_unless_its_from_is_the_registered_address(
    given, outcome, shape, session, event, amira, now
) -> None:
    assert answer(session, amira, now=now, shape=shape, **given).outcome == outcome
    assert received(session) == [("reply", outcome)]
    assert standing(session, event)[0][1] == ("no" if outcome == "applied" else "yes")
    assert (owed(session) == []) == (outcome == "held")


def test_forwarded_invitation_answered_for_the_person_is_held_with_the_sender_named(session, event, amira, now) -> None:
    taken = answer(session, amira, now=now, sender="mal@evil.example")
    assert str(taken) == "held: reply: It was not sent from the registered address."
    row = session.scalars(sa.select(ReceivedMail)).one()
    assert (row.sender, row.attendee, row.rsvp) == ("mal@evil.example", "amira@example.org", "no")


def test_registered_plus_address_is_another_address(session, make_event, make_registration, now) -> None:
    amira = make_registration(make_event(), email="amira+events@example.org")
    assert answer(session, amira, now=now, sender="amira@example.org").outcome == "held"
    assert answer(session, amira, now=now, message_id="2", sender="Amira+Events@Example.org").outcome == "applied"


ALIAS = "ATTENDEE;PARTSTAT=ACCEPTED:mailto:amira.haddad@work.example"


def bring_calendar(session, amira, now, text: str, **given: str):
    """What became of a mail of Amira's that is that calendar text, and its row."""
    taken = bring(session, bare(text, to=address_of(amira), **given), now=now + MINUTE)
    return taken, session.scalars(sa.select(ReceivedMail)).one()


def test_alias_line_beside_the_registered_attendee_is_held_with_the_registered_answer(
    session, event, amira, now
) -> None:
    text = calendar(UID=f"UID:{event.uid}\n{ALIAS}", SEQUENCE="SEQUENCE:3")
    taken, row = bring_calendar(session, amira, now, text)
    assert str(taken) == "held: reply: It answers for 2 people, not for one."
    assert (row.attendee, row.rsvp) == ("amira@example.org", "no")
    assert standing(session, event) == [("amira@example.org", "yes", "confirmed")]


def test_many_equal_entries_are_held_with_their_answer(session, event, amira, now) -> None:
    once = calendar(UID=f"UID:{event.uid}", SEQUENCE="SEQUENCE:3")
    begin, end = once.index("BEGIN:VEVENT"), once.index("END:VCALENDAR")
    taken, row = bring_calendar(session, amira, now, once[:begin] + once[begin:end] * 17 + once[end:])
    assert (str(taken), row.rsvp) == ("held: reply: It holds 17 calendar entries instead of one.", "no")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"ATTENDEE": "ATTENDEE;PARTSTAT=DELEGATED:mailto:amira@example.org"}, "It answers DELEGATED, which is"),
        ({"ATTENDEE": "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:amira@example.org"}, "It answers NEEDS-ACTION, which"),
        ({"ATTENDEE": None}, "It answers for 0 people"),
        ({"NEXT": "ATTENDEE;PARTSTAT=ACCEPTED:mailto:amira@example.org"}, "It gives no answer, or two at once."),
        ({"UID": None}, "Its calendar part does not name one event."),
        ({"SEQUENCE": "SEQUENCE:three"}, "Its SEQUENCE is no number."),
    ],
)
def test_reply_that_is_not_clear_is_held_with_the_reason(changed, reason, session, event, amira, now) -> None:
    text = calendar(**{"UID": f"UID:{event.uid}", "SEQUENCE": "SEQUENCE:3"} | changed)
    taken, row = bring_calendar(session, amira, now, text, headers="Auto-Submitted: auto-generated\n")
    assert (taken.outcome, row.kind, row.rsvp) == ("held", "reply", "")
    assert row.reason.startswith(reason)
    assert standing(session, event) == [("amira@example.org", "yes", "confirmed")]


def sealed(to: str, kind: str, text: str = "") -> bytes:
    return (
        f"From: Amira <amira@example.org>\r\nTo: {to}\r\nSubject: Declined: A day\r\nMessage-ID: <tnef@x.y>\r\n"
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        f"--b\r\nContent-Type: text/plain\r\n\r\n{text}\r\n--b\r\nContent-Type: {kind}\r\n\r\nx\r\n--b--\r\n"
    ).encode()


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("application/ms-tnef; name=winmail.dat", "winmail.dat"),
        ("application/pkcs7-mime; name=smime.p7m", "S/MIME"),
        ("application/pgp-encrypted", "PGP"),
    ],
)
def test_mail_that_cannot_be_opened_is_held_and_its_words_go_on(kind, word, session, event, amira, now) -> None:
    taken = bring(session, sealed(address_of(amira), kind), now=now)
    row = session.scalars(sa.select(ReceivedMail)).one()
    assert (taken.outcome, word in row.reason, row.comment) == ("held", True, "Declined: A day")
    assert (row.sender, owed(session)) == ("amira@example.org", [])
    data = sealed(address_of(amira), kind, "Sorry, I am ill.").replace(b"<tnef@x.y>", b"<2@x.y>")
    assert bring(session, data, now=now).outcome == "held"
    assert owed(session) == [("forwarded", "olga@example.org")]


MULTIPART = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ((MULTIPART + b"--b\r\n") * 40, "nested"),
        (MULTIPART + b"--b\r\n\r\n\r\n" * 99, "parts"),
        (b"Content-Type: application/pdf\r\n\r\n" + b"x\r\n" * 99_000, "larger"),
    ],
    ids=["depth", "parts", "size"],
)
def test_mail_beyond_what_is_read_is_held_and_never_lost(data, reason, session, event, amira, now) -> None:
    head = "From: amira@example.org\r\nTo: {to}\r\n"
    taken = bring(session, head.format(to=address_of(amira)).encode() + data, now=now)
    assert (taken.outcome, reason in taken.words) == ("held", True)
    assert bring(session, head.format(to="rsvp@example.org").encode() + data, now=now).kind == "mail"


def test_answer_in_a_mail_too_large_to_be_read_whole_is_held_with_the_answer(session, event, amira, now) -> None:
    data = mailed("exchange", to=address_of(amira), uid=event.uid, sequence=3, stamp=now)
    taken = bring(session, data + b"x\r\n" * 20_000, now=now)
    assert (taken.outcome, session.scalars(sa.select(ReceivedMail.rsvp)).one()) == ("held", "no")


def test_answer_without_a_time_is_held(session, event, amira, now) -> None:
    data = bare(calendar(UID=f"UID:{event.uid}", DTSTAMP=None), to=address_of(amira))
    assert bring(session, data, now=now).outcome == "held"


def test_older_answers_are_not_believed_any_more(session, event, amira, now) -> None:
    assert answer(session, amira, "TENTATIVE", now=now, stamp=now + 2 * MINUTE).outcome == "applied"
    for stamp, sequence in ((now + MINUTE, 3), (now + 2 * MINUTE, 3), (now + 3 * MINUTE, 2)):
        taken = answer(session, amira, "DECLINED", now=now, stamp=stamp, sequence=sequence)
        assert taken.words == "A later answer was taken over already."
    assert answer(session, amira, "DECLINED", now=now, stamp=now + 4 * MINUTE).outcome == "applied"


def test_answer_on_the_web_is_not_undone_by_a_late_mail(session, event, amira, now) -> None:
    form = AnswerForm(name=amira.name, email=amira.email, rsvp="maybe", party_size=2)
    changes.change(session, registration_id=amira.id, form=form, actor=Actor.attendee(), now=now + 5 * MINUTE)
    assert answer(session, amira, now=now, stamp=now + 4 * MINUTE, after=6 * MINUTE).outcome == "ignored"
    assert answer(session, amira, now=now, stamp=now + 6 * MINUTE, after=7 * MINUTE).outcome == "applied"


def test_answer_said_again_on_the_web_is_not_undone_by_a_late_mail(session, event, amira, now) -> None:
    form = AnswerForm(name=amira.name, email=amira.email, rsvp="yes", party_size=2)
    changes.change(session, registration_id=amira.id, form=form, actor=Actor.attendee(), now=now + 5 * MINUTE)
    session.commit()
    assert owed(session) == []
    assert answer(session, amira, now=now, stamp=now + 4 * MINUTE, after=6 * MINUTE).outcome == "ignored"
    assert answer(session, amira, now=now, stamp=now + 6 * MINUTE, after=7 * MINUTE).outcome == "applied"


def test_name_put_right_at_the_desk_costs_no_answer_under_way(session, event, amira, now) -> None:
    form = AnswerForm(name="Amira Haddad-Young", email=amira.email, rsvp="yes", party_size=2)
    olga = Actor("organizer", event.organizer_id, "Olga")
    desk.correct(session, registration_id=amira.id, form=form, note="", actor=olga, now=now + 5 * MINUTE)
    session.commit()
    assert answer(session, amira, now=now, stamp=now + 4 * MINUTE, after=6 * MINUTE).outcome == "applied"


def test_version_that_was_never_sent_is_dropped(session, event, amira, now) -> None:
    assert answer(session, amira, now=now, sequence=4).words == "It answers a version of the event that was never sent."
    assert standing(session, event)[0][1] == "yes"


def test_answer_to_an_old_version_is_noted_and_asked_again_once(session, event, amira, now) -> None:
    for minutes in (1, 2):
        taken = answer(session, amira, now=now, sequence=1, after=minutes * MINUTE)
        assert str(taken).startswith("ignored: reply: It answers an earlier version of the event")
    assert standing(session, event)[0][1] == "yes"
    assert owed(session) == [("ask_again", "amira@example.org")]
    assert history(session) == [("calendar reply", "reply.outdated")] * 2
    assert answer(session, amira, now=now, sequence=3, after=3 * MINUTE).outcome == "applied"


def test_words_changed_silently_cost_no_answer(session, event, amira, now) -> None:
    assert answer(session, amira, now=now, sequence=2).outcome == "applied"


def test_clock_far_ahead_does_not_outlast_the_next_answer(session, event, amira, now) -> None:
    assert answer(session, amira, now=now, stamp=now + timedelta(days=400)).outcome == "applied"
    assert amira.reply_stamp_at == now + MINUTE
    assert answer(session, amira, "ACCEPTED", now=now, after=2 * MINUTE).outcome == "applied"
    assert answer(session, amira, now=now, after=3 * MINUTE, stamp=now + timedelta(hours=20)).outcome == "applied"
    assert amira.reply_stamp_at == now + timedelta(hours=20)


def test_whoever_comes_back_is_not_cancelled_by_what_they_said_before(session, event, amira, now, client) -> None:
    changes.cancel(session, registration_id=amira.id, actor=Actor.attendee(), now=now + 2 * MINUTE)
    form = AnswerForm(name="Amira", email="amira@example.org", rsvp="yes")
    again = register(session, event_id=event.id, form=form, now=now + 10 * MINUTE).registration_id
    session.commit()
    new = session.get_one(Registration, again)
    assert address_of(new) == address_of(amira)
    late = answer(session, new, now=now, stamp=now + MINUTE, after=11 * MINUTE)
    assert late.words == "A later answer was taken over already."
    assert answer(session, new, "TENTATIVE", now=now, after=12 * MINUTE).outcome == "applied"
    assert standing(session, event) == [
        ("amira@example.org", "yes", "cancelled"),
        ("amira@example.org", "maybe", "confirmed"),
    ]


def test_link_that_was_reset_opens_nothing(session, event, amira, now) -> None:
    old = address_of(amira)
    amira.link_generation = 2
    session.commit()
    assert answer(session, amira, now=now, to=old).words == "no registration has the address it was sent to"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"status": "cancelled"}, "The event is cancelled."),
        ({"starts_at": datetime(2026, 10, 5, 15, tzinfo=UTC)}, "The event has begun."),
        ({"starts_at": datetime(2026, 10, 1, tzinfo=UTC), "ends_at": datetime(2026, 10, 2, tzinfo=UTC)}, "has begun."),
    ],
)
def test_event_that_is_off_or_over_changes_for_nobody(change, words, session, event, amira, now) -> None:
    for name, value in change.items():
        setattr(event, name, value)
    session.commit()
    assert answer(session, amira, now=now).words.endswith(words)
    assert owed(session) == []


def test_cancelled_registration_stays_cancelled(session, event, amira, now) -> None:
    changes.cancel(session, registration_id=amira.id, actor=Actor.attendee(), now=now)
    assert answer(session, amira, "ACCEPTED", now=now).words == "The registration is cancelled."
    assert standing(session, event) == [("amira@example.org", "yes", "cancelled")]


def test_the_same_answer_again_changes_nothing_and_mails_nobody(session, event, amira, now) -> None:
    assert answer(session, amira, "ACCEPTED", now=now).words == "It is the answer we had already."
    assert (owed(session), history(session)) == ([], [])
    assert amira.reply_stamp_at == now + MINUTE


def test_tentative_is_maybe_and_gives_the_seats_back(session, event, amira, now) -> None:
    assert answer(session, amira, "TENTATIVE", now=now).outcome == "applied"
    assert standing(session, event) == [("amira@example.org", "maybe", "confirmed")]
    assert (event.seats_taken, owed(session)) == (0, [("changed", "amira@example.org")])


def test_no_becomes_yes_where_there_is_room(session, event, amira, now) -> None:
    answer(session, amira, now=now)
    assert answer(session, amira, "ACCEPTED", now=now, after=2 * MINUTE).words == "Now: Attending."
    assert (event.seats_taken, owed(session)[1:]) == (2, [("confirmation", "amira@example.org")])


def test_yes_to_a_full_event_waits(session, make_event, make_registration, now) -> None:
    event = make_event(capacity=1)
    make_registration(event, email="wim@example.org")
    amira = make_registration(event, rsvp="no")
    assert answer(session, amira, "ACCEPTED", now=now).words == "Now: Waitlisted."
    assert standing(session, event)[1] == ("amira@example.org", "yes", "waitlisted")
    assert owed(session) == [("waitlisted", "amira@example.org")]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"capacity": 1, "waitlist_open": False}, "Every place is taken."),
        ({"registration_closes_at": datetime(2026, 10, 1, tzinfo=UTC)}, "Registration"),
        ({"max_party_size": 1}, "This event takes people one by one."),
    ],
)
def test_yes_that_cannot_be_taken_is_said_why_by_mail(
    columns, words, session, make_event, make_registration, now
) -> None:
    event = make_event(**columns)
    make_registration(event, email="wim@example.org")
    amira = make_registration(event, rsvp="no", party_size=2 if "max_party_size" in columns else 1)
    taken = answer(session, amira, "ACCEPTED", now=now)
    assert taken.outcome == "ignored"
    assert words in taken.words
    assert standing(session, event)[1] == ("amira@example.org", "no", "confirmed")
    (mail,) = session.scalars(sa.select(Message)).all()
    assert (mail.kind, words in mail.payload["reason"]) == ("reply_refused", True)


@pytest.mark.parametrize("status", ["waitlisted", "pending"])
def test_whoever_waits_leaves_by_declining_and_keeps_their_place_by_accepting(
    status, session, make_event, make_registration, now
) -> None:
    event = make_event(capacity=1)
    make_registration(event, email="wim@example.org")
    amira = make_registration(event, status=status)
    assert answer(session, amira, "ACCEPTED", now=now).words == "It is the answer we had already."
    assert standing(session, event)[1] == ("amira@example.org", "yes", status)
    assert answer(session, amira, "DECLINED", now=now, after=2 * MINUTE).outcome == "applied"
    assert standing(session, event)[1] == ("amira@example.org", "no", "confirmed")


def test_open_offer_is_accepted_or_passed_on(session, make_event, make_registration, now) -> None:
    event = make_event(capacity=2, offer_hours=24)
    offered = {"status": "waitlisted", "offer_expires_at": now + timedelta(hours=1)}
    amira = make_registration(event, **offered)
    wim = make_registration(event, email="wim@example.org", **offered)
    sa_event = sa.update(type(event)).where(type(event).id == event.id).values(seats_taken=2)
    session.execute(sa_event)
    session.commit()
    make_registration(event, email="sam@example.org", status="waitlisted")
    assert answer(session, amira, "ACCEPTED", now=now).words == "Now: Attending."
    assert answer(session, wim, "DECLINED", now=now).outcome == "applied"
    assert standing(session, event) == [
        ("amira@example.org", "yes", "confirmed"),
        ("wim@example.org", "no", "confirmed"),
        ("sam@example.org", "yes", "waitlisted"),
    ]
    assert owed(session) == [
        ("confirmation", "amira@example.org"),
        ("offer", "sam@example.org"),
        ("reply_taken", "wim@example.org"),
    ]


def test_comment_is_kept_for_the_organizer(session, event, amira, now) -> None:
    answer(session, amira, now=now, shape="exchange")
    row = session.scalars(sa.select(ReceivedMail)).one()
    assert (row.comment, row.rsvp, row.sender) == ("Sorry, I am away that week.", "no", "amira@example.org")
    assert ("calendar reply", "reply.commented") in history(session)


def test_old_mail_is_forgotten(session, event, amira, now) -> None:
    answer(session, amira, now=now)
    assert not service.is_old(session, now=now)
    later = now + timedelta(days=181)
    assert service.is_old(session, now=later)
    assert (service.forget(session, now=later, limit=10), service.forget(session, now=later, limit=10)) == (1, 0)


def test_mail_that_asks_again_says_what_holds_now_and_carries_it(
    session, event, amira, now, make_app, post, clock
) -> None:
    answer(session, amira, now=now, sequence=1)
    clock.now += MINUTE
    (mail,) = post(make_app(REPLY_ADDRESS="rsvp@example.org"))
    assert mail["Subject"] == "Please answer once more: A day of reflection"
    assert "Your calendar answered “no”, but to an earlier version" in text_of(mail)
    content = calendar_of(mail)
    assert content is not None
    assert (b"METHOD:REQUEST" in content, b"SEQUENCE:3" in content) == (True, True)
    assert f"mailto:{address_of(amira)}" in unfolded(content)


def test_mail_about_an_answer_that_was_not_taken_says_why(
    session, make_event, make_registration, now, post, clock
) -> None:
    event = make_event(capacity=1, waitlist_open=False)
    make_registration(event, email="wim@example.org")
    answer(session, make_registration(event, rsvp="no"), "ACCEPTED", now=now)
    clock.now += MINUTE
    (mail,) = post()
    assert mail["Subject"] == "Your answer could not be taken: A day of reflection"
    assert "Your calendar answered “yes”, and that could not be taken. Every place is taken." in text_of(mail)
    assert text_of(mail).startswith("You are not attending.")
    assert calendar_of(mail) is None


def test_after_a_no_in_the_calendar_no_cancellation_follows(session, event, amira, now, make_app, post, clock) -> None:
    app = make_app(REPLY_ADDRESS="rsvp@example.org")
    messages.tell(session, event, amira, kind="confirmation", now=now)
    session.commit()
    assert calendar_of(post(app)[-1]) is not None
    answer(session, amira, now=now)
    clock.now += 5 * MINUTE
    assert calendar_of(post(app)[-1]) is None
    event_changes.call_off(session, event_id=event.id, actor=Actor.attendee(), now=clock.now)
    session.commit()
    assert len(post(app)) == 2
