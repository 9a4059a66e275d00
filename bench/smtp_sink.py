"""A mail server that takes everything and keeps one: as little work as SMTP allows, in a process of its own."""

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

END = b"\r\n.\r\n"
REPLIES = {
    b"EHLO": b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n",
    b"DATA": b"354 go on\r\n",
    b"QUIT": b"221 bye\r\n",
}


@dataclass(frozen=True, slots=True)
class Sink:
    """Where it listens, and a way to ask it."""

    port: int
    _pipe: Connection

    def taken(self) -> tuple[int, bytes]:
        """How many mails it has taken since the last time, and the bytes of the newest."""
        self._pipe.send("taken")
        count, newest = self._pipe.recv()
        return int(count), bytes(newest)


@contextmanager
def running() -> Iterator[Sink]:
    """The sink, on a free port of this machine."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield Sink(ours.recv(), ours)
    finally:
        process.terminate()
        process.join()


class _Protocol(asyncio.Protocol):
    """One connection."""

    count = 0
    newest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.buffer = b""
        self.in_data = False
        transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while self._take_data() if self.in_data else self._take_line():
            pass

    def _take_data(self) -> bool:
        end = self.buffer.find(END)
        if end < 0:
            return False
        _Protocol.newest, self.buffer = self.buffer[: end + 2], self.buffer[end + len(END) :]
        _Protocol.count += 1
        self.in_data = False
        self.transport.write(b"250 taken\r\n")
        return True

    def _take_line(self) -> bool:
        line, found, rest = self.buffer.partition(b"\r\n")
        if not found:
            return False
        self.buffer = rest
        verb = line[:4].upper()
        self.in_data = verb == b"DATA"
        self.transport.write(REPLIES.get(verb, b"250 ok\r\n"))
        return True


def _serve(pipe: Connection) -> None:
    asyncio.run(_answer(pipe))


async def _answer(pipe: Connection) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Protocol, "127.0.0.1", 0)
    pipe.send(server.sockets[0].getsockname()[1])

    def tell() -> None:
        pipe.recv()
        pipe.send((_Protocol.count, _Protocol.newest))
        _Protocol.count = 0

    loop.add_reader(pipe.fileno(), tell)
    await server.serve_forever()
