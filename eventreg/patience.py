"""A gunicorn worker whose threads never wait for a slow visitor.

gunicorn's own gives a connection to a thread as soon as its first byte is there, and the thread waits for the rest
for as long as that takes: as many stalled visitors as there are threads, and the site stands still for everybody.
Here the process's one loop collects a request until it is whole, and only then does a thread see it.
"""

import re
import selectors
import socket
import struct
import time
from functools import partial
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

REQUEST_SECONDS = 30
"""How long a request may take to arrive, and how long a connection may say nothing at all."""
STANDSTILL_SECONDS = 10
"""How long a thread waits for one more byte of what is too large to be collected, or for room for its answer."""
LONGEST_HEAD = 64 * 1024
LONGEST_BODY = 1024 * 1024
"""Bytes collected; a picture may be larger, and its rest is waited for by a thread."""
READ_AT_ONCE = 64 * 1024
END_OF_HEAD = b"\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,15})[ \t]*(?:\r\n|$)")


class Connection(TConn):
    """A visitor's connection, and what has come of the request it is sending."""

    parser: Any

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.arrived = bytearray()
        # gunicorn need not wait for the first byte.
        self.data_ready = True


class PatientWorker(ThreadWorker):
    """gunicorn's threaded worker, which reads requests before it gives them to a thread."""

    poller: Any

    def accept(self, listener: socket.socket) -> None:
        """Takes in a visitor."""
        try:
            sock, peer = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return  # another process was quicker, or the visitor has left
        self.nr_conns += 1
        standstill = struct.pack("ll", STANDSTILL_SECONDS, 0)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, standstill)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, standstill)
        self._begin(Connection(self.cfg, sock, peer, listener.getsockname()))

    def on_client_socket_readable(self, conn: Connection, client: socket.socket) -> None:
        """A visitor who was kept sends another request."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._begin(conn)

    def handle(self, conn: Connection) -> Any:
        """In a thread: answers a request that has arrived."""
        conn.sock.setblocking(True)
        conn.init()
        if conn.arrived:
            conn.parser.unreader.unread(bytes(conn.arrived))
            conn.arrived.clear()
        return super().handle(conn)

    def _begin(self, conn: Connection) -> None:
        """Most requests are there as a whole by now; for the rest of others the loop waits."""
        if self._collect(conn):
            return
        conn.timeout = time.monotonic() + REQUEST_SECONDS
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._go_on, conn))

    def _go_on(self, conn: Connection, client: socket.socket) -> None:
        # Out of the poller first: a thread that has the connection may give it back at once.
        self.poller.unregister(client)
        self.pending_conns.remove(conn)
        if not self._collect(conn):
            self.pending_conns.append(conn)
            self.poller.register(client, selectors.EVENT_READ, partial(self._go_on, conn))

    def _collect(self, conn: Connection) -> bool:
        """Reads what is there; whether the loop is done with it: a thread has it, or it was closed."""
        try:
            read = conn.sock.recv(READ_AT_ONCE)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            read = b""
        conn.arrived += read
        if not conn.arrived:
            self.nr_conns -= 1
            conn.close()
            return True
        if not read or is_whole(conn.arrived):
            self.enqueue_req(conn)
            return True
        return False


def is_whole(arrived: bytes | bytearray) -> bool:
    r"""Whether a thread can answer without waiting for the visitor, or waiting on has no use. RFC 9112, section 6.3.

    >>> is_whole(b"GET / HTTP/1.1\r\nHost: x"), is_whole(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    (False, True)
    >>> head = b"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n"
    >>> is_whole(head), is_whole(head + b"a=1"), is_whole(head + b"a=12")
    (False, False, True)
    >>> chunked = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"
    >>> is_whole(chunked), is_whole(chunked + b"0\r\n\r\n")
    (False, True)
    """
    end = arrived.find(END_OF_HEAD)
    if end < 0:
        return len(arrived) > LONGEST_HEAD
    head = bytes(arrived[:end]).lower()
    body = len(arrived) - end - len(END_OF_HEAD)
    if b"\r\nexpect:" in head:
        return True  # it sends no body before it is asked to
    if b"\r\ntransfer-encoding:" in head:
        return arrived.endswith(LAST_CHUNK) or body >= LONGEST_BODY
    length = LENGTH.search(head)
    return length is None or body >= min(int(length[1]), LONGEST_BODY)
