"""Whether a mail written from what others' mails have in common is the one that is written for its reader alone."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from flask import Flask

from eventreg.calendar.stencil import Stencils
from eventreg.mail import compose, gather
from eventreg.mail.compose import Subject
from eventreg.mail.form_letter import Bodies, FormLetter
from tests.mail.test_compose import HOSTILE, REGISTRATION_MAILS
from tests.support.calendars import amira, celebration
from tests.support.letters import ANSWERS, row, site, templates_app

PEOPLE: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    ({"id": 7}, ANSWERS),
    ({"id": 8, "name": HOSTILE, "link_generation": 300}, [("Needs", HOSTILE)]),
    ({"id": 9, "name": "\0"}, [("Needs", "\0"), ("<b>Why</b>", "a\n\n\n\n\nb\u2028c")]),
    ({"id": 10, "name": "0; 1;"}, [("Needs", " \n"), ("Why", "because")]),
    ({"id": 11, "name": "Wim"}, []),
    ({"id": 12, "name": "Zoë " * 30}, [("Needs", "é" * 400), ("Why", "<br>" * 90)]),
    ({"id": 13, "name": "Sam"}, [("Needs", "no nuts"), ("Why", "why not")]),
]
VISIBILITIES = ("public", "private")
"""A private event has no page but everybody's own."""


class RenderedAlone:
    """What a form letter stands for."""

    def __init__(self, render: Callable[[Sequence[str]], Bodies], own: Sequence[str]) -> None:
        self.filled = render


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    return templates_app(tmp_path_factory.mktemp("instance"))


def mails(app: Flask) -> list[bytes]:
    """Every kind for everybody, of two events in turn."""
    made, stencils, templates = [], Stencils(), gather.templates_of(app)
    messages = [*REGISTRATION_MAILS.values(), (row("reply_taken", rsvp="no", undo=[1, "yes"], answered="no"), {})]
    for message, given in messages:
        registration, event = given.get("registration", amira()), given.get("event", celebration())
        for number, visibility in enumerate(VISIBILITIES):
            event = celebration(
                id=number + 1, visibility=visibility, status=event.status, directions=event.directions, sequence=3
            )
            for person, answers in PEOPLE:
                who = amira(**{"rsvp": registration.rsvp, "status": registration.status} | person)
                subject = Subject(event, who, answers, is_in_calendar=given.get("is_in_calendar", False))
                with app.app_context():
                    letter = compose.about_registration(
                        message, subject, site=site(), templates=templates, stencils=stencils
                    )
                made.append(letter.content)
    return made


def test_everybodys_mail_is_byte_for_byte_the_one_rendered_alone(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    from_forms = mails(app)
    monkeypatch.setattr(compose, "FormLetter", RenderedAlone)
    assert from_forms == mails(app)


def test_one_form_serves_all_who_are_told_the_same(app: Flask) -> None:
    rendered: list[Sequence[str]] = []

    def render(own: Sequence[str]) -> Bodies:
        rendered.append(own)
        return Bodies("Hello", f"Dear {own[0]}, {own[1]}{own[0]}.\n", f"<p>{own[1]}</p>")

    form = FormLetter(render, ["Amira", "https://example.org"])
    assert form.filled(["Zoë", "<1;>"]) == Bodies("Hello", "Dear Zoë, <1;>Zoë.\n", "<p>&lt;1;&gt;</p>")
    assert form.filled(["Wim", "2"]) == Bodies("Hello", "Dear Wim, 2Wim.\n", "<p>2</p>")
    assert len(rendered) == 1


def test_a_subject_that_would_hold_somebodys_own_words_is_refused() -> None:
    with pytest.raises(ValueError, match="subject"):
        FormLetter(lambda own: Bodies(f"Dear {own[0]}", "", ""), ["Amira"])
