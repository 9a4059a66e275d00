"""The port that mail comes in on, opened before the process that listens there: a taken one is said at once."""

import socket

from eventreg.errors import EventRegError


class PortTaken(EventRegError):
    """The address to take mail in on cannot be had."""


def listen(host: str, port: int) -> socket.socket:
    """The port, open. Raises: PortTaken."""
    try:
        family, kind, proto, _name, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, proto)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(where)
            listener.listen(100)
        except BaseException:
            listener.close()
            raise
    except OSError as error:
        raise PortTaken(
            f"Replies cannot be taken in on port {port} of {host}: {error.strerror or error}. Choose another port."
        ) from error
    return listener
