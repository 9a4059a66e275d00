"""The tests' own tools do what other tests rely on."""

import smtplib

import pytest
import sqlalchemy as sa

from eventreg.events.models import Event
from tests.support import smtp
from tests.support.html import Page, csrf
from tests.support.needs import ROOT, SLOW, closing_line
from tests.support.queries import query_counter

PAGE = """<title>A &amp; B</title><form method=post action=/x><input type=hidden name=csrf_token value=t>
<input name=name value="Zo&euml;"><input type=radio name=rsvp value=yes checked><input type=radio name=rsvp value=no>
<select name=size><option>1<option value=2 selected>two</select><textarea name=q-1>
a
b</textarea><input type=checkbox name=ok><button name=go value=1>Send</button></form><a href="/y">Why</a>"""


def test_form_as_served_sends_what_a_browser_would() -> None:
    assert Page(PAGE).form("name").data() == [
        ("csrf_token", "t"),
        ("name", "Zoë"),
        ("rsvp", "yes"),
        ("size", "2"),
        ("q-1", "a\nb"),
        ("go", "1"),
    ]


def test_form_filled_in_sends_the_new_values_and_refuses_what_is_not_offered() -> None:
    form = Page(PAGE).form("name").set(name="Wim", rsvp="no", size="1", q__1="", ok="on")
    assert form.data() == [
        ("csrf_token", "t"),
        ("name", "Wim"),
        ("rsvp", "no"),
        ("size", "1"),
        ("q-1", ""),
        ("ok", "on"),
        ("go", "1"),
    ]
    with pytest.raises(AssertionError, match="does not offer"):
        form.set(rsvp="perhaps")
    with pytest.raises(AssertionError, match="no field"):
        form.set(surname="x")
    assert (Page(PAGE).link("why"), Page(PAGE).title, csrf(PAGE)) == ("/y", "A & B", "t")


def test_factories_make_an_event_with_people_and_true_seats(make_event, make_registration, session) -> None:
    event = make_event(capacity=5, audience="alumni, staff")
    make_registration(event, party_size=2, answers={"Dietary or access needs": "no nuts"})
    make_registration(event, name="Wim", email="wim@example.org", status="waitlisted")
    assert (event.seats_taken, event.audience_keys, event.slug) == (2, "|alumni|staff|", "a-day-of-reflection")


def test_each_test_begins_with_an_empty_database_and_first_ids(make_event, session) -> None:
    assert session.scalar(sa.select(sa.func.count()).select_from(Event)) == 0
    assert make_event().id == 1


def test_query_counter_counts_statements_and_names_writes(make_event, session) -> None:
    make_event()
    with query_counter() as queries:
        session.execute(sa.select(Event.id))
        session.execute(sa.update(Event).values(title="T"))
    assert (queries.count, len(queries.writes)) == (2, 1)


def test_smtp_server_told_to_misbehave_does(smtp_server) -> None:
    def send(recipient: str) -> None:
        with smtplib.SMTP(smtp_server.host, smtp_server.port, timeout=2) as connection:
            connection.sendmail("a@example.org", [recipient], "Subject: Hello\r\n\r\nThere\r\n")

    send("amira@example.org")
    assert [mail["Subject"] for mail in smtp_server.to("amira@example.org")] == ["Hello"]
    smtp_server.refused["sam@example.org"] = "550 5.1.1 nobody here"
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send("sam@example.org")
    smtp_server.reply = "451 4.7.1 come back later"
    with pytest.raises(smtplib.SMTPDataError):
        send("amira@example.org")
    smtp_server.stall()
    with pytest.raises(smtplib.SMTPServerDisconnected, match="timed out"):
        send("amira@example.org")
    smtp_server.stop()
    with pytest.raises(ConnectionRefusedError):
        send("amira@example.org")
    assert len(smtp_server.messages) == 1


def test_mail_to_a_server_nobody_asked_for_is_noticed() -> None:
    with pytest.raises(ConnectionRefusedError):
        smtplib.SMTP("127.0.0.1", smtp.free_port(), timeout=1)
    assert len(smtp.UNEXPECTED) == 1
    smtp.UNEXPECTED.clear()


def test_every_slow_folder_and_file_exists() -> None:
    assert [path for path in SLOW if not (ROOT / "tests" / path).exists()] == []


def test_closing_line_says_that_slow_tests_were_left_out() -> None:
    assert closing_line(["This machine has no browser."], leaves_out_slow=True) == (
        "Skipped because this machine has no: browser (1 test). "
        "Skipped the slow tests (faults, fuzzers, repeats): `make check` runs them."
    )


def test_closing_line_names_what_the_machine_lacks() -> None:
    assert closing_line(["This machine has no browser."] * 2 + ["This machine has no PostgreSQL."]) == (
        "Skipped because this machine has no: PostgreSQL (1 test), browser (2 tests)."
    )
