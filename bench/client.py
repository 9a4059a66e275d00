"""Load: so many clients at once, each with one request under way, over kept-alive connections.

Sockets and epoll without a library, because the client runs on the same processors as the server: whatever it
costs makes the server look slower, and a slow server less so than a quick one.
"""

import itertools
import math
import select
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

REQUESTS_A_CONNECTION = 50
"""Then a client connects anew, as visitors come and go; else one web process might keep most of them."""
SILENCE_SECONDS = 60.0
"""Nothing at all arriving for so long means that the rest will not be answered."""
PIECE = 1 << 20
BODILESS = frozenset({204, 304})


class LoadError(Exception):
    """The server did not do what is measured, so there is no figure."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server on this machine listens."""

    port: int
    host: str = "127.0.0.1"

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def get(self, path: str, **headers: str) -> bytes:
        """A GET; `headers` are named with underscores."""
        lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items()]
        return f"GET {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n{''.join(lines)}\r\n".encode()

    def post(self, path: str, form: bytes, **headers: str) -> bytes:
        """A form sent by POST."""
        lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items()]
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n{''.join(lines)}"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(form)}\r\n\r\n"
        )
        return head.encode() + form


@dataclass(slots=True)
class Answer:
    """One response, with the number of the request it answers; its body only where answers are kept."""

    number: int
    status: int
    head: bytes
    body: bytes

    def header(self, name: str) -> str:
        """The header's value; empty when there is none."""
        start = self.head.lower().find(b"\r\n" + name.lower().encode() + b":")
        if start < 0:
            return ""
        value = self.head[start + 2 :].split(b"\r\n", 1)[0].split(b":", 1)[1]
        return value.strip().decode("latin-1")


@dataclass(slots=True)
class Load:
    """What came back. `processor_seconds` are the client's own."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    unanswered: int = 0
    processor_seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Answers per second."""
        return len(self.latencies) / self.seconds

    def percentile(self, percent: float) -> float:
        """The seconds within which that share was answered, by the nearest rank."""
        ordered = sorted(self.latencies)
        return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]

    def require(self, status: int) -> "Load":
        """The same, when every request was answered so. Raises: LoadError."""
        if self.unanswered or set(self.statuses) != {status}:
            raise LoadError(f"wanted {status} only, got {dict(self.statuses)} and {self.unanswered} unanswered")
        return self


class Connection:
    """One client."""

    __slots__ = ("body", "head", "keeps", "left", "number", "served", "sock", "started")

    def __init__(self, *, keeps: bool) -> None:
        self.sock: socket.socket | None = None
        self.served = 0
        self.keeps = keeps

    def send(self, address: Address, number: int, request: bytes) -> None:
        """Begins a request, on a new connection where there is none."""
        self.number = number
        self.started = time.perf_counter()
        self.head = b""
        self.body: list[bytes] = []
        self.left = -1
        if self.sock is None:
            self.sock = socket.create_connection((address.host, address.port), timeout=SILENCE_SECONDS)
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.served = 0
        self.sock.sendall(request)

    def take(self) -> Answer | None:
        """Reads what has come; the answer once it is whole. Raises: ConnectionError when the server hung up."""
        assert self.sock is not None
        piece = self.sock.recv(PIECE)
        if not piece:
            raise ConnectionResetError
        if self.left < 0:
            self.head, found, piece = (self.head + piece).partition(b"\r\n\r\n")
            if not found:
                return None
            self.head += b"\r\n"
            self.left = _body_length(self.head)
        self.left -= len(piece)
        if self.keeps:
            self.body.append(piece)
        if self.left > 0:
            return None
        self.served += 1
        if b"connection: close" in self.head.lower() or self.served >= REQUESTS_A_CONNECTION:
            self.close()
        return Answer(self.number, int(self.head[9:12]), self.head, b"".join(self.body))

    def close(self) -> None:
        """Hangs up."""
        if self.sock is not None:
            self.sock.close()
            self.sock = None


def _body_length(head: bytes) -> int:
    if int(head[9:12]) in BODILESS:
        return 0
    start = head.lower().find(b"\r\ncontent-length:")
    if start < 0:
        raise LoadError("an answer without Content-Length cannot be measured by this client")
    return int(head[start + 17 : head.index(b"\r\n", start + 17)])


def repeat(address: Address, request: bytes, *, clients: int, seconds: float) -> Load:
    """The same request for that long, after a tenth of it to warm up."""
    run(address, itertools.repeat(request), clients=clients, seconds=seconds / 10)
    return run(address, itertools.repeat(request), clients=clients, seconds=seconds)


def one_by_one(address: Address, request: bytes, *, seconds: float, least: int = 5) -> Load:
    """One client that asks until the time is over, and so often at least; the first answer warms up."""
    run(address, [request], clients=1)
    started = time.perf_counter()
    numbers = itertools.takewhile(lambda n: n < least or time.perf_counter() - started < seconds, itertools.count())
    return run(address, (request for _ in numbers), clients=1)


def fetch(address: Address, requests: Iterable[bytes], *, clients: int = 4) -> list[Answer]:
    """Every answer, in the order of the requests; nothing is timed."""
    answers: list[Answer] = []
    load = run(address, requests, clients=clients, keep=answers.append)
    if load.unanswered:
        raise LoadError(f"{load.unanswered} requests were not answered")
    return sorted(answers, key=lambda answer: answer.number)


def run(
    address: Address,
    requests: Iterable[bytes],
    *,
    clients: int,
    seconds: float = math.inf,
    keep: Callable[[Answer], object] | None = None,
) -> Load:
    """Sends until the requests are used up or the time is over. What is under way then does not count."""
    load = Load()
    waiting: dict[int, Connection] = {}
    numbered = enumerate(requests)
    processor, started = time.process_time(), time.perf_counter()
    deadline = started + seconds
    with select.epoll() as poll:
        for _ in range(clients):
            _next(Connection(keeps=keep is not None), address, numbered, poll, waiting)
        while waiting and (now := time.perf_counter()) < deadline:
            ready = poll.poll(min(SILENCE_SECONDS, deadline - now))
            if not ready and time.perf_counter() < deadline:
                break
            for descriptor, _event in ready:
                _progress(waiting.pop(descriptor), address, numbered, poll, waiting, load, keep)
        if seconds == math.inf:
            load.unanswered += len(waiting)
        for connection in waiting.values():
            connection.close()
    load.seconds = time.perf_counter() - started
    load.processor_seconds = time.process_time() - processor
    return load


def _progress(
    connection: Connection,
    address: Address,
    numbered: Iterator[tuple[int, bytes]],
    poll: select.epoll,
    waiting: dict[int, Connection],
    load: Load,
    keep: Callable[[Answer], object] | None,
) -> None:
    sock = connection.sock
    assert sock is not None
    descriptor = sock.fileno()
    try:
        answer = connection.take()
    except ConnectionError:
        connection.close()
        load.unanswered += 1
        _next(connection, address, numbered, poll, waiting)
        return
    if answer is None:
        waiting[descriptor] = connection
        return
    load.latencies.append(time.perf_counter() - connection.started)
    load.statuses[answer.status] += 1
    if keep is not None:
        keep(answer)
    _next(connection, address, numbered, poll, waiting)


def _next(
    connection: Connection,
    address: Address,
    numbered: Iterator[tuple[int, bytes]],
    poll: select.epoll,
    waiting: dict[int, Connection],
) -> None:
    following = next(numbered, None)
    if following is None:
        connection.close()
        return
    is_new = connection.sock is None
    connection.send(address, *following)
    assert connection.sock is not None
    if is_new:
        # A closed socket leaves epoll by itself.
        poll.register(connection.sock, select.EPOLLIN)
    waiting[connection.sock.fileno()] = connection
