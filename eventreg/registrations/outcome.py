"""What became of an answer, as values that outlive the transaction."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The answer as it now stands.

    `position` is the place in line of a waiting party; one with `offer_expires_at` has left the line and may accept
    its places until then.
    """

    registration_id: int
    rsvp: str
    status: str
    party_size: int
    position: int | None = None
    offer_expires_at: datetime | None = None

    @property
    def holds_seats(self) -> bool:
        """Whether this party is coming: only a confirmed "yes". Seats may also be held for an offer, see `seats`."""
        return self.rsvp == "yes" and self.status == "confirmed"

    @property
    def is_offered(self) -> bool:
        """Whether places are held for it to accept."""
        return self.status == "waitlisted" and self.offer_expires_at is not None
