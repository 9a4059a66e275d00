"""Words are found however their quotes, dashes and letters are written, in every search."""

import importlib.util
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from eventreg import migrations
from eventreg.db import write_transaction
from eventreg.events.search import fold, key
from eventreg.organizers.models import Organizer
from eventreg.registrations.models import Registration
from tests.support.html import Page

PAIRS = (
    ("women's", "Women\u2019s"),
    ("covid-19", "COVID\u201319"),
    ("co-op", "co\u2011op"),
    ("cooperate", "co\u00adoperate"),
    ('"open day"', "\u201cOpen Day\u201d"),
    ("office", "o\ufb03ce"),
    ("strasse", "Straße"),
    ("fussball", "FUẞBALL"),
    ("soren", "Søren"),
    ("aesthetics", "Æsthetics"),
    ("oeuvre", "œuvre"),
    ("lodz", "Łódź"),
    ("cafe", "CAFÉ"),
    ("cafe", "cafe\u0301"),
    ("rock'n'roll", "Rock`n\u00b4Roll"),
    ("istanbul", "İstanbul"),
    ("3 pm", "3\u00a0pm"),
    ("wait...", "wait…"),
    ("foobar", "foo\u200bbar"),
    ("2026", "２０２６"),
    ("bold", "𝐁𝐨𝐥𝐝"),
)


@pytest.mark.parametrize(("plain", "typographic"), PAIRS)
def test_plain_and_typographic_forms_fold_alike(plain: str, typographic: str) -> None:
    assert fold(plain) == fold(typographic) == fold(fold(typographic))


def test_key_of_an_address_stays_what_it_was() -> None:
    assert [key(name) for name in ("Women\u2019s Talks", "Ærø", "Straße", "Café")] == [
        "women-s-talks",
        "r",
        "strasse",
        "cafe",
    ]


SEARCHES = ("/", "/events/", "/calendar/2026/10", "/calendar.ics", "/feed.atom", "/organize/")


@pytest.mark.parametrize("address", SEARCHES)
def test_event_is_found_by_either_form_in_every_search(address: str, olga, make_event, now) -> None:
    title = "Women\u2019s health: COVID\u201319"
    make_event(title=title, starts_at=now + timedelta(days=5))
    for words in ("women's", "women\u2019s", "covid-19", "covid\u201419", "womens"):
        found = olga.get(address, query_string={"q": words}).text
        assert ("health" in found) == (words != "womens"), words


def test_person_is_found_by_either_form(olga, make_event, make_registration) -> None:
    event = make_event()
    make_registration(event, name="Søren O\u2019Neill\u2013Straße", email="soren@example.org")
    for words in ("o'neill", "O\u2019NEILL", "neill-strasse", "soren", "SØREN"):
        page = Page.of(olga.get(f"/organize/events/{event.slug}/attendees", query_string={"q": words}))
        assert "soren@example.org" in page.text, words
    assert "soren@example.org" not in olga.get(f"/organize/events/{event.slug}/attendees?q=oneill").text


def test_stored_text_of_an_older_database_is_found_after_the_migration(
    session, client, olga, make_event, make_registration
) -> None:
    event = make_event(title="Women\u2019s health")
    make_registration(event, name="Søren O\u2019Neill", email="soren@example.org")
    slug = event.slug
    organizer = session.scalars(sa.select(Organizer)).first()
    with write_transaction(session):
        session.execute(sa.text("UPDATE events SET search_text = 'women\u2019s health: the œuvre \u2014 part 2'"))
        session.execute(sa.update(Registration).values(search_text="søren o\u2019neill soren@example.org"))
        session.execute(sa.update(Organizer).where(Organizer.id == organizer.id).values(email="zoe@bücher.example"))
    assert "health" not in client.get("/events/?q=women%27s").text
    with write_transaction(session):
        run_migration(session.connection())
    assert session.scalar(sa.text("SELECT search_text FROM events")) == "women's health: the oeuvre - part 2"
    for words in ("women's", "women\u2019s", "oeuvre"):
        assert "health" in client.get("/events/", query_string={"q": words, "page": 1}).text
    assert "soren@example.org" in olga.get(f"/organize/events/{slug}/attendees?q=soren+o%27neill").text
    assert session.scalar(sa.select(Organizer.email)) == "zoe@xn--bcher-kva.example"


def run_migration(connection: Any) -> None:
    """The migration that folds, on a database that has had it."""
    folder = Path(migrations.__file__).parent / "versions"
    (file,) = folder.glob("*_fold_search_text_again.py")
    spec = importlib.util.spec_from_file_location("fold_search_text_again", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with Operations.context(MigrationContext.configure(connection)):
        module.upgrade()
