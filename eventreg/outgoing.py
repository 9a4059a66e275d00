"""A socket that buffers what a slow reader has no room for, so that no thread waits while an answer is read.

A thread hands over the answer and is free; the loop of `patience` sends the rest. Only an answer larger than the
buffer is waited for, and not longer than ANSWER_SECONDS in all.
"""

import errno
import select
import socket
import threading
import time

BUFFERED = 2 * 1024 * 1024
"""Bytes kept for one connection."""
BUFFERED_TOGETHER = 64 * 1024 * 1024
"""Bytes kept for all connections of a process; beyond it, threads wait for readers."""
ANSWER_SECONDS = 60
"""How long reading an answer may take in all, however steadily a few bytes are read."""


class _Total:
    """Bytes kept in this process."""

    def __init__(self) -> None:
        self.size = 0
        self._lock = threading.Lock()

    def add(self, size: int) -> None:
        with self._lock:
            self.size += size


_total = _Total()


class Outgoing(socket.socket):
    """Takes over an accepted connection. One thread at a time uses it."""

    def __init__(self, accepted: socket.socket) -> None:
        super().__init__(fileno=accepted.detach())
        self._kept = bytearray()

    @property
    def is_waiting(self) -> bool:
        """Whether something is kept that the reader had no room for."""
        return bool(self._kept)

    def sendall(self, data: bytes, _flags: int = 0, /) -> None:  # type: ignore[override]
        """Sends what there is room for and keeps the rest. Raises: OSError, also when the reader takes too long."""
        sent = 0 if self._kept else self._send_now(data)
        rest = memoryview(data)[sent:]
        if not rest:
            return
        self._kept += rest
        _total.add(len(rest))
        self._wait_for_reader()

    def flush(self) -> None:
        """Sends what there is room for now. Raises: OSError."""
        while self._kept:
            sent = self._send_now(self._kept)
            if not sent:
                return
            del self._kept[:sent]
            _total.add(-sent)

    def close(self) -> None:
        """Closes the connection and forgets what it kept."""
        _total.add(-len(self._kept))
        self._kept = bytearray()
        super().close()

    def _send_now(self, data: bytes | bytearray) -> int:
        try:
            return self.send(data, socket.MSG_DONTWAIT)
        except (BlockingIOError, InterruptedError):
            return 0

    def _wait_for_reader(self) -> None:
        deadline = time.monotonic() + ANSWER_SECONDS
        writable = select.poll()
        writable.register(self, select.POLLOUT)
        while self._kept and (len(self._kept) > BUFFERED or _total.size > BUFFERED_TOGETHER):
            left = deadline - time.monotonic()
            if left <= 0 or not writable.poll(left * 1000):
                raise BrokenPipeError(errno.EPIPE, "the answer is not read")
            self.flush()
