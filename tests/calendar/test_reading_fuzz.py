"""Ten thousand files gone wrong: reading never raises, never hangs, and takes nothing that is nonsense."""

import re
from datetime import UTC, datetime, timedelta

from eventreg.calendar.reading import FARTHEST, read
from eventreg.events import search
from eventreg.events.importing import LARGEST_SEQUENCE, Item
from eventreg.events.values import check
from tests.calendar import mutations

NOW = datetime(2026, 10, 5, 16, 0, tzinfo=UTC)
NOT_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def faults(item: Item) -> list[str]:
    """What is wrong with an item that was taken."""
    values = item.values
    check(values)
    texts = (item.uid, values.title, values.description, values.location_name, values.location_address, values.category)
    rules = {
        "times": NOW - timedelta(days=367) < values.starts_at < values.ends_at <= NOW + FARTHEST + timedelta(days=368),
        "length": values.ends_at - values.starts_at <= timedelta(days=368),
        "numbers": 0 <= item.sequence <= LARGEST_SEQUENCE,
        "text": not any(NOT_TEXT.search(text) for text in texts),
        "lines": not any("\n" in text for text in texts if text is not values.description),
        "uid": 0 < len(item.uid) <= 255,
        "title": 0 < len(values.title) <= 200,
        "place": len(values.location_name) <= 200 and len(values.location_address) <= 400,
        "category": len(values.category) <= 60 and len(search.name_key(values.category)) <= 60,
        "description": len(values.description) <= 20_000,
    }
    return [name for name, holds in rules.items() if not holds]


def test_ten_thousand_mutated_files_bring_nothing_that_is_nonsense() -> None:
    bad: list[tuple[int, list[str]]] = []
    taken = skipped = 0
    for number, data in enumerate(mutations.mutated(20261005, 10_000)):
        found = read(data, now=NOW, default_timezone="America/New_York", horizon=NOW + timedelta(days=60))
        taken += len(found.items)
        skipped += len(found.skipped)
        bad += [(number, wrong) for item in found.items if (wrong := faults(item))]
    assert bad == []
    assert (taken > 10_000, skipped > 1_000) == (True, True), "the files are too broken to prove anything"
