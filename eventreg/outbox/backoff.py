"""When a mail that was not taken is tried again, and when it is given up. Pure: knows no server and no database."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

LONGEST_WAIT = timedelta(hours=1)
PATIENCE = timedelta(days=3)
"""How long a mail is tried, counted in the waits between its tries: a worker that was off uses up none of it.

Nor is it given up before it is that old: where a server takes a few at a time, the rest is tried long before its time.
"""


class Trouble(StrEnum):
    """Why a mail was not taken, by what it means for the next try."""

    UNREACHABLE = "unreachable"
    """Nobody answered, the connection broke, or it was not safe to use. Meets every mail."""
    REFUSED_FOR_ALL = "refused_for_all"
    """5xx that would meet every mail: the password, the sender's address, relaying."""
    LATER = "later"
    """4xx: the server asks to be tried again."""
    REJECTED = "rejected"
    """5xx for this recipient or this message; trying again would annoy the server and change nothing."""
    BROKEN = "broken"
    """It could not be written."""
    POINTLESS = "pointless"
    """It must not leave any more, like one to an address that has since been corrected."""

    @property
    def is_everybodys(self) -> bool:
        """Whether the next mail would meet the same, so that there is no use in trying it now."""
        return self in {Trouble.UNREACHABLE, Trouble.REFUSED_FOR_ALL}


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong with one try. `words` are the server's own where it said any."""

    trouble: Trouble
    words: str


FIRST_WAITS = {
    Trouble.UNREACHABLE: timedelta(seconds=15),
    Trouble.REFUSED_FOR_ALL: timedelta(minutes=1),
    Trouble.LATER: timedelta(minutes=1),
}
"""Doubled at each try up to LONGEST_WAIT. What stands not here is not tried again."""


def wait_after(trouble: Trouble, attempts: int, age: timedelta) -> timedelta | None:
    """How long a mail of that age waits after that many tries; None when it has failed for good.

    >>> [str(wait_after(Trouble.UNREACHABLE, tries, PATIENCE)) for tries in (1, 2, 5, 9, 70)]
    ['0:00:15', '0:00:30', '0:04:00', '1:00:00', '1:00:00']
    >>> wait_after(Trouble.UNREACHABLE, 80, PATIENCE), wait_after(Trouble.REJECTED, 1, timedelta())
    (None, None)
    >>> str(wait_after(Trouble.UNREACHABLE, 80, timedelta(hours=71)))
    '1:00:00'
    """
    first = FIRST_WAITS.get(trouble)
    if first is None:
        return None
    waits = [min(first * 2 ** min(tries, 20), LONGEST_WAIT) for tries in range(attempts)]
    return None if age >= PATIENCE and sum(waits[:-1], timedelta()) >= PATIENCE else waits[-1]
