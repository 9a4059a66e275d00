"""What an event asks: added, reworded, ordered, retired; answers stay."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from eventreg.events.models import Question
from tests.support.html import Page


def labels(session: Session) -> list[str]:
    query = select(Question.label).where(Question.retired_at.is_(None)).order_by(Question.position, Question.id)
    return list(session.scalars(query))


def act(client: Any, address: str, action: str) -> Page:
    page = Page.of(client.get(address))
    response = page.submit(client, page.form(action=action))
    assert response.status_code == 302
    return Page.of(client.get(address))


def test_question_is_added_reworded_and_moved(olga: Any, make_event: Any, session: Session) -> None:
    event = make_event()
    address = f"/organize/events/{event.slug}/questions"
    page = Page.of(olga.get(address))
    form = page.form("label", "kind").set(label="Which bus?", kind="choice", choices="Early\nLate\nEarly\n")
    assert page.submit(olga, form).status_code == 302
    added = session.scalars(select(Question).where(Question.label == "Which bus?")).one()
    assert (added.kind, added.choices, added.required, added.position) == ("choice", "Early\nLate", False, 2)
    act(olga, address, f"{added.id}/up")
    assert labels(session) == ["Which bus?", "Dietary or access needs"]
    page = Page.of(olga.get(f"{address}/{added.id}"))
    assert page.submit(olga, page.form("label").set(label="Bus", required="y")).status_code == 302
    session.refresh(added)
    assert (added.label, added.required, added.choices) == ("Bus", True, "Early\nLate")


def test_retired_question_leaves_the_form_and_keeps_its_answers(
    olga: Any, client: Any, make_event: Any, make_registration: Any, session: Session
) -> None:
    event = make_event()
    make_registration(event, answers={"Dietary or access needs": "no nuts"})
    address = f"/organize/events/{event.slug}/questions"
    shown = act(olga, address, "1/retire")
    assert "No longer asked Their answers are kept" in shown.text
    assert "Dietary" not in Page.of(client.get(f"/events/{event.slug}/rsvp")).text
    assert "no nuts" in olga.get(f"/organize/events/{event.slug}/attendees.csv").get_data(as_text=True)
    assert "no nuts" in Page.of(olga.get(f"/organize/events/{event.slug}/attendees/1")).text
    act(olga, address, "1/restore")
    assert labels(session) == ["Dietary or access needs"]


def test_question_without_words_or_choices_is_refused_at_its_field(olga: Any, make_event: Any) -> None:
    event = make_event()
    page = Page.of(olga.get(f"/organize/events/{event.slug}/questions"))
    response = page.submit(olga, page.form("label", "kind").set(hint="typed"))
    assert response.status_code == 422
    assert "Write the question." in Page.of(response).text
    assert 'value="typed"' in response.get_data(as_text=True)
    response = page.submit(olga, page.form("label", "kind").set(label="Bus?", kind="choice", choices="One"))
    assert "Write at least two choices, one on each line." in Page.of(response).text


def test_question_of_another_event_is_not_found(olga: Any, make_event: Any, session: Session) -> None:
    event = make_event()
    other = make_event(title="Other")
    foreign = session.scalars(select(Question).where(Question.event_id == other.id)).one()
    address = f"/organize/events/{event.slug}/questions/{foreign.id}"
    page = Page.of(olga.get(f"/organize/events/{event.slug}/questions"))
    token = dict(page.form("label", "kind").data())["csrf_token"]
    assert olga.get(address).status_code == 404
    for action in ("", "/up", "/down", "/retire", "/restore"):
        assert olga.post(address + action, data={"csrf_token": token, "label": "x"}).status_code == 404
    assert olga.get(f"/organize/events/{event.slug}/questions/{10**30}").status_code == 404
