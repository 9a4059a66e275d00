"""Answers to one event wait for one row, so the threads of a process go one by one; others are not held up."""

import threading
import time
from pathlib import Path

import pytest

from eventreg import turns
from eventreg.db import db
from tests.support.html import csrf


@pytest.fixture
def answer(app, make_client):
    """Sends an answer to the event at that address, from a visitor of their own; the status."""

    def send(slug: str) -> int:
        client = make_client()
        client.session = None
        token = csrf(client.get(f"/events/{slug}/rsvp").text)
        data = {"name": "Amira", "email": "a@example.org", "rsvp": "yes", "party_size": "1", "csrf_token": token}
        return client.post(f"/events/{slug}/rsvp", data=data).status_code

    return send


def test_answers_to_one_event_go_one_by_one_and_hold_up_no_other(make_event, session, answer) -> None:
    wanted, other = make_event().slug, make_event().slug
    while turns._line_for(wanted) is turns._line_for(other):
        other = make_event().slug
    session.commit()
    url = db.engine.url
    whole_file = Path(str(url.database)) if url.get_backend_name() == "sqlite" else None
    statuses = list[int]()
    late = threading.Thread(target=lambda: statuses.append(answer(wanted)))
    with turns.line(whole_file or wanted, patience=30):
        late.start()
        while not turns._line_for(whole_file or wanted)._waiting:
            time.sleep(0.001)
        if not whole_file:  # SQLite has one writer, whatever is written
            assert answer(other) == 303
        assert statuses == []
    late.join()
    assert statuses == [303]
