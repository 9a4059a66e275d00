"""The attendee list, and one person on it: added, put right, mailed again, moved up, cancelled."""

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from eventreg.audit import AuditEntry
from eventreg.outbox.models import Message
from eventreg.registrations.models import Answer, Registration
from tests.support.html import Page
from tests.support.queries import query_counter


@pytest.fixture
def event(make_event: Any) -> Any:
    """Five places, parties of up to four."""
    return make_event(capacity=5)


@pytest.fixture
def people(event: Any) -> str:
    """The address of its attendee list."""
    return f"/organize/events/{event.slug}/attendees"


def send(client: Any, address: str, action: str = "", **values: Any) -> Any:
    """Fills in the form of a page and sends it."""
    page = Page.of(client.get(address))
    form = page.form(action=action) if action else page.form("rsvp")
    return page.submit(client, form.set(**values))


def mails(session: Session) -> list[tuple[str, str]]:
    return [(one.kind, one.recipient) for one in session.scalars(select(Message).order_by(Message.id))]


def only(session: Session) -> Registration:
    session.expire_all()
    return session.scalars(select(Registration)).one()


def test_person_is_added_after_registration_closed_told_and_noted(
    olga: Any, event: Any, people: str, session: Session
) -> None:
    event.registration_closes_at = datetime(2026, 10, 1, tzinfo=UTC)
    response = send(
        olga, f"{people}/new", name=" Amira\tHaddad ", email="Amira@Example.org", party_size="2", q__1="nuts"
    )
    assert (response.status_code, response.location) == (302, people)
    added = only(session)
    assert (added.name, added.email, added.email_key, added.rsvp, added.status, added.party_size, added.source) == (
        "Amira Haddad",
        "Amira@example.org",
        "amira@example.org",
        "yes",
        "confirmed",
        2,
        "organizer",
    )
    assert session.scalars(select(Answer.value)).all() == ["nuts"]
    assert mails(session) == [("confirmation", "Amira@example.org")]
    entry = session.scalars(select(AuditEntry).where(AuditEntry.registration_id == added.id)).one()
    assert (entry.actor_name, entry.action) == ("Olga Ortega", "registration.added")
    session.refresh(event)
    assert event.seats_taken == 2


def test_person_added_without_mail_is_mailed_nothing(olga: Any, people: str, session: Session) -> None:
    send(olga, f"{people}/new", name="Amira", email="amira@example.org", tell=[])
    assert mails(session) == []


def test_party_larger_than_the_places_left_is_refused_whole_or_waits(
    olga: Any, event: Any, people: str, make_registration: Any, session: Session
) -> None:
    make_registration(event, party_size=4)
    refused = send(olga, f"{people}/new", name="Wim", email="wim@example.org", party_size="3")
    assert refused.status_code == 422
    assert "Only 1 place is left, and your party is 3." in Page.of(refused).text
    assert 'value="wim@example.org"' in refused.get_data(as_text=True)
    assert only(session).name == "Amira Haddad"
    send(olga, f"{people}/new", name="Wim", email="wim@example.org", party_size="3", join_waitlist="y")
    wim = session.scalars(select(Registration).where(Registration.name == "Wim")).one()
    assert (wim.status, wim.party_size) == ("waitlisted", 3)


def test_person_who_is_on_the_list_already_is_refused_at_the_address(
    olga: Any, event: Any, people: str, make_registration: Any
) -> None:
    make_registration(event)
    response = send(olga, f"{people}/new", name="Again", email="AMIRA@example.org")
    assert response.status_code == 422
    assert "This address is registered already." in Page.of(response).text
    assert 'id="email-error"' in response.get_data(as_text=True)


def test_corrected_address_gets_its_own_link_and_kills_the_old_one(
    olga: Any, client: Any, event: Any, people: str, make_registration: Any, session: Session, app: Any
) -> None:
    amira = make_registration(event, email="amira@exmaple.org")
    links = app.extensions["eventreg.links"]
    old = f"/r/{links.manage_token(amira.id, amira.link_generation)}"
    assert client.get(old).status_code == 200
    response = send(olga, f"{people}/{amira.id}", email="amira@example.org", note="typo, she rang")
    assert "The link mailed to amira@exmaple.org no longer works." in Page.of(olga.get(response.location)).text
    right = only(session)
    assert (right.email, right.note, right.link_generation) == ("amira@example.org", "typo, she rang", 2)
    assert mails(session)[-1][1] == "amira@example.org"
    assert client.get(old).status_code == 404
    assert client.get(f"/r/{links.manage_token(amira.id, 2)}").status_code == 200
    assert "typo, she rang" not in client.get(f"/r/{links.manage_token(amira.id, 2)}").get_data(as_text=True)


def test_answer_put_right_keeps_the_seats_true(
    olga: Any, event: Any, people: str, make_registration: Any, session: Session
) -> None:
    amira = make_registration(event, party_size=3)
    send(olga, f"{people}/{amira.id}", rsvp="no", q__1="two\r\nlines")
    session.refresh(event)
    assert (only(session).rsvp, event.seats_taken) == ("no", 0)
    assert session.scalars(select(Answer.value)).all() == ["two\nlines"]
    bad = send(olga, f"{people}/{amira.id}", name="", email="nobody", party_size="9")
    assert bad.status_code == 422
    html = bad.get_data(as_text=True)
    assert all(f'id="{name}-error"' in html for name in ("name", "email", "party_size"))


def test_required_question_does_not_stop_an_organizer(olga: Any, make_event: Any, session: Session) -> None:
    event = make_event(questions=[{"label": "Bus?", "required": True}])
    response = send(olga, f"/organize/events/{event.slug}/attendees/new", name="Amira", email="amira@example.org")
    assert response.status_code == 302
    assert only(session).status == "confirmed"


def test_mail_again_from_the_list_owes_the_mail_and_says_what_is_true(
    olga: Any, event: Any, people: str, make_registration: Any, session: Session
) -> None:
    amira = make_registration(event)
    response = send(olga, people, action=f"{amira.id}/resend")
    assert response.location == f"{people}#person-{amira.id}"
    shown = Page.of(olga.get(people)).text
    assert mails(session) == [("confirmation", "amira@example.org")]
    assert "1 mail was written and kept on the server: no mail server is set up." in shown
    assert "Confirmation: waiting to be sent" in shown


def test_row_shows_the_mail_servers_own_words(
    olga: Any, event: Any, people: str, make_registration: Any, session: Session
) -> None:
    amira = make_registration(event)
    send(olga, people, action=f"{amira.id}/resend")
    message = session.scalars(select(Message)).one()
    message.state, message.server_reply = "failed", "550 5.1.1 <b>No such user</b>"
    session.commit()
    html = olga.get(people).get_data(as_text=True)
    assert "Confirmation: not delivered" in html
    assert "550 5.1.1 &lt;b&gt;No such user&lt;/b&gt;" in html


def test_cancelling_frees_the_seat_for_the_first_who_waits(
    olga: Any, event: Any, people: str, make_registration: Any, session: Session
) -> None:
    amira = make_registration(event, party_size=4)
    wim = make_registration(event, name="Wim", email="wim@example.org", party_size=3, status="waitlisted")
    response = send(olga, f"{people}/{amira.id}", action="cancel")
    assert "The registration is cancelled." in Page.of(olga.get(response.location)).text
    session.refresh(wim)
    session.refresh(event)
    assert (wim.status, event.seats_taken) == ("confirmed", 3)
    assert mails(session) == [("withdrawn", "amira@example.org"), ("promotion", "wim@example.org")]


def test_waiting_party_is_moved_up_by_hand_when_it_fits(
    olga: Any, event: Any, people: str, make_registration: Any, session: Session
) -> None:
    make_registration(event, party_size=3)
    wim = make_registration(event, name="Wim", email="wim@example.org", party_size=3, status="waitlisted")
    mia = make_registration(event, name="Mia", email="mia@example.org", party_size=2, status="waitlisted")
    response = send(olga, f"{people}/{wim.id}", action="promote")
    assert "The party does not fit into the free places." in Page.of(olga.get(response.location)).text
    send(olga, f"{people}/{mia.id}", action="promote")
    session.refresh(mia)
    session.refresh(wim)
    assert (mia.status, wim.status) == ("confirmed", "waitlisted")


def test_list_searches_filters_and_sorts_and_the_export_does_the_same(
    olga: Any, event: Any, people: str, make_registration: Any
) -> None:
    make_registration(event, name="Zoë O'Brien", email="zoe@example.org", party_size=2)
    make_registration(event, name="Amira")
    make_registration(event, name="Wim", email="wim@example.org", rsvp="maybe")
    page = Page.of(olga.get(people))
    assert "3 registrations" in page.text
    by_name = olga.get(page.link("Name")).get_data(as_text=True)
    assert 'aria-sort="ascending"' in by_name
    assert by_name.index("Amira") < by_name.index("Wim") < by_name.index("Zoë")
    turned = olga.get(Page(by_name, people).link("Name ↑")).get_data(as_text=True)
    assert 'aria-sort="descending"' in turned
    assert turned.index("Zoë") < turned.index("Amira")
    attending = Page.of(olga.get(f"{people}?status=attending&q=ZOE&sort=nonsense&page=99"))
    assert "Zoë O'Brien" in attending.text
    assert "1 registration" in attending.text
    assert "Wim" not in attending.text
    file = olga.get(attending.link("CSV"))
    assert file.mimetype == "text/csv"
    assert file.headers["Content-Disposition"] == f'attachment; filename="{event.slug}-attendees.csv"'
    rows = list(csv.DictReader(io.StringIO(file.get_data().decode("utf-8-sig"))))
    assert [row["Name"] for row in rows] == ["Zoë O'Brien"]
    assert "Nobody here fits that." in Page.of(olga.get(f"{people}?q=%00nobody")).text
    assert "Nobody here fits that." in Page.of(olga.get(f"{people}?status=nonsense")).text
    assert olga.get(f"{people}.json?status=nonsense").get_json() == []
    assert olga.get(f"{people}?status=confirmed").status_code == 200


def test_list_comes_in_pages_of_fifty(olga: Any, make_event: Any, make_registration: Any) -> None:
    event = make_event()
    for number in range(51):
        make_registration(event, name=f"Person {number:02}", email=f"p{number}@example.org")
    first = Page.of(olga.get(f"/organize/events/{event.slug}/attendees?sort=name"))
    assert "Person 49" in first.text
    assert "Person 50" not in first.text
    assert "Person 50" in Page.of(olga.get(first.link("Next"))).text
    rows = olga.get(f"/organize/events/{event.slug}/attendees.json").get_json()
    assert len(rows) == 51


@pytest.mark.sqlite_only
def test_list_asks_the_database_as_often_for_many_people_as_for_one(
    olga: Any, make_event: Any, make_registration: Any
) -> None:
    event = make_event()
    make_registration(event)
    address = f"/organize/events/{event.slug}/attendees"
    olga.get(address)
    with query_counter() as few:
        olga.get(address)
    for number in range(20):
        make_registration(event, name=f"P{number}", email=f"p{number}@example.org")
    with query_counter() as many:
        olga.get(address)
    assert few.count == many.count <= 7


def test_registration_of_another_event_is_not_found(
    olga: Any, event: Any, people: str, make_event: Any, make_registration: Any, session: Session
) -> None:
    foreign = make_registration(make_event(title="Other"))
    mine = make_registration(event, email="mine@example.org")
    token = dict(Page.of(olga.get(f"{people}/{mine.id}")).form("rsvp").data())["csrf_token"]
    for number in (foreign.id, 999, 10**30):
        assert olga.get(f"{people}/{number}").status_code == 404
        for action in ("", "/resend", "/cancel", "/promote"):
            assert olga.post(f"{people}/{number}{action}", data={"csrf_token": token}).status_code == 404
    session.refresh(foreign)
    assert (foreign.status, mails(session)) == ("confirmed", [])


def test_pages_lead_on_and_back_by_where_they_end(olga: Any, make_registration: Any, event: Any, people: str) -> None:
    event.capacity = 500
    for number in range(120):
        make_registration(event, name=f"P{number:03}", email=f"p{number}@example.org")
    first = Page.of(olga.get(f"{people}?sort=name&status=attending"))
    second = Page.of(olga.get(first.link("Next")))
    third = Page.of(olga.get(second.link("Next")))
    assert ("P049" in first.text, "P050" in second.text, "P099" in second.text) == (True, True, True)
    assert ("P100" in third.text, "Page 3 of 3" in third.text) == (True, True)
    assert "P050" in Page.of(olga.get(third.link("Previous"))).text
    assert "P000" in Page.of(olga.get(second.link("Previous"))).text
    # The file and another order begin at the beginning.
    assert not any("after=" in third.link(words) for words in ("CSV", "E-mail"))
    assert "Page 2 of 3" in Page.of(olga.get(f"{people}?page=2&after=x&before=99999999999999999999")).text
