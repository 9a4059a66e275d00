"""What became of an answer, as values that outlive the transaction."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The answer as it now stands. `position` is the place in line of a waitlisted party."""

    registration_id: int
    rsvp: str
    status: str
    party_size: int
    position: int | None = None

    @property
    def holds_seats(self) -> bool:
        """Whether this party is coming: only a confirmed "yes" holds seats."""
        return self.rsvp == "yes" and self.status == "confirmed"
