"""Two web hosts and a worker host on one PostgreSQL host, each with its own network and files; some are cut off."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from eventreg import clock
from eventreg.events.models import Event
from tests.support import live, making
from tests.support.clusters import Cluster, running_cluster
from tests.support.hosts import Network, running_network
from tests.support.load import GONE, NOT_READY, Load, Visitor, heading
from tests.support.needs import ROOT
from tests.support.promises import COMING, assert_kept
from tests.support.smtp import ALLOWED, SmtpServer, settings_for, wait_until

pytestmark = pytest.mark.postgresql

PATIENCE = 5.0
"""Seconds after which people try the other host."""
ASK = """
import json, sys
from tests.support.load import Visitor, heading
status, text, headers = Visitor(patience=30).send(sys.argv[1])
print(json.dumps([status, heading(text), headers["Retry-After"]]))
"""


@pytest.fixture
def network() -> Iterator[Network]:
    with running_network() as made:
        yield made


@pytest.fixture
def cluster(network: Network) -> Iterator[Cluster]:
    with running_cluster(host=network.add("db"), inside=network.inside("db")) as made:
        yield made


@pytest.fixture
def database_url(cluster: Cluster, tmp_path: Path) -> str:
    making.migrate(cluster.url, tmp_path)
    return cluster.url


@pytest.fixture
def sink(network: Network) -> Iterator[SmtpServer]:
    """A mail server that every host reaches."""
    server = SmtpServer()
    server.host = network.gateway
    server.start()
    yield server
    server.stop()
    ALLOWED.discard(server.port)


class Site:
    """The hosts' processes; each host has an instance folder of its own."""

    def __init__(self, network: Network, instance: Path, database_url: str, sink: SmtpServer) -> None:
        self._network = network
        self._folder = instance
        self._settings = {"DATABASE_URL": database_url, "BASE_URL": "http://events.example.org"} | settings_for(sink)
        self._stack = ExitStack()

    def web(self, name: str) -> live.LiveServer:
        address = self._network.add(name)
        server = live.start(
            instance=self._folder / name,
            host=address,
            inside=self._network.inside(name),
            more=["--web-only", "--workers", "2"],
            **self._settings,
        )
        self._stack.callback(server.kill)
        return server

    def worker(self, name: str) -> None:
        self._network.add(name)
        folder = self._folder / name
        folder.mkdir()
        log = self._stack.enter_context((folder / "worker.log").open("ab"))
        process = subprocess.Popen(
            [*self._network.inside(name), *live.EVENTREG, "worker"],
            cwd=ROOT,
            env=live.environment(folder, SECRET_KEY=making.SECRET_KEY, **self._settings),
            stdout=log,
            stderr=log,
        )
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)

    def close(self) -> None:
        self._stack.close()


@pytest.fixture
def site(network: Network, instance: Path, database_url: str, sink: SmtpServer) -> Iterator[Site]:
    made = Site(network, instance, database_url, sink)
    yield made
    made.close()


def asked_from_within(network: Network, host: str, url: str) -> list[object]:
    """Status, heading and Retry-After of a page, asked for on that host itself."""
    command = [*network.inside(host), sys.executable, "-c", ASK, url]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def is_ready(server: live.LiveServer) -> bool:
    with suppress(*GONE):
        return Visitor(patience=PATIENCE).send(server.url("/readyz"))[0] == 200
    return False


def test_hosts_that_are_cut_off_and_come_back_lose_nothing_and_take_no_seat_too_many(
    network: Network, site: Site, session: Session, make_event: Callable[..., Event], sink: SmtpServer
) -> None:
    event = make_event(capacity=25, starts_at=clock.now() + timedelta(days=30), questions=[])
    event_id, path = event.id, f"/events/{event.slug}/rsvp"
    session.rollback()
    first, second = site.web("web1"), site.web("web2")
    site.worker("mail")

    # A form of one host is sent to the other: they share the key and the database, and no session sticks.
    amira = Visitor()
    form = amira.fill_in(first.url(path), name="Amira", email="amira@example.org", rsvp="yes")
    status, thanks, _headers = amira.post(second.url(path), form)
    assert (status, heading(thanks)) == (200, COMING)

    wait_until(lambda: is_ready(second), what="the worker host's sign of life")
    with Load([first.base_url, second.base_url], path, patience=PATIENCE) as load:
        load.wait_for(4)
        network.cut("web1")
        network.cut("mail")
        # On the host that is cut off, a clear page in its time; on the other, business as usual.
        assert asked_from_within(network, "web1", first.url(path)) == [503, NOT_READY, "10"]
        load.wait_for(4)
        network.mend("web1")
        network.mend("mail")
        wait_until(lambda: is_ready(first), what="the return of the first web host")
        load.wait_for(4)
        load.stop()
    assert load.broken > 0
    assert {(one.status, one.heading) for one in load.refusals} <= {(503, NOT_READY)}
    assert_kept(session, event_id, load, sink)
    assert sorted(path.name for path in first.instance.iterdir()) == ["serve.log"]
