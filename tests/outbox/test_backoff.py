from datetime import timedelta

import pytest

from eventreg.outbox.backoff import LONGEST_WAIT, PATIENCE, Trouble, wait_after


@pytest.mark.parametrize("trouble", [Trouble.UNREACHABLE, Trouble.REFUSED_FOR_ALL, Trouble.LATER])
def test_waits_grow_to_an_hour_and_last_about_three_days(trouble: Trouble) -> None:
    waits = []
    while (wait := wait_after(trouble, len(waits) + 1)) is not None:
        waits.append(wait)
    assert waits == sorted(waits)
    assert waits[0] <= timedelta(minutes=1)
    assert waits[-1] == LONGEST_WAIT
    assert PATIENCE <= sum(waits, timedelta()) < PATIENCE + LONGEST_WAIT


@pytest.mark.parametrize("trouble", [Trouble.REJECTED, Trouble.BROKEN, Trouble.POINTLESS])
def test_a_rejected_recipient_is_not_tried_again(trouble: Trouble) -> None:
    assert wait_after(trouble, 1) is None


def test_only_trouble_with_the_server_itself_is_everybodys() -> None:
    assert [trouble.name for trouble in Trouble if trouble.is_everybodys] == ["UNREACHABLE", "REFUSED_FOR_ALL"]
