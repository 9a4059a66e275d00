"""Steps are counted, here and in the whole of which they are a part."""

import pytest

from eventreg.calendar.bounds import Steps, TooMuchWork


def test_work_ends_after_its_steps_and_after_those_of_the_whole() -> None:
    whole = Steps(250)
    left = []
    for _part in range(3):
        with pytest.raises(TooMuchWork):
            Steps(100, of=whole).take(101)
        left.append(whole.left)
    assert left == [149, 48, -53]


def test_work_within_its_steps_costs_what_it_took() -> None:
    whole = Steps(10)
    Steps(4, of=whole).take(4)
    assert whole.left == 6
