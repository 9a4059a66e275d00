"""What has come of a request, and whether it is whole: looked at by a loop that must not wait for any of it."""

import re
from enum import Enum

LONGEST_HEAD = 64 * 1024
LONGEST_BODY = 320 * 1024
"""Bytes collected, more than any visitor may send without having signed in (MAX_CONTENT_LENGTH). A longer body that
says its length, like a picture, is left to a thread: it refuses it unread, or the organizer is waited for."""
END_OF_HEAD = b"\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,15})[ \t]*(?:\r\n|$)")
EXPECT = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*(?=\r\n|$)")
CHUNK = re.compile(rb"([0-9A-Fa-f]+)[ \t]*(?:;.*)?", re.DOTALL)


class State(Enum):
    """What can be done with what has come of a request."""

    WAITING = "for the rest of it"
    WHOLE = "a thread can answer without waiting for the visitor"
    LARGE = "a thread may have to wait"
    LONG_HEAD = "431 Request Header Fields Too Large"
    LONG_BODY = "413 Content Too Large"
    NO_ROOM = "503 Service Unavailable"


REFUSED = frozenset({State.LONG_HEAD, State.LONG_BODY, State.NO_ROOM})


class Arriving:
    r"""What has come of a request, and how far it was looked through. RFC 9112, sections 6.3 and 7.1.

    >>> def state(*parts):
    ...     request = Arriving(b"".join(parts))
    ...     return request.state().name
    >>> state(b"GET / HTTP/1.1\r\nHost: x"), state(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    ('WAITING', 'WHOLE')
    >>> head = b"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n"
    >>> state(head), state(head, b"a=1"), state(head, b"a=12")
    ('WAITING', 'WAITING', 'WHOLE')
    >>> chunked = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"
    >>> state(chunked), state(chunked, b"0\r\n\r\n"), state(chunked, b"400\r\n0\r\n\r\n")
    ('WAITING', 'WHOLE', 'WAITING')
    """

    def __init__(self, arrived: bytes = b"") -> None:
        self.data = bytearray(arrived)
        self.asks = False
        """Whether the visitor sends the body only when told to go on (RFC 9110, section 10.1.1)."""
        self._body_at = 0
        self._length = 0
        self._chunk_at = 0

    def state(self) -> State:
        """What can be done with it now."""
        if not self._body_at:
            end = self.data.find(END_OF_HEAD)
            if end > LONGEST_HEAD or (end < 0 and len(self.data) > LONGEST_HEAD):
                return State.LONG_HEAD
            if end < 0:
                return State.WAITING
            self._read_head(end)
        if self._chunk_at:
            return self._walk()
        if self._length > LONGEST_BODY:
            return State.LARGE
        return State.WHOLE if len(self.data) >= self._body_at + self._length else State.WAITING

    def _read_head(self, end: int) -> None:
        """What gunicorn will refuse by the head alone is not waited for: it is as good as too long."""
        head = bytes(self.data[:end]).lower()
        is_chunked = b"\r\ntransfer-encoding:" in head
        if not is_chunked and b"\r\ncontent-length:" in head:
            length = LENGTH.search(head)
            self._length = int(length[1]) if length else LONGEST_BODY + 1
        is_asking = b"\r\nexpect:" in head
        expected = EXPECT.search(head) if is_asking else None
        if is_asking and not expected:
            is_chunked, self._length = False, LONGEST_BODY + 1
        elif expected and self._length <= LONGEST_BODY and head.lstrip().partition(b"\r\n")[0].endswith(b" http/1.1"):
            del self.data[slice(*expected.span())]  # or gunicorn would say it once more
            end -= expected.end() - expected.start()
            self.asks = True
        self._body_at = end + len(END_OF_HEAD)
        self._chunk_at = self._body_at if is_chunked else 0

    def _walk(self) -> State:
        """From chunk to chunk; where one is malformed gunicorn reads no further either, so nothing is waited for."""
        while (end := self.data.find(b"\r\n", self._chunk_at)) >= 0:
            found = CHUNK.fullmatch(self.data[self._chunk_at : end])
            if found is None:
                return State.WHOLE
            size, begins = int(found[1], 16), end + 2
            if size > LONGEST_BODY:
                return State.LONG_BODY
            if not size:
                if self.data.startswith(b"\r\n", begins) or self.data.find(END_OF_HEAD, begins) >= 0:
                    return State.WHOLE
                break
            if len(self.data) < begins + size + 2:
                break
            if not self.data.startswith(b"\r\n", begins + size):
                return State.WHOLE
            self._chunk_at = begins + size + 2
        return State.LONG_BODY if len(self.data) - self._body_at > LONGEST_BODY else State.WAITING
