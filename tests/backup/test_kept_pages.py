"""Putting a copy back under a service that goes on running; the command itself is tried in `tests/cli/test_main.py`."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from eventreg import backup
from eventreg.events.models import Event


@pytest.mark.parametrize("path", ["/events/talk", "/events/"])
def test_no_page_of_before_is_shown_for_one_of_what_was_put_back(
    app: Flask, client: FlaskClient, session: Session, make_event: Callable[..., Event], tmp_path: Path, path: str
) -> None:
    event_id = make_event(slug="talk", capacity=10).id

    def make_room_for(places: int) -> None:
        session.get_one(Event, event_id).capacity = places
        session.commit()

    make_room_for(20)
    backup.write(app, tmp_path / "copy.tar.gz")
    make_room_for(30)
    assert "30 of 30 places left" in client.get(path).text
    backup.restore(app, tmp_path / "copy.tar.gz", force=True)
    # As many changes as before it was put back, but another one.
    make_room_for(40)
    assert "40 of 40 places left" in client.get(path).text
