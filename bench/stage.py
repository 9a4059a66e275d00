"""What all figures share: how long, on what, and the hello-world server every page is held against."""

import contextlib
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import ParamSpec, TypeVar

from bench import client, servers
from bench.databases import Databases
from eventreg import clock

WORKERS = 2
CLIENTS = 8
P = ParamSpec("P")
T = TypeVar("T")


class Stage:
    """One run. `quick` means one short round on little data, to see that everything works."""

    def __init__(self, *, quick: bool, say: Callable[[str], None]) -> None:
        self.quick = quick
        self.rounds = 1 if quick else 3
        self.seconds = 2.0 if quick else 5.0
        self.say = say
        """Tells a person who watches what is being done."""
        self.now: datetime = clock.now()
        self.databases = Databases()
        self.client_processor_seconds = 0.0
        self.client_requests = 0
        self._stack = contextlib.ExitStack()
        self._hello: servers.Server | None = None
        self._services = 0

    def size(self, full: int, quick: int) -> int:
        """How much of something, in a real run and in a quick one."""
        return quick if self.quick else full

    @property
    def folder(self) -> Path:
        """A place for files of this run."""
        return self.databases.folder

    @property
    def hello(self) -> servers.Server:
        """The hello-world server; its constants are files of `folder / "hello"`."""
        if self._hello is None:
            self._hello = self._stack.enter_context(servers.hello(folder=self.folder / "hello", workers=WORKERS))
        return self._hello

    @contextmanager
    def database(self, kind: str, name: str) -> Iterator[str]:
        """A migrated database for as long as it is needed."""
        url = self.databases.make(kind, name)
        try:
            yield url
        finally:
            self.databases.drop(url)

    @contextmanager
    def service(self, database_url: str, *, workers: int = WORKERS, **given: object) -> Iterator[client.Address]:
        """The service on that database, with settings given by name."""
        self._services += 1
        folder = self.folder / f"service-{self._services}"
        with servers.service(database_url, folder=folder, workers=workers, **given) as server:
            yield server.address

    def rate(self, address: client.Address, request: bytes, *, status: int = 200) -> float:
        """Answers per second to the same request by the usual clients."""
        return self.counted(client.repeat(address, request, clients=CLIENTS, seconds=self.seconds)).require(status).rate

    def counted(self, load: client.Load) -> client.Load:
        """The same; the client's own cost is kept for the head of the table."""
        self.client_processor_seconds += load.processor_seconds
        self.client_requests += len(load.latencies)
        return load

    def hello_rate(self) -> float:
        """The hello-world view now."""
        return self.rate(self.hello.address, self.hello.address.get("/"))

    def close(self) -> None:
        """Ends the servers and removes the databases."""
        self._stack.close()
        self.databases.close()


def apart(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Calls it in a new process of its own, so that its memory and its work are nobody else's."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *args, **kwargs).result()
