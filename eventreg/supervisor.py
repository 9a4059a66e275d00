"""One parent for the web processes and the worker: starts them, starts again what dies, stops them together.

The parent opens the port and hands it down, so a taken port is said at once and no visitor is turned away while
the web processes start again. It imports what all of them need; what one of them needs, that one imports itself.
"""

import ctypes
import logging
import multiprocessing
import os
import resource
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from multiprocessing.context import ForkProcess
from types import FrameType
from typing import TypeVar

from eventreg import create_app, tasks
from eventreg.db import AWAY, log_briefly, said
from eventreg.errors import EventRegError
from eventreg.incoming.port import listen as listen_for_replies
from eventreg.web_server import WebServer

ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104 - named, not bound to
"""Listening on every address, a browser on this machine still needs one."""
BACKLOG = 1024
LOOK_SECONDS = 0.2
STEADY_SECONDS = 10
"""A process that lived this long died by accident and is started again at once."""
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30
"""Between the starts of a process that ends by itself again and again; one that was killed comes back at once."""
MOST_FILES = 65536
STOP_SECONDS = 4
_SET_PARENT_DEATH_SIGNAL, _SET_NAME = 1, 15
"""Of prctl(2)."""
FORK = multiprocessing.get_context("fork")

T = TypeVar("T")

log = logging.getLogger(__name__)


class PortUnavailableError(EventRegError):
    """The address to serve on cannot be had."""


class Child:
    """One process that must always run, forked from this one: what is imported here is shared with it."""

    def __init__(self, name: str, work: Callable[[int], None]) -> None:
        self.name = name
        self._number = 0
        self._work = work
        self._process: ForkProcess | None = None
        self._started = 0.0
        self._pause = FIRST_PAUSE
        self._start_at = 0.0

    def look(self) -> None:
        """Starts it when it does not run and its pause is over."""
        now = time.monotonic()
        if self._process is not None:
            status = self._process.exitcode
            if status is None:
                return
            self._process = None
            by_accident = status < 0 or now - self._started > STEADY_SECONDS
            self._pause = FIRST_PAUSE if by_accident else min(self._pause * 2, LONGEST_PAUSE)
            self._start_at = now + self._pause
            log.warning("The %s ended (%s) and is started again in %g s", self.name, _ending(status), self._pause)
        if now >= self._start_at:
            self._started = now
            self._number += 1
            self._process = FORK.Process(target=self._begin, args=(os.getpid(),), name=self.name)
            self._process.start()

    def _begin(self, parent: int) -> None:
        """What the new process does first: it is no supervisor, and it ends with its parent, even a killed one."""
        for signum in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signum, signal.SIG_DFL)
        kernel = ctypes.CDLL(None)
        kernel.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
        kernel.prctl(_SET_NAME, self.name.encode())
        if os.getppid() != parent:  # it died before it could be followed
            sys.exit(1)
        try:
            self._work(self._number)
        except (EventRegError, *AWAY) as error:
            log.error("The %s cannot start: %s", self.name, said(error))  # noqa: TRY400 - one sentence, on purpose
            sys.exit(1)

    def send(self, signum: int) -> None:
        """Passes a signal on, if it runs."""
        if self._process is not None and self._process.exitcode is None and self._process.pid is not None:
            os.kill(self._process.pid, signum)

    def wait(self, seconds: float) -> None:
        """Waits for its end, and makes one when it does not come in time."""
        if self._process is None:
            return
        self._process.join(seconds)
        if self._process.exitcode is None:
            log.warning("The %s did not end when it was told to, and was killed", self.name)
            self._process.kill()
            self._process.join()


def serve(
    *,
    host: str,
    port: int,
    workers: int | None = None,
    base_url: str | None = None,
    lmtp_port: int | None = None,
    sends_mail: bool = True,
    announce: Callable[[str], None] = lambda _url: None,
) -> None:
    """Serves web and mail worker until SIGINT or SIGTERM. Must be called in the main thread.

    `workers` are web processes, by default one per processor, two at least and four at most. `base_url` is BASE_URL
    where the settings name one; else it is the address served on, which `announce` is told once the port is ours.
    With `lmtp_port` replies are taken in there, on this host only. Without `sends_mail` there is no mail worker, for a
    host beside others that have one. Raises: PortUnavailableError, PortTaken.
    """
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s eventreg: %(message)s")
    log_briefly()
    _allow_files()
    stopping = threading.Event()

    def stop(_signum: int, _frame: FrameType | None) -> None:
        stopping.set()

    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, stop)
    with listen(host, port) as listener, _replies(lmtp_port) as replies:
        url = address(host, listener.getsockname()[1])
        announce(url)
        os.environ["EVENTREG_BASE_URL"] = base_url or os.environ.get("EVENTREG_BASE_URL") or url
        children = _children(listener, workers or min(max(os.cpu_count() or 2, 2), 4), replies, sends_mail=sends_mail)
        while not stopping.is_set():
            for child in children:
                child.look()
            stopping.wait(LOOK_SECONDS)
        _stop(children)


def apart(work: Callable[[], T]) -> T:
    """What `work` returns, done in a process whose memory goes with it. Raises: what it raises."""
    receiver, sender = FORK.Pipe(duplex=False)

    def do() -> None:
        try:
            sender.send((work(), None))
        except BaseException as error:  # noqa: BLE001 - raised in the process that asked
            sender.send((None, error))

    process = FORK.Process(target=do, name="eventreg-prepare")
    process.start()
    sender.close()
    try:
        done: tuple[T, BaseException | None] = receiver.recv()
    except EOFError:
        process.join()
        raise EventRegError(f"What had to be done first ended halfway ({_ending(process.exitcode or 0)}).") from None
    process.join()
    if done[1] is not None:
        raise done[1]
    return done[0]


def address(host: str, port: int) -> str:
    """The address a browser on this machine uses.

    >>> address("0.0.0.0", 8000), address("::1", 80)
    ('http://127.0.0.1:8000', 'http://[::1]:80')
    """
    name = ANY_ADDRESS.get(host, host)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def listen(host: str, port: int) -> socket.socket:
    """The port, open. Raises: PortUnavailableError with one sentence."""
    try:
        family, kind, proto, _name, where = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, proto)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(where)
            listener.listen(BACKLOG)
        except BaseException:
            listener.close()
            raise
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise PortUnavailableError(
            f"Port {port} on {host} cannot be served: {reason}. Choose another with --port (PORT= with make run)."
        ) from error
    return listener


def _allow_files() -> None:
    """Each visitor is an open file; the limit a shell sets is often lower than it has to be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _replies(port: int | None) -> AbstractContextManager[socket.socket | None]:
    """The port for replies, open, where there is one."""
    return nullcontext() if port is None else listen_for_replies("127.0.0.1", port)


def _children(listener: socket.socket, workers: int, replies: socket.socket | None, *, sends_mail: bool) -> list[Child]:
    group = secrets.token_hex(8)

    def web(_number: int) -> None:
        WebServer(create_app, listener, workers).run()

    def mail(number: int) -> None:
        from eventreg import worker  # noqa: PLC0415 - only in its own process

        listener.close()
        worker.run(create_app(), group=group, number=number)

    children = [Child("eventreg-web", web)]
    if sends_mail:
        children.append(Child("eventreg-worker", mail))
    if replies is None:
        return children

    def take_in(_number: int) -> None:
        from eventreg.incoming import lmtp  # noqa: PLC0415 - only in its own process

        listener.close()
        lmtp.serve(create_app(), replies, after=tasks.nudge)

    return [*children, Child("eventreg-lmtp", take_in)]


def _stop(children: Sequence[Child]) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    for child in children:
        child.send(signal.SIGTERM)
    for child in children:
        child.wait(max(deadline - time.monotonic(), 0))


def _ending(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"status {status}"
