"""Steps are counted, and the count is put right wherever the work was ended."""

import contextlib
import sys

import pytest

from eventreg.calendar.bounds import Budget, TooMuchWork


def forever() -> None:
    while True:
        abs(1)


def test_work_within_its_steps_gives_its_result_and_costs_what_it_took() -> None:
    budget = Budget(1000)
    assert budget.run(lambda: [abs(n) for n in (-1, 2)], at_most=100) == [1, 2]
    assert 900 < budget.left < 1000


def test_work_ends_after_its_steps_and_after_those_of_all() -> None:
    budget = Budget(250)
    left = []
    for _run in range(4):
        with pytest.raises(TooMuchWork):
            budget.run(forever, at_most=100)
        left.append(budget.left)
    assert left == [150, 50, 0, 0]


@pytest.mark.parametrize("steps", range(40))
def test_run_inside_another_leaves_it_bounded_wherever_it_ends(steps: int) -> None:
    """The last step may be any of those by which the run inside begins or ends."""
    outer, inner = Budget(20_000), Budget(steps)

    def work() -> None:
        with contextlib.suppress(TooMuchWork):
            inner.run(lambda: [abs(n) for n in range(8)], at_most=100)
        forever()

    with pytest.raises(TooMuchWork):
        outer.run(work, at_most=10_000)
    assert (outer.left, sys.getprofile()) == (10_000, None)
