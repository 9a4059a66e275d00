"""A process that does what a web process does for visitors, and says what it has loaded then.

`python -m tests.support.loaded SLUG`, of a public event without questions. What this module itself imports counts.
"""

import re
import socket
import sys

from eventreg import create_app
from eventreg.web_server import WebServer

PATHS = (
    "/events/",
    "/calendar.ics",
    "/feed.atom",
    "/sitemap.xml",
    "/subscribe",
    "/events/{slug}",
    "/events/{slug}.ics",
    "/healthz",
    "/readyz",
)


def main(slug: str) -> None:
    """Makes the application as the server does, opens what is public, registers, and prints the modules' names."""
    with socket.socket() as listener:
        client = WebServer(create_app, listener, 1).load().test_client()
        for path in PATHS:
            status = client.get(path.format(slug=slug)).status_code
            assert status in {200, 503}, (path, status)  # 503: no worker runs
        address = f"/events/{slug}/rsvp"
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get(address).text)
        assert token is not None
        form = {"csrf_token": token[1], "name": "Amira", "email": "amira@example.org", "rsvp": "yes", "party_size": "1"}
        answer = client.post(address, data=form)
        assert answer.status_code == 303, answer.text
    print("\n".join(sorted(sys.modules)))  # noqa: T201 - read by the test


if __name__ == "__main__":
    main(sys.argv[1])
