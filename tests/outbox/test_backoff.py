from datetime import timedelta

import pytest

from eventreg.outbox.backoff import LONGEST_WAIT, PATIENCE, Trouble, wait_after


@pytest.mark.parametrize("trouble", [Trouble.UNREACHABLE, Trouble.REFUSED_FOR_ALL, Trouble.LATER])
def test_waits_grow_to_an_hour_and_last_about_three_days(trouble: Trouble) -> None:
    waits: list[timedelta] = []
    while (wait := wait_after(trouble, len(waits) + 1, sum(waits, timedelta()))) is not None:
        waits.append(wait)
    assert waits == sorted(waits)
    assert waits[0] <= timedelta(minutes=1)
    assert waits[-1] == LONGEST_WAIT
    assert PATIENCE <= sum(waits, timedelta()) < PATIENCE + LONGEST_WAIT


@pytest.mark.parametrize("trouble", [Trouble.REJECTED, Trouble.BROKEN, Trouble.POINTLESS])
def test_a_rejected_recipient_is_not_tried_again(trouble: Trouble) -> None:
    assert wait_after(trouble, 1, timedelta()) is None


def test_tries_in_quick_succession_do_not_use_up_the_patience() -> None:
    assert wait_after(Trouble.UNREACHABLE, 500, PATIENCE - timedelta(seconds=1)) == LONGEST_WAIT
    assert wait_after(Trouble.UNREACHABLE, 500, PATIENCE) is None


def test_only_trouble_with_the_server_itself_is_everybodys() -> None:
    assert [trouble.name for trouble in Trouble if trouble.is_everybodys] == ["UNREACHABLE", "REFUSED_FOR_ALL"]
