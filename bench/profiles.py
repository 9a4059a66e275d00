"""Where the time of one request goes: `python -m bench.profiles rsvp` (or event-page, listing, feed-304, form).

In one process and without a server, so that the numbers say how the work is divided, not how long a visitor waits.
"""

import cProfile
import io
import pstats
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from werkzeug.test import EnvironBuilder, run_wsgi_app

from bench import data, forms
from bench.databases import Databases, settings
from eventreg import clock, create_app
from eventreg.links import Links

REQUESTS = 200
LINES = 60
Get = Callable[..., tuple[int, bytes, Any]]
PATHS = {
    "event-page": "/events/day-of-reflection-1",
    "listing": "/events/",
    "form": "/events/day-of-reflection-1/rsvp",
    "feed-304": "/calendar.ics",
    "rsvp": "/events/day-of-reflection-1/rsvp",
}


def main(name: str) -> None:
    """Prints the time of a request without the profiler, then the profile."""
    databases = Databases()
    try:
        url = databases.make("sqlite", "profiles")
        links = Links("http://127.0.0.1:8000", "only-for-the-bench-only-for-the-bench")
        events = data.some_events(200, now=clock.now(), every=timedelta(hours=12))
        data.fill(url, events=(data.with_block(event, links) for event in events))
        requests = _requests(name, url, databases.folder)
        for request in requests[:20]:
            request()
        middle = 20 + REQUESTS
        started, processor = time.perf_counter(), time.process_time()
        for request in requests[20:middle]:
            request()
        took, worked = time.perf_counter() - started, time.process_time() - processor
        each, own = took / REQUESTS * 1000, worked / REQUESTS * 1000
        print(f"{name}: {each:.2f} ms a request, {own:.2f} of them processor time")
        profile = cProfile.Profile()
        profile.enable()
        for request in requests[middle:]:
            request()
        profile.disable()
        _print(profile)
    finally:
        databases.close()


def _requests(name: str, url: str, folder: Path) -> list[Callable[[], object]]:
    given = settings(url, folder)
    app = create_app(given, instance_path=given["INSTANCE_PATH"])

    def ask(**options: Any) -> tuple[int, bytes, Any]:
        body, status, headers = run_wsgi_app(app, EnvironBuilder(**options).get_environ(), buffered=True)
        return int(status[:3]), b"".join(body), headers

    path = PATHS[name]
    count = 20 + 2 * REQUESTS
    if name == "rsvp":
        return [_answer(ask, path, number) for number in range(count)]
    headers: dict[str, str] = {}
    if name == "feed-304":
        headers["If-None-Match"] = str(ask(path=path)[2]["ETag"])
    environ = EnvironBuilder(path=path, headers=list(headers.items())).get_environ()
    return [lambda: run_wsgi_app(app, dict(environ), buffered=True)] * count


def _answer(ask: Get, path: str, number: int) -> Callable[[], object]:
    _status, page, headers = ask(path=path)
    token = forms.TOKEN.search(page)
    assert token is not None
    form = {
        "csrf_token": (token[1] or token[2]).decode(),
        "name": "Amira Zoë Haddad",
        "email": f"amira.{number}@bench.example.org",
        "rsvp": "yes",
        "party_size": "1",
        "q-1": "Vegetarian, no nuts",
    }
    cookie = headers["Set-Cookie"].partition(";")[0]

    def post() -> None:
        status, _body, _headers = ask(path=path, method="POST", data=form, headers={"Cookie": cookie})
        assert status == 303, status

    return post


def _print(profile: cProfile.Profile) -> None:
    root = str(Path(__file__).resolve().parent.parent)
    for order in ("cumulative", "tottime"):
        out = io.StringIO()
        pstats.Stats(profile, stream=out).sort_stats(order).print_stats(LINES)
        # Where a machine keeps its Python is nobody's business.
        text = out.getvalue().replace(root + "/", "").replace(sys.base_prefix + "/", "")
        print(text.replace(tempfile.gettempdir(), "tmp"))


if __name__ == "__main__":
    main(sys.argv[1])
