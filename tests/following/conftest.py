"""A calendar server, and a fetcher that may ask it: the judge of addresses is an argument, in no setting."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from eventreg.following.fetching import Fetcher
from tests.support import https
from tests.support.https import HttpsServer


@pytest.fixture(scope="module")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpsServer]:
    folder: Path = tmp_path_factory.mktemp("https")
    with https.running(folder) as server:
        yield server


@pytest.fixture
def server(_server: HttpsServer) -> HttpsServer:
    """The server, with nothing on it yet."""
    _server.pages.clear()
    _server.asked.clear()
    return _server


@pytest.fixture
def fetcher(server: HttpsServer) -> Fetcher:
    """May ask this machine."""
    return Fetcher(own_host="events.example.org", is_allowed=lambda _address, _port: True, trust=server.trust)
