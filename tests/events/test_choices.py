from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from eventreg.events.choices import Choice, Choices, choices
from eventreg.events.models import Event
from tests.support.queries import query_counter

MakeEvent = Callable[..., Event]


def test_choices_name_what_listed_events_name(session: Session, make_event: MakeEvent, now: datetime) -> None:
    make_event(category="Talks", audience=("Staff", "Alumni"))
    make_event(category="Walks", audience=("Staff",), starts_at=now - timedelta(days=9))
    make_event(category="Hidden", audience=("Nobody",), visibility="unlisted")
    assert choices(session, now=now) == Choices(
        categories=(
            Choice("talks", "Talks", upcoming=True, past=False),
            Choice("walks", "Walks", upcoming=False, past=True),
        ),
        audiences=(
            Choice("alumni", "Alumni", upcoming=True, past=False),
            Choice("staff", "Staff", upcoming=True, past=True),
        ),
    )


def test_latest_spelling_of_a_name_wins(session: Session, make_event: MakeEvent, now: datetime) -> None:
    make_event(category="talks", starts_at=now - timedelta(days=9))
    make_event(category="Talks", starts_at=now + timedelta(days=9))
    make_event(category="TALKS", starts_at=now + timedelta(days=1))
    (only,) = choices(session, now=now).categories
    assert only == Choice("talks", "Talks", upcoming=True, past=True)


def test_choices_cost_two_statements_however_many_there_are(
    session: Session, make_event: MakeEvent, now: datetime
) -> None:
    for number in range(9):
        make_event(category=f"Kind {number}", audience=(f"Group {number}",))
    with query_counter() as queries:
        assert len(choices(session, now=now).categories) == 9
    assert queries.count == 2
