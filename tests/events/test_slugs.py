"""An event's address: its title, numbered by the first number that is free."""

import random
from datetime import datetime, timedelta
from itertools import count

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from eventreg.events import slugs
from eventreg.events.models import Event
from tests.support.queries import query_counter


@pytest.fixture
def olga_id(make_organizer) -> int:
    return make_organizer().id


def keep(session: Session, organizer_id: int, now: datetime, addresses: list[str]) -> None:
    """Puts events of those addresses there, all at once."""
    session.execute(
        sa.insert(Event),
        [
            {
                "uid": f"{slug}@x", "slug": slug, "organizer_id": organizer_id, "title": slug, "timezone": "UTC",
                "starts_at": now, "ends_at": now + timedelta(hours=1), "created_at": now, "updated_at": now,
            }
            for slug in addresses
        ],
    )  # fmt: skip


def one_after_the_other(taken: set[str], titles: list[str]) -> list[str]:
    """What the addresses are by their definition."""
    chosen: list[str] = []
    for title in titles:
        names = (f"{title}-{number}" if number > 1 else title for number in count(1))
        chosen.append(next(name for name in names if name not in taken and name not in chosen))
    return chosen


@pytest.mark.sqlite_only
@pytest.mark.parametrize("seed", range(20))
def test_addresses_are_those_that_are_found_one_after_the_other(session, olga_id, now, seed: int) -> None:
    chance = random.Random(seed)
    bases = ["a", "a-2", "a-2-2", "b", "new"]
    possible = [*bases, *(f"{base}-{number}" for base in bases for number in range(2, 60))]
    there = {slug for slug in possible if chance.random() < seed / 20} - {"new"}
    if there:
        keep(session, olga_id, now, sorted(there))
    titles = chance.choices(bases, k=chance.randrange(1, 80))
    assert slugs.free(session, titles) == one_after_the_other(there | {"new"}, titles)


def test_statements_grow_far_less_than_the_events_of_one_title(session, olga_id, now) -> None:
    keep(session, olga_id, now, ["talk", *(f"talk-{number}" for number in range(2, 2_000))])
    keep(session, olga_id, now, ["weekly", "weekly-2"])
    with query_counter() as queries:
        assert slugs.free(session, ["Talk", "Weekly", *(f"Day {number}" for number in range(48))]) == [
            "talk-2000",
            "weekly-3",
            *(f"day-{number}" for number in range(48)),
        ]
    # 16 of its addresses at first, then twice as far each time: 32, 64, 128, 256, 512, 1024, 2048.
    assert queries.count == 8
