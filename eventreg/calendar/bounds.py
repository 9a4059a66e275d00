"""Work in a library that may never end is given a number of steps instead of a clock: the same on every machine."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeVar

Result = TypeVar("Result")


class TooMuchWork(Exception):
    """The steps are used up."""


class Budget:
    """The steps that one file may cost in all; `left` is what remains of them."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def run(self, work: Callable[[], Result], *, at_most: int) -> Result:
        """What `work` gives; TooMuchWork after that many calls and returns of functions, wherever it is then.

        Never more than what is left; what was used is taken off. dateutil looks for the next date of a rule like
        “February 30” until the year 9999, and of one in steps of zero for ever; it has no bound of its own, and a
        thread cannot be stopped from outside. A million steps take 0.5 s. One run may stand inside another of
        another budget, and each counts its own steps only. Raises: TooMuchWork, or what `work` raises.
        """
        previous = sys.getprofile()
        allowed = left = min(at_most, self.left)
        is_over = False

        def count(_frame: FrameType, _event: str, _argument: Any) -> None:
            nonlocal left
            if is_over:
                return
            left -= 1
            if left < 0:
                raise TooMuchWork

        # No context manager: its own __exit__ is a call too, and the last step would end it before it puts this right.
        try:
            sys.setprofile(count)
            return work()
        finally:
            is_over = True
            self.left -= allowed - max(left, 0)
            sys.setprofile(previous)
