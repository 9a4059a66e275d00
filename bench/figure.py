"""What a figure is: rows of the table, and how they are measured once per round."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from bench.stage import Stage


@dataclass(frozen=True, slots=True)
class Mark:
    """What is asked of a row's score."""

    kind: Literal["at least", "at most", "exactly"]
    value: float

    def is_met(self, score: float) -> bool:
        """Whether that score does."""
        if self.kind == "exactly":
            return score == self.value
        return score >= self.value if self.kind == "at least" else score <= self.value


def at_least(value: float) -> Mark:
    """A score no smaller."""
    return Mark("at least", value)


def at_most(value: float) -> Mark:
    """A score no larger."""
    return Mark("at most", value)


def exactly(value: float) -> Mark:
    """That score and no other."""
    return Mark("exactly", value)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table.

    With a `limit`, the score is how the measured value stands to the limit measured in the same round: `rate` says
    that more of it is better, so that the score is measured / limit; `cost` that less is, and the score is
    limit / measured; `times` that the score is measured / limit and ought to be small. Without a limit the score is
    the measured value itself.
    """

    title: str
    unit: str
    limit: str = ""
    score: Literal["rate", "cost", "times", "itself"] = "rate"
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """One round's measurement of one row."""

    measured: float
    limit: float | None = None
    note: str = ""


Measure = Callable[[], Mapping[str, Sample]]
"""One round: samples by the key of their row."""


@dataclass(frozen=True, slots=True)
class Figure:
    """Something to measure. `prepare` makes the data and starts the servers, and hands back what a round does."""

    name: str
    about: str
    rows: Mapping[str, Row]
    prepare: Callable[["Stage"], AbstractContextManager[Measure]]
    needs_postgresql: bool = False


@dataclass(slots=True)
class Result:
    """A row with what every round found."""

    name: str
    row: Row
    samples: list[Sample] = field(default_factory=list)

    @property
    def scores(self) -> list[float]:
        """The score of each round."""
        return [self._score(sample) for sample in self.samples]

    def _score(self, sample: Sample) -> float:
        if self.row.score == "itself" or sample.limit is None:
            return sample.measured
        if self.row.score == "cost":
            return sample.limit / sample.measured
        return sample.measured / sample.limit
