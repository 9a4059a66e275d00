"""Signed tokens and absolute addresses. Works without a request: mail and feeds are made by a worker.

A token is signed for one purpose (its own salt) and carries the generation number of what it opens; raising
that number makes every older link dead. Nothing secret is stored, so a leaked database opens no registration.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, urlsplit

from itsdangerous import BadSignature, URLSafeSerializer

MANAGE = "registration"
FEED = "personal-feed"
DESK_FEED = "organizer-feed"
RESULT = "rsvp-result"
UNDO = "undo-decline"
CONFIRM = "confirm-address"


@dataclass(frozen=True, slots=True)
class Links:
    """Makes and reads the site's tokens and addresses; one per app, at `app.extensions["eventreg.links"]`."""

    base_url: str
    secret_key: str

    def sign(self, purpose: str, payload: object) -> str:
        """A URL-safe token holding the (readable, unforgeable) payload."""
        return str(_serializer(self.secret_key, purpose).dumps(payload))

    def read(self, purpose: str, token: str) -> object | None:
        """The payload of a token made for that purpose; None for anything else, whatever its shape."""
        try:
            payload: object = _serializer(self.secret_key, purpose).loads(token)
        except (BadSignature, ValueError, RecursionError):
            return None
        return payload

    def numbers(self, purpose: str, token: str, count: int) -> tuple[int, ...] | None:
        """The payload when it is that many integers, as the tokens of registrations and feeds are."""
        payload = self.read(purpose, token)
        if isinstance(payload, list) and len(payload) == count and all(type(n) is int for n in payload):
            return tuple(payload)
        return None

    def absolute(self, path: str = "/") -> str:
        """An address of this site as ASCII; `path` begins with a slash and is percent-encoded where needed."""
        return self.base_url + quote(path, safe="/?=&%#:@+,;~-._!$'()*")

    @property
    def host(self) -> str:
        """The site's name in the net, the right side of new calendar UIDs."""
        return urlsplit(self.base_url).hostname or "localhost"

    def event(self, slug: str) -> str:
        """The public page of an event."""
        return self.absolute(f"/events/{slug}")

    def manage_token(self, registration_id: int, generation: int) -> str:
        """What opens one registration until its generation is raised."""
        return self.sign(MANAGE, [registration_id, generation])

    def manage(self, registration_id: int, generation: int) -> str:
        """“My registration”, as mailed to its attendee."""
        return self.absolute(f"/r/{self.manage_token(registration_id, generation)}")

    def undo(self, registration_id: int, generation: int, declined_at: int, rsvp: str) -> str:
        """Where a DECLINED from the calendar can be taken back: its DTSTAMP in seconds, and the answer before it."""
        return self.absolute(f"/undo/{self.sign(UNDO, [registration_id, generation, declined_at, rsvp])}")

    def confirm(self, event_id: int, message_key: str) -> str:
        """Where the answer kept with that mail is sent."""
        return self.absolute(f"/confirm/{self.sign(CONFIRM, [event_id, message_key])}")

    def personal_feed(self, registration_id: int, generation: int, feed_generation: int) -> str:
        """The attendee's private feed of all their registrations."""
        token = self.sign(FEED, [registration_id, generation, feed_generation])
        return self.absolute(f"/my/{token}.ics")

    def desk(self, slug: str) -> str:
        """An event's page at the organizers' desk."""
        return self.absolute(f"/organize/events/{slug}")

    def desk_feed(self, organizer_id: int, feed_generation: int) -> str:
        """The private feed of an organizer's events; outside /organize/, which robots.txt closes to Google Calendar."""
        return self.absolute(f"/desk/{self.sign(DESK_FEED, [organizer_id, feed_generation])}.ics")

    def reply_token(self, reply_id: int, generation: int) -> str:
        """The plus-part of the address that receives a registration's calendar replies (`Registration.reply_id`).

        Base32 in lower case, because mail servers may fold case: 5 bytes of id, 1 of generation, 10 of
        HMAC-SHA256 (80 bits), 26 characters. Constant through every message of a registration, and of the one that
        follows when its person cancels and comes back.

        >>> Links("https://example.org", "k").reply_token(7, 1)[:8]
        'aaaaaaah'
        """
        body = reply_id.to_bytes(5, "big") + (generation % 256).to_bytes(1, "big")
        mac = hmac.new(self.secret_key.encode(), b"eventreg.reply" + body, hashlib.sha256).digest()[:10]
        return base64.b32encode(body + mac).decode().rstrip("=").lower()

    def read_reply_token(self, token: str) -> tuple[int, int] | None:
        """What `reply_token` was made of, the generation modulo 256; None for anything else, in whatever case.

        >>> links = Links("https://example.org", "k")
        >>> links.read_reply_token(links.reply_token(7, 258).upper())
        (7, 2)
        """
        try:
            made = base64.b32decode(token.upper() + "=" * (-len(token) % 8))
        except ValueError:
            return None
        reply_id, generation = int.from_bytes(made[:5], "big"), int.from_bytes(made[5:6], "big")
        expected = self.reply_token(reply_id, generation)
        return (reply_id, generation) if hmac.compare_digest(expected.encode(), token.lower().encode()) else None


@lru_cache(maxsize=64)
def _serializer(secret_key: str, purpose: str) -> URLSafeSerializer:
    """Kept: making one takes longer than signing with it."""
    return URLSafeSerializer(secret_key, salt=f"eventreg.{purpose}", signer_kwargs={"digest_method": hashlib.sha256})
