"""One calendar asked for over https: bounded in time, size and redirects, and never from our own network.

The name is resolved first, every address it has is judged, and the connection goes to one of those very addresses
with the certificate checked for the name: a name that resolves otherwise a moment later changes nothing. No proxy of
the environment is used, for it would resolve the name again. A name that does not resolve and one that resolves to a
private address are refused in the same words, so that an organizer cannot ask which internal names exist; the log
tells them apart.
"""

import logging
import ssl
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from ipaddress import ip_address
from socket import IPPROTO_TCP, SHUT_RDWR, SOCK_STREAM, gaierror, getaddrinfo, socket
from typing import Self
from urllib.parse import SplitResult, urljoin, urlsplit

from flask_babel import gettext as _
from urllib3 import BaseHTTPResponse
from urllib3.connection import HTTPSConnection
from urllib3.exceptions import HTTPError

from eventreg.errors import EventRegError, InvalidField
from eventreg.following import addresses
from eventreg.following.addresses import Address

MOST_BYTES = 5 * 1024 * 1024
"""Of a calendar, unpacked."""
TOTAL_SECONDS = 30.0
CONNECT_SECONDS = 8.0
MOST_REDIRECTS = 3
_CHUNK = 64 * 1024
_MOVED = frozenset({301, 302, 303, 307, 308})
_OK, _NOT_MODIFIED = 200, 304
_GONE = frozenset({404, 410})
_REFUSED = frozenset({403, 406, 415, 418, 423, 451, 999})
"""What servers and firewalls answer to a program they do not know."""
_BUSY = frozenset({408, 425, 429, 503})
_LOGIN = frozenset({401, 407, 511})

log = logging.getLogger(__name__)
log.setLevel(logging.INFO)  # why a name was refused is said nowhere else


class FetchError(EventRegError):
    """Why a calendar could not be had, in words for its organizer."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came: `data` is None when nothing has changed since the etag and date that were sent along."""

    data: bytes | None
    etag: str = ""
    last_modified: str = ""


class Fetcher:
    """Fetches calendars. Who tests it says what is allowed, whom to trust, and who lives where."""

    def __init__(
        self,
        *,
        own_host: str,
        agent: str = "eventreg",
        is_allowed: Callable[[Address, int], bool] = addresses.is_public,
        trust: ssl.SSLContext | None = None,
        most_bytes: int = MOST_BYTES,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        self.own_host = own_host
        self.agent = agent
        self.is_allowed = is_allowed
        self.trust = trust or ssl.create_default_context()
        self.most_bytes = most_bytes
        self.total_seconds = total_seconds

    def fetch(self, url: str, *, etag: str = "", last_modified: str = "") -> Fetched:
        """The calendar at that https address. Raises: FetchError."""
        asked = {"If-None-Match": etag, "If-Modified-Since": last_modified}
        with _Deadline(self.total_seconds) as deadline:
            fault: Exception | None = None
            try:
                found = self._follow(url, {name: value for name, value in asked.items() if value}, deadline)
            except (HTTPError, HTTPException, OSError, ValueError, zlib.error, FetchError) as error:
                fault = error
            if deadline.passed.is_set():  # whatever the shut socket made of it
                raise FetchError(_("It did not come within %(n)s seconds.", n=round(self.total_seconds))) from fault
            if isinstance(fault, FetchError):
                raise fault
            if fault is not None:
                raise FetchError(_in_words(fault)) from fault
            return found

    def _follow(self, url: str, asked: dict[str, str], deadline: "_Deadline") -> Fetched:
        for _turn in range(MOST_REDIRECTS + 1):
            parts = self._checked(url)
            connection = self._connected(parts, deadline)
            try:
                with self._ask(connection, parts, asked) as answer:  # it holds the socket until it is closed too
                    if answer.status not in _MOVED:
                        return self._taken(answer)
                    url = urljoin(url, answer.headers.get("Location", ""))
            finally:
                connection.close()
        raise FetchError(_("It leads from one address to another more than %(most)s times.", most=MOST_REDIRECTS))

    def _checked(self, url: str) -> SplitResult:
        """Every address on the way is one that may be asked. A port is judged with the machine."""
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc:
            raise FetchError(_("It leads to an address that is not https."))
        try:
            name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
            addresses.normalised(parts._replace(netloc=name).geturl(), own_host=self.own_host)
        except InvalidField as error:
            raise FetchError(error.message) from error
        return parts

    def _connected(self, parts: SplitResult, deadline: "_Deadline") -> HTTPSConnection:
        name, port = parts.hostname or "", parts.port or addresses.HTTPS
        fault: Exception | None = None
        for address in self._resolved(name, port):
            connection = _Connection(
                str(address),
                port,
                timeout=min(CONNECT_SECONDS, self.total_seconds),
                ssl_context=self.trust,
                server_hostname=name,
            )
            connection.deadline = deadline
            try:
                connection.connect()
            except (HTTPError, OSError) as error:
                connection.close()
                fault = error
                if deadline.passed.is_set() or isinstance(error, ssl.SSLError):
                    break
            else:
                return connection
        raise fault or OSError("no address")

    def _resolved(self, name: str, port: int) -> list[Address]:
        """All of its addresses, when all may be asked. Raises: FetchError, in the same words whatever the cause."""
        try:
            found = getaddrinfo(name, port, type=SOCK_STREAM, proto=IPPROTO_TCP)
        except (gaierror, UnicodeError) as error:
            resolved, cause = [], str(error)
        else:
            resolved = list(dict.fromkeys(ip_address(str(one[4][0]).partition("%")[0]) for one in found))
            cause = f"it resolves to {', '.join(map(str, resolved[:5]))}, not all public"
        if not resolved or not all(self.is_allowed(one, port) for one in resolved):
            log.info("Followed calendar: %s is not asked: %s", name, cause)
            raise FetchError(_("%(name)s was not found on the public internet. Check the address.", name=name))
        return resolved

    def _ask(self, connection: HTTPSConnection, parts: SplitResult, asked: dict[str, str]) -> BaseHTTPResponse:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {
            "Host": parts.netloc,
            "User-Agent": self.agent,
            "Accept": "text/calendar, */*;q=0.5",
            "Accept-Encoding": "gzip",
            "Connection": "close",
            **asked,
        }
        connection.request("GET", target, headers=headers, preload_content=False, decode_content=False)
        return connection.getresponse()

    def _taken(self, answer: BaseHTTPResponse) -> Fetched:
        if answer.status == _NOT_MODIFIED:
            return Fetched(None)
        if answer.status != _OK:
            raise FetchError(_status_in_words(answer.status))
        data = self._body(answer)
        if b"BEGIN:VCALENDAR" not in data[:1000].replace(b"\0", b"").upper():
            raise FetchError(_("What its server sends is no calendar. Look for an address that ends in .ics."))
        return Fetched(
            data, _token(answer.headers.get("ETag", ""), 500), _token(answer.headers.get("Last-Modified", ""), 100)
        )

    def _body(self, answer: BaseHTTPResponse) -> bytes:
        """Unpacked a piece at a time, so that a small answer cannot become a large one."""
        encoding = answer.headers.get("Content-Encoding", "").strip().lower()
        if encoding not in {"", "identity", "gzip", "x-gzip"}:
            raise FetchError(_("Its server packs it in a way nobody asked for."))
        unpack = zlib.decompressobj(wbits=31) if "gzip" in encoding else None
        parts: list[bytes] = []
        size = 0
        while packed := answer.read1(_CHUNK, decode_content=False):
            while packed:
                part = unpack.decompress(packed, _CHUNK) if unpack else packed
                packed = unpack.unconsumed_tail if unpack else b""
                size += len(part)
                parts.append(part)
                if size > self.most_bytes:
                    megabytes = self.most_bytes // 1024 // 1024
                    raise FetchError(_("It is larger than %(most)s MB.", most=megabytes))
            if unpack is not None and unpack.eof:
                break  # zlib would keep all that a server goes on sending
        if unpack is not None and not unpack.eof:
            raise FetchError(_("It came only in part."))
        return b"".join(parts)


class _Connection(HTTPSConnection):
    """Hands its socket to the deadline before anything is said on it."""

    deadline: "_Deadline"

    def _new_conn(self) -> socket:
        made = super()._new_conn()
        self.deadline.watch(made)
        return made


class _Deadline:
    """Shuts the socket when the time is over: a timeout of the socket begins anew with each byte that drips in."""

    def __init__(self, seconds: float) -> None:
        self.passed = threading.Event()
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._socket: socket | None = None

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._drop()

    def watch(self, made: socket) -> None:
        """From now on this is the socket that is shut."""
        # TLS takes the descriptor over; a duplicate of it still shuts the connection itself.
        self._drop()
        self._socket = made.dup()
        if self.passed.is_set():
            self._end()

    def _end(self) -> None:
        self.passed.set()
        if self._socket is not None:
            try:
                self._socket.shutdown(SHUT_RDWR)
            except OSError:
                return  # it is closed already

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _token(value: str, most: int) -> str:
    """A header as it can be sent back; one that is too long is not kept."""
    return value if len(value) <= most and value.isascii() and value.isprintable() else ""


def _status_in_words(status: int) -> str:
    if status in _GONE:
        return _("It is not there any more (its server says %(status)s).", status=status)
    if status in _REFUSED:
        return _(
            "The server refuses this program (%(status)s). Ask its owner to allow it, "
            "or the administrator of this site to set FOLLOW_USER_AGENT.",
            status=status,
        )
    if status in _LOGIN:
        return _(
            "The server asks for a password (%(status)s). Use an address that opens without one, "
            "often called the secret or public address of the calendar.",
            status=status,
        )
    if status in _BUSY:
        return _("The server asks to come back later (%(status)s). It is asked again by itself.", status=status)
    return _("Its server answers with an error (%(status)s).", status=status)


def _in_words(error: Exception) -> str:
    text = str(error)
    if isinstance(error, ssl.SSLCertVerificationError) or "certificate" in text.lower():
        return _("Its server cannot prove who it is: its certificate is not valid for that name.")
    if isinstance(error, zlib.error):
        return _("It came damaged.")
    return _("Its server could not be reached, or broke off.")
