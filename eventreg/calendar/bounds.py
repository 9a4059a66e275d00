"""Work in a library that may never end is given a number of steps instead of a clock: the same on every machine."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class TooMuchWork(Exception):
    """The steps are used up."""


class Budget:
    """The steps that one file may cost in all; `left` is what remains of them."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    @contextmanager
    def at_most(self, steps: int) -> Iterator[None]:
        """Like the function, and never more than what is left; what was used is taken off."""
        allowed = min(steps, self.left)
        with at_most(allowed) as count_left:
            try:
                yield
            finally:
                self.left -= allowed - max(count_left(), 0)


@contextmanager
def at_most(steps: int) -> Iterator[Callable[[], int]]:
    """Ends the block with TooMuchWork after that many calls and returns of functions, wherever it is then.

    dateutil looks for the next date of a rule like “February 30” until the year 9999, and of one in steps of zero
    for ever; it has no bound of its own, and a thread cannot be stopped from outside. A million steps take 0.5 s.
    Gives a function that says how many steps are left.
    """
    previous = sys.getprofile()
    left = steps

    def count(_frame: FrameType, _event: str, _argument: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise TooMuchWork

    sys.setprofile(count)
    try:
        yield lambda: left
    finally:
        sys.setprofile(previous)
