"""What people write to the reply mailbox reaches the organizer, and what programs write does not."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from eventreg.outbox.models import Message
from tests.support.letters import html_of, text_of
from tests.support.mailroom import address_of, answer, bring, owed, received, standing
from tests.support.replies import OUT_OF_OFFICE, bare, calendar, out_of_office, words


@pytest.fixture
def event(make_event):
    return make_event(contact_email="contact@example.org")


@pytest.fixture
def amira(event, make_registration):
    return make_registration(event)


def test_words_go_on_to_the_contact_who_can_answer_directly(session, event, amira, now, post, clock) -> None:
    text = "May I bring my dog?\n\n<script>alert(1)</script> http://evil.example/x"
    taken = bring(session, words(text, to=address_of(amira), subject="=?utf-8?q?Dog=3F?="), now=now)
    assert str(taken) == "applied: other: What was written was passed on to contact@example.org."
    assert standing(session, event) == [("amira@example.org", "yes", "confirmed")]
    (mail,) = post()
    assert (mail["To"], mail["Reply-To"]) == ("contact@example.org", "amira@example.org")
    assert mail["Subject"] == "Amira Haddad wrote about: A day of reflection"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert (
        "Subject: Dog?\n\nMay I bring my dog?\n\n<script>alert(1)</script> http:\u2060//evil\u2060.example/x"
        in text_of(mail)
    )
    assert "<script>" not in html_of(mail)


def test_organizer_is_written_to_where_no_contact_is_named(session, make_event, make_registration, now) -> None:
    amira = make_registration(make_event(contact_email=""))
    assert bring(session, words(to=address_of(amira)), now=now).outcome == "applied"
    assert owed(session) == [("forwarded", "olga@example.org")]


@pytest.mark.parametrize("method", ["COUNTER", "REFRESH"])
def test_other_methods_go_on_even_without_words(method, session, amira, now, post) -> None:
    data = bare(calendar(method=method), to=address_of(amira), headers="Auto-Submitted: auto-generated\n")
    assert bring(session, data, now=now).outcome == "applied"
    (mail,) = post()
    assert ("proposes another time" in text_of(mail)) == (method == "COUNTER")
    assert "Nothing was changed." in text_of(mail)


def test_automatic_answer_that_returns_our_invitation_does_not_go_on(session, amira, now) -> None:
    headers = "Auto-Submitted: auto-replied\nSubject: Out of office\n"
    data = bare(calendar(method="REQUEST"), to=address_of(amira), headers=headers)
    assert bring(session, data.replace(b"method=REPLY", b"method=REQUEST"), now=now).outcome == "ignored"
    assert owed(session) == []


@pytest.mark.parametrize(
    "data",
    [
        "From: amira@example.org\r\nAuto-Submitted: auto-replied\r\nTo: {to}\r\n\r\nI am away.\r\n",
        "From: amira@example.org\r\nTo: {to}\r\n\r\n \r\n",
        "From: amira@example.org\r\nTo: {to}\r\nContent-Type: image/png\r\n\r\nno words\r\n",
    ],
    ids=["automatic", "empty", "picture"],
)
def test_what_programs_write_and_what_says_nothing_does_not(data, session, amira, now) -> None:
    taken = bring(session, data.format(to=address_of(amira)).encode(), now=now)
    assert (taken.outcome, owed(session)) == ("ignored", [])


@pytest.mark.parametrize("program", OUT_OF_OFFICE)
def test_out_of_office_note_does_not_go_on(program, session, amira, now) -> None:
    taken = bring(session, out_of_office(program, to=address_of(amira)), now=now)
    assert (taken.outcome, taken.kind, owed(session)) == ("ignored", "other", [])


@pytest.mark.parametrize("subject", ["Out of office hours: can I still come?", "Automatic reply: no, it is me"])
def test_subject_alone_makes_nobody_a_program(subject, session, amira, now, post) -> None:
    assert bring(session, words(to=address_of(amira), subject=subject), now=now).outcome == "applied"
    (mail,) = post()
    assert f"Subject: {subject}" in text_of(mail)


def test_long_mail_is_cut_and_says_so(session, amira, now, post) -> None:
    bring(session, words("x" * 6000, to=address_of(amira)), now=now)
    (mail,) = post()
    assert "x" * 5000 in text_of(mail).replace("\n", "")
    assert "x" * 5001 not in text_of(mail).replace("\n", "")
    assert "was left out" in text_of(mail)


def test_words_in_html_alone_are_read(session, amira, now, post) -> None:
    data = words("<p>May I&nbsp;bring<br>my <b>dog</b>?</p><style>x{}</style>", to=address_of(amira))
    bring(session, data.replace(b"text/plain", b"text/html"), now=now)
    (mail,) = post()
    assert "May I bring\nmy dog?" in text_of(mail)
    assert "x{}" not in text_of(mail)


def test_somebody_else_who_writes_is_named_with_whom_it_is_about(session, amira, now, post) -> None:
    bring(session, words(to=address_of(amira), sender="sam@example.org"), now=now)
    (mail,) = post()
    assert mail["Reply-To"] == "sam@example.org"
    assert "From: sam@example.org (registered as amira@example.org)" in text_of(mail)


def test_a_program_that_writes_all_day_is_not_passed_on_for_ever(session, amira, now) -> None:
    data = words(to=address_of(amira))
    for number in range(25):
        bring(session, data.replace(b"<w1@", b"<w%d@" % number), now=now)
    assert len(owed(session)) == 20
    assert received(session)[19:21] == [("other", "applied"), ("other", "ignored")]
    assert bring(session, data.replace(b"<w1@", b"<w25@"), now=now + timedelta(days=2)).outcome == "applied"


def test_the_same_mail_goes_on_once(session, amira, now) -> None:
    data = words(to=address_of(amira))
    assert [bring(session, data, now=now).outcome for _ in range(2)] == ["applied", "ignored"]
    assert len(owed(session)) == 1


def test_header_of_a_forged_sender_cannot_break_the_mail(session, amira, now, post) -> None:
    data = words(to=address_of(amira), sender='"a\\"@b"@[::1')
    assert bring(session, data, now=now).outcome == "applied"
    (mail,) = post()
    assert mail["Reply-To"]
    assert session.scalar(sa.select(Message.state)) == "sent"


def test_answer_is_no_words_even_with_a_text_beside_it(session, amira, now) -> None:
    answer(session, amira, now=now, shape="exchange")
    assert [kind for kind, _to in owed(session)] == ["reply_taken"]
