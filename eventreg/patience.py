"""A gunicorn worker whose threads never wait for a slow visitor.

gunicorn's own gives a connection to a thread as soon as its first byte is there, and the thread waits for the rest
for as long as that takes: as many stalled visitors as there are threads, and the site stands still for everybody.
Here the process's one loop collects a request until it is whole, and only then does a thread see it. Nothing the
loop does may wait, and nothing it does may raise: it is all the process has.
"""

import selectors
import signal
import socket
import struct
import time
from collections import Counter
from concurrent.futures import Future
from functools import partial
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

from eventreg.arriving import REFUSED, Arriving, State
from eventreg.networks import network_of
from eventreg.outgoing import ANSWER_SECONDS, Outgoing

REQUEST_SECONDS = 30
"""How long a request may take to arrive, and how long a connection may say nothing at all."""
STANDSTILL_SECONDS = 10
"""How long a thread waits for one more byte of what is too large to be collected, or for room for its answer."""
MOST_COLLECTED = 64 * 1024 * 1024
"""Bytes of large requests a process holds, all together."""
READ_AT_ONCE = 64 * 1024
FAREWELL_SECONDS, LONG_FAREWELL_SECONDS = 2, 20
"""How long an answered visitor may take to hang up; the second one when they may still be sending."""
MOST_DISCARDED = 16 * 1024 * 1024
TOLD_TO_END = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
"""Held back while a web process is being made; see `web_server`."""
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Connection(TConn):
    """A visitor's connection, and what has come of the request it is sending."""

    parser: Any
    sock: Any
    timeout: Any

    def __init__(self, cfg: Any, sock: socket.socket, client: Any, server: Any) -> None:
        super().__init__(cfg, Outgoing(sock), client, server)
        self.opened_at = time.monotonic()
        self.network = network_of(client[0])
        self.arriving = Arriving()
        self.is_whole = False
        """Whether the request a thread has can be read without waiting."""
        self.handed = 0
        """Bytes of it."""
        self.discarded = 0
        # gunicorn need not wait for the first byte.
        self.data_ready = True


class PatientWorker(ThreadWorker):
    """gunicorn's threaded worker, which reads requests before it gives them to a thread."""

    poller: Any
    _handed = 0
    """Bytes of requests that threads have, or will have."""
    _looked_at = 0.0

    def init_signals(self) -> None:
        """From now on the process hears that it is to end, also what it was told while it was being made."""
        super().init_signals()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, TOLD_TO_END)

    def accept(self, listener: socket.socket) -> None:
        """Takes in a visitor."""
        try:
            sock, peer = listener.accept()
        except OSError:
            return  # another process was quicker, the visitor has left, or there is no room for one more
        self.nr_conns += 1
        standstill = struct.pack("ll", STANDSTILL_SECONDS, 0)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, standstill)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, standstill)
        self._begin(Connection(self.cfg, sock, peer, listener.getsockname()))
        if self.nr_conns >= self.worker_connections:
            self._make_room()

    def on_client_socket_readable(self, conn: Connection, client: socket.socket) -> None:
        """A visitor who was kept sends another request."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._begin(conn)

    def handle(self, conn: Connection) -> Any:
        """In a thread: answers a request that has arrived."""
        conn.sock.setblocking(True)
        conn.init()
        if conn.arriving.data:
            conn.parser.unreader.unread(bytes(conn.arriving.data))
            conn.arriving = Arriving()
        return super().handle(conn)

    def _keepalive_after(self, conn: Connection, keepalive: bool) -> bool:
        """In a thread: a body that was left unread is not waited for; the connection ends with it."""
        if not conn.is_whole and getattr(conn.parser.mesg.body.reader, "length", True):
            return False
        return bool(super()._keepalive_after(conn, keepalive))

    def finish_request(self, conn: Connection, fs: "Future[Any]") -> None:
        """Back in the loop: the connection is kept, or ended. gunicorn's own would wait for the visitor to hang up."""
        self._handed -= conn.handed
        is_kept = not fs.cancelled() and fs.exception() is None and bool(fs.result())
        self._finish(conn, fs, time.monotonic() + ANSWER_SECONDS, is_kept=is_kept)

    def _finish(self, conn: Connection, fs: "Future[Any]", until: float, *, is_kept: bool) -> None:
        """Once the answer is read: a visitor who sends many requests at once gets the next answer only then."""
        try:
            conn.sock.flush()
            if conn.sock.is_waiting:
                conn.sock.setblocking(False)

                def go_on(conn: Connection, _client: socket.socket) -> None:
                    self._stop_waiting(conn)
                    self._finish(conn, fs, until, is_kept=is_kept)

                self._wait(conn, until - time.monotonic(), go_on, selectors.EVENT_WRITE)
            elif not is_kept:
                self._part(conn, FAREWELL_SECONDS if conn.is_whole else LONG_FAREWELL_SECONDS)
            elif rest := conn.parser.unreader.take_buffered():
                conn.arriving = Arriving(rest)
                conn.sock.setblocking(False)
                self._begin(conn)
            else:
                super().finish_request(conn, fs)
        except (OSError, ValueError):  # a thread has closed it
            self._drop(conn)

    def murder_pending(self) -> None:
        """Ends what takes too long, once a second. They do not stand in the order of their ends, as gunicorn's do."""
        now = time.monotonic()
        if now < self._looked_at + 1:
            return
        self._looked_at = now
        for conn in [one for one in self.pending_conns if one.timeout <= now]:
            self._stop_waiting(conn)
            self._drop(conn)

    def _make_room(self) -> None:
        """Ends the oldest connection that waits, of the network that has most of them.

        So thousands of half requests from one place cost only each other, and a lecture hall behind one address,
        whose requests come whole, loses nothing.
        """
        waiting: list[Any] = [*self.pending_conns, *self.keepalived_conns]
        if not waiting:
            return
        ((network, _count),) = Counter(conn.network for conn in waiting).most_common(1)
        oldest = min((conn for conn in waiting if conn.network == network), key=lambda conn: conn.opened_at)
        self.poller.unregister(oldest.sock)
        (self.pending_conns if oldest in self.pending_conns else self.keepalived_conns).remove(oldest)
        self._drop(oldest)

    def _begin(self, conn: Connection) -> None:
        """Most requests are there as a whole by now; for the rest of others the loop waits."""
        if not self._collect(conn):
            self._wait(conn, REQUEST_SECONDS, self._go_on)

    def _go_on(self, conn: Connection, _client: socket.socket) -> None:
        # No longer waited for first: a thread that has the connection may give it back at once.
        until = conn.timeout
        self._stop_waiting(conn)
        if not self._collect(conn):
            self._wait(conn, until - time.monotonic(), self._go_on)

    def _wait(self, conn: Connection, seconds: float, then: Any, event: int = selectors.EVENT_READ) -> None:
        conn.timeout = time.monotonic() + seconds
        self.poller.register(conn.sock, event, partial(then, conn))
        self.pending_conns.append(conn)

    def _stop_waiting(self, conn: Connection) -> None:
        self.poller.unregister(conn.sock)
        self.pending_conns.remove(conn)

    def _collect(self, conn: Connection) -> bool:
        """Reads what is there; whether the loop is done with it: a thread has it, or it is to end."""
        if self._pass_on(conn):  # it came behind the request before it
            return True
        try:
            read = conn.sock.recv(READ_AT_ONCE)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            read = b""
        if not read:
            self._drop(conn)
            return True
        conn.arriving.data += read
        return self._pass_on(conn)

    def _pass_on(self, conn: Connection) -> bool:
        state = conn.arriving.state()
        size = len(conn.arriving.data)
        if state is State.WAITING and size > READ_AT_ONCE and self._collected() + size > MOST_COLLECTED:
            state = State.NO_ROOM
        if state in REFUSED:
            self._refuse(conn, state)
        elif state is not State.WAITING:
            conn.is_whole, conn.handed = state is State.WHOLE, size
            self._handed += size
            self.enqueue_req(conn)
        elif conn.arriving.asks:
            conn.arriving.asks = False
            return not self._say(conn, CONTINUE)
        return state is not State.WAITING

    def _collected(self) -> int:
        return self._handed + sum(len(one.arriving.data) for one in self.pending_conns)

    def _refuse(self, conn: Connection, state: State) -> None:
        words = state.value.partition(" ")[2] + "\n"
        answer = f"HTTP/1.1 {state.value}\r\nConnection: close\r\nContent-Type: text/plain\r\n"
        conn.arriving = Arriving()
        if self._say(conn, f"{answer}Content-Length: {len(words)}\r\n\r\n{words}".encode()):
            self._part(conn, LONG_FAREWELL_SECONDS)

    def _say(self, conn: Connection, words: bytes) -> bool:
        """A few bytes from the loop; a visitor who has no room even for them is let go."""
        try:
            conn.sock.send(words)
        except OSError:
            self._drop(conn)
            return False
        return True

    def _part(self, conn: Connection, seconds: float) -> None:
        """Ends our side and waits for theirs: closed at once, an answer could be lost (RFC 9112, section 9.6)."""
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._drop(conn)
        else:
            self._wait(conn, seconds, self._discard)

    def _discard(self, conn: Connection, client: socket.socket) -> None:
        try:
            read = client.recv(READ_AT_ONCE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            read = b""
        conn.discarded += len(read)
        if not read or conn.discarded > MOST_DISCARDED:
            self._stop_waiting(conn)
            self._drop(conn)

    def _drop(self, conn: Connection) -> None:
        self.nr_conns -= 1
        conn.close()
