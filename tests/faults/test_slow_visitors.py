"""Visitors who send half a request and stall, on purpose or in a tunnel, keep nobody else waiting."""

import http.client
import resource
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import timedelta
from urllib.parse import urlencode, urlsplit

import pytest
from sqlalchemy.orm import Session

from eventreg import clock
from eventreg.events.models import Event
from tests.support.live import LiveServer
from tests.support.load import Visitor, heading
from tests.support.promises import COMING

pytestmark = pytest.mark.sqlite_only
STALLED = 40
HALF_A_HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
BODY = urlencode({"name": "Sam", "email": "sam@example.org", "rsvp": "yes"}).encode()


POST = b"POST /events/none/rsvp HTTP/1.1\r\nHost: localhost\r\n"
FORM_DATA = b"Content-Type: multipart/form-data; boundary=part\r\n"
STALLING = {
    "a second request": (b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nX: ", b"HTTP/1.1 200"),
    "a head without end": (HALF_A_HEAD + b"x" * 70_000, b"HTTP/1.1 431"),
    "a body to be asked for": (POST + b"Expect: 100-continue\r\nContent-Length: 9\r\n\r\n", b"HTTP/1.1 100"),
    "a chunk that looks like the last": (POST + b"Transfer-Encoding: chunked\r\n\r\n400\r\n0\r\n\r\n", b""),
    "chunks without end": (POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 60_000, b"HTTP/1.1 413"),
    "a body too large": (POST + FORM_DATA + b"Content-Length: 5000000\r\n\r\nx", b"HTTP/1.1 404"),
    "a file of nobody": (
        b"POST /organize/import HTTP/1.1\r\nHost: x\r\n"
        + FORM_DATA
        + b"Content-Length: 1500000\r\n\r\n"
        + b"x" * 1_400_000,
        b"HTTP/1.1 302",
    ),
}
"""What visitors begin and do not end, and how the answer to it begins."""


def half_a_form(path: str) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    return f"{head}Connection: close\r\nContent-Length: {len(BODY)}\r\n\r\n".encode() + BODY[:10]


def test_forty_stalled_visitors_keep_nobody_waiting_and_are_answered_when_they_go_on(
    make_live_server: Callable[..., LiveServer], session: Session, make_event: Callable[..., Event]
) -> None:
    event = make_event(starts_at=clock.now() + timedelta(days=30), questions=[])
    path = f"/events/{event.slug}/rsvp"
    session.rollback()
    server = make_live_server()
    where = (urlsplit(server.base_url).hostname, urlsplit(server.base_url).port)
    with ExitStack() as open_connections:
        stalled = [open_connections.enter_context(socket.create_connection(where)) for _ in range(STALLED)]
        for number, connection in enumerate(stalled):
            connection.sendall(HALF_A_HEAD if number % 2 else half_a_form(path))
            connection.settimeout(30)

        quick = Visitor(patience=20)
        assert quick.send(server.url("/events/"))[0] == 200
        form = quick.fill_in(server.url(path), name="Amira", email="amira@example.org", rsvp="yes")
        status, thanks, _headers = quick.post(server.url(path), form)
        assert (status, heading(thanks)) == (200, COMING)

        for number, connection in enumerate(stalled):
            connection.sendall(b"no\r\nConnection: close\r\n\r\n" if number % 2 else BODY[10:])
        answers = []
        for connection in stalled:
            response = http.client.HTTPResponse(connection)
            response.begin()
            answers.append(response.status)
            response.read()
            response.close()
    # The form without a cookie and token is refused, which is an answer.
    assert answers == [422, 200] * (STALLED // 2)


def test_a_body_in_chunks_and_one_that_waits_to_be_asked_for_are_taken(
    make_live_server: Callable[..., LiveServer], session: Session, make_event: Callable[..., Event]
) -> None:
    event = make_event(starts_at=clock.now() + timedelta(days=30), questions=[])
    path = f"/events/{event.slug}/rsvp"
    session.rollback()
    server = make_live_server()
    where = (urlsplit(server.base_url).hostname, urlsplit(server.base_url).port)
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n".encode()
    with socket.create_connection(where, timeout=20) as connection:
        chunk = f"{len(BODY):x}\r\n".encode() + BODY + b"\r\n"
        connection.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk + b"0\r\n\r\n")
        first = http.client.HTTPResponse(connection)
        first.begin()
        assert (first.status, b"sam@example.org" in first.read()) == (422, True)
        # The same connection, kept.
        connection.sendall(head + f"Expect: 100-continue\r\nContent-Length: {len(BODY)}\r\n\r\n".encode())
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(BODY)
        second = http.client.HTTPResponse(connection)
        second.begin()
        assert (second.status, b"sam@example.org" in second.read()) == (422, True)
        # Two requests in one piece are two answers.
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2)
        answers = b""
        while answers.count(b'{"status":"ok"}') < 2:
            read = connection.recv(4096)
            assert read, answers
            answers += read
        assert answers.count(b"HTTP/1.1 200 OK\r\n") == 2


def test_no_way_to_stall_holds_a_thread(make_live_server: Callable[..., LiveServer]) -> None:
    server = make_live_server()
    where = (urlsplit(server.base_url).hostname, urlsplit(server.base_url).port)
    with ExitStack() as open_connections:
        for begun, answer in STALLING.values():
            stalled = [open_connections.enter_context(socket.create_connection(where, timeout=8)) for _ in range(20)]
            for connection in stalled:
                connection.sendall(begun)
            assert Visitor(patience=8).send(server.url("/events/"))[0] == 200
            assert {connection.recv(len(answer)) for connection in stalled if answer} <= {answer}
    assert "Traceback" not in server.log


def test_visitors_who_do_not_hang_up_keep_nobody_waiting(make_live_server: Callable[..., LiveServer]) -> None:
    server = make_live_server()
    where = (urlsplit(server.base_url).hostname, urlsplit(server.base_url).port)
    with ExitStack() as open_connections:
        for _ in range(STALLED):
            connection = open_connections.enter_context(socket.create_connection(where))
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        for _ in range(10):
            assert Visitor(patience=8).send(server.url("/events/"))[0] == 200


def test_slow_readers_that_send_many_requests_at_once_hold_no_thread(
    make_live_server: Callable[..., LiveServer],
) -> None:
    server = make_live_server(more=["--workers", "1"])
    where = (urlsplit(server.base_url).hostname, urlsplit(server.base_url).port)
    with ExitStack() as open_connections:
        for _ in range(12):
            connection = open_connections.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(where)
            connection.setblocking(False)
            with suppress(BlockingIOError):
                connection.send(b"GET /static/site.css HTTP/1.1\r\nHost: localhost\r\n\r\n" * 150)
        for _ in range(15):
            time.sleep(0.3)  # until their buffers are full
            assert Visitor(patience=5).send(server.url("/healthz"))[0] == 200
    assert "Traceback" not in server.log


def test_slow_reader_gets_every_answer_whole(make_live_server: Callable[..., LiveServer]) -> None:
    server = make_live_server()
    where = (urlsplit(server.base_url).hostname, urlsplit(server.base_url).port)
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(30)
        connection.connect(where)
        connection.sendall(b"GET /events/ HTTP/1.1\r\nHost: localhost\r\n\r\n" * 60)
        stream = connection.makefile("rb")
        bodies = set()
        for _ in range(60):
            assert stream.readline() == b"HTTP/1.1 200 OK\r\n"
            bodies.add(stream.read(int(http.client.parse_headers(stream)["Content-Length"])))
    assert len(bodies) == 1


def test_half_requests_by_the_thousand_cost_only_each_other(make_live_server: Callable[..., LiveServer]) -> None:
    server = make_live_server(more=["--workers", "1"])
    where = (urlsplit(server.base_url).hostname, urlsplit(server.base_url).port)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    try:
        with ExitStack() as open_connections:
            for _ in range(1000):
                connection = open_connections.enter_context(socket.create_connection(where, timeout=20))
                connection.sendall(HALF_A_HEAD)
            for _ in range(15):
                assert Visitor(patience=8).send(server.url("/healthz"))[0] == 200
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert "Traceback" not in server.log
