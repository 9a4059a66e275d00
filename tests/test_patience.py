"""The loop in front of the threads, with real sockets and no threads behind it."""

import os
import resource
import selectors
import socket
import time
from collections.abc import Callable, Iterator

import pytest
from gunicorn.config import Config

from eventreg import patience
from eventreg.patience import Connection, PatientWorker

pytestmark = pytest.mark.sqlite_only
Connect = Callable[[], tuple[socket.socket, Connection]]


@pytest.fixture
def worker() -> Iterator[PatientWorker]:
    made = PatientWorker(1, 0, [], None, 30, Config(), None)
    made.poller = selectors.DefaultSelector()
    yield made
    for conn in made.pending_conns:
        conn.close()
    made.poller.close()
    made.tmp._tmp.close()


@pytest.fixture
def connect(worker: PatientWorker) -> Iterator[Connect]:
    """A visitor, and the worker's end of the connection."""
    visitors: list[socket.socket] = []

    def make() -> tuple[socket.socket, Connection]:
        theirs, ours = socket.socketpair()
        theirs.settimeout(10)
        visitors.append(theirs)
        worker.nr_conns += 1
        return theirs, Connection(worker.cfg, ours, ("", 0), ("", 0))

    yield make
    for each in visitors:
        each.close()


def turn(worker: PatientWorker) -> None:
    """One turn of the loop."""
    for key, _ in worker.poller.select(0):
        key.data(key.fileobj)


def test_whoever_takes_too_long_is_let_go_although_another_may_go_on(worker: PatientWorker, connect: Connect) -> None:
    _slow, kept = connect()
    late, ended = connect()
    for conn in (kept, ended):
        worker._begin(conn)
    ended.timeout = time.monotonic() - 1
    worker.murder_pending()
    assert (list(worker.pending_conns), worker.nr_conns) == ([kept], 1)
    assert late.recv(1) == b""


def test_time_does_not_begin_anew_with_each_byte(worker: PatientWorker, connect: Connect) -> None:
    visitor, conn = connect()
    worker._begin(conn)
    conn.timeout = until = time.monotonic() + 3
    visitor.sendall(b"GET / HTTP/1.1\r\n")
    turn(worker)
    assert conn.arriving.data == b"GET / HTTP/1.1\r\n"
    assert conn.timeout == pytest.approx(until, abs=0.5)


def test_bodies_are_collected_up_to_a_limit_for_all_together(
    worker: PatientWorker, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "MOST_COLLECTED", 150_000)
    visitors = []
    for _ in range(2):
        visitor, conn = connect()
        worker._begin(conn)
        visitor.sendall(b"POST / HTTP/1.1\r\nContent-Length: 300000\r\n\r\n" + b"x" * 90_000)
        for _turn in range(4):
            turn(worker)
        visitors.append(visitor)
    first, second = visitors
    assert second.recv(34) == b"HTTP/1.1 503 Service Unavailable\r\n"
    first.setblocking(False)
    with pytest.raises(BlockingIOError):
        first.recv(1)
    # Whoever was refused is waited for, without keeping what they go on sending.
    second.sendall(b"x" * 90_000)
    turn(worker)
    assert sum(len(conn.arriving.data) for conn in worker.pending_conns) < 100_000
    second.close()
    for _turn in range(4):
        turn(worker)
    assert worker.nr_conns == 1


def test_no_room_for_one_more_open_file_ends_nothing(worker: PatientWorker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()):
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        free = os.dup(0)
        os.close(free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, limits[1]))
        try:
            worker.accept(listener)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        assert worker.nr_conns == 0
        worker.accept(listener)
        assert worker.nr_conns == 1
