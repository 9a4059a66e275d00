"""Rate limits counted for all processes of a host."""

import subprocess
import sys

from limits import parse
from limits.strategies import FixedWindowRateLimiter

from eventreg.web.limit_store import FileStorage

COUNT = """
import sys
from limits import parse
from limits.strategies import FixedWindowRateLimiter
from eventreg.web.limit_store import FileStorage
limiter = FixedWindowRateLimiter(FileStorage(sys.argv[1]))
print(sum(limiter.hit(parse("10 per hour"), "rsvp", "amira@example.org") for _ in range(8)))
"""


def test_processes_count_together_and_keys_apart(tmp_path) -> None:
    uri = f"eventreg-file://{tmp_path / 'limits.db'}"
    programs = [
        subprocess.Popen([sys.executable, "-c", COUNT, uri], stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    assert sum(int(one.communicate(timeout=600)[0]) for one in programs) == 10
    limiter = FixedWindowRateLimiter(FileStorage(uri))
    assert limiter.hit(parse("10 per hour"), "rsvp", "amira@example.org") is False
    assert limiter.hit(parse("10 per hour"), "rsvp", "wim@example.org") is True


def test_count_that_has_run_out_begins_anew(tmp_path) -> None:
    storage = FileStorage(f"eventreg-file://{tmp_path / 'limits.db'}")
    assert [storage.incr("key", 3600), storage.incr("key", 3600, 2), storage.get("key")] == [1, 3, 3]
    assert [storage.incr("gone", -1), storage.incr("gone", 3600), storage.get("gone")] == [1, 1, 1]
    storage.clear("key")
    assert (storage.get("key"), storage.get("gone"), storage.reset(), storage.get("gone")) == (0, 1, 1, 0)


def test_file_that_cannot_be_used_counts_in_the_process_and_costs_no_answer(
    make_app, make_event, make_client, instance
) -> None:
    (instance / "limits.db").mkdir()
    event = make_event()
    client = make_client(make_app(RATELIMIT_ENABLED=True))
    assert client.post(f"/events/{event.slug}/rsvp", data={}).status_code == 422
