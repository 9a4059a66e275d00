"""Work on a file of others, counted in steps and not in seconds: the same file gives the same events everywhere."""


class TooMuchWork(Exception):
    """The steps are used up."""


class Steps:
    """A number of steps, which may be part of a larger one. A step is one candidate looked at: about a microsecond.

    >>> file = Steps(5)
    >>> Steps(3, of=file).take(2)
    >>> file.left
    3
    """

    __slots__ = ("_of", "left")

    def __init__(self, most: int, *, of: "Steps | None" = None) -> None:
        self.left = most
        self._of = of

    def take(self, count: int = 1) -> None:
        """Uses some. Raises: TooMuchWork, when there are not that many left here or in the whole."""
        self.left -= count
        if self._of is not None:
            self._of.take(count)
        if self.left < 0:
            raise TooMuchWork
