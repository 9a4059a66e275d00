"""Lets the site live below a path, as BASE_URL says, behind proxies that strip that path and ones that do not.

SCRIPT_NAME is what BASE_URL says, also where it has no path: what a server took from a request is not believed.
Where the path is also the beginning of an address of the site, like `/events`, it must not be stripped before.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Prefix:
    """WSGI middleware that moves `prefix` from PATH_INFO to SCRIPT_NAME (PEP 3333)."""

    def __init__(self, app: "WSGIApplication", prefix: str) -> None:
        self.app = app
        self.prefix = prefix.rstrip("/")

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Serves one request."""
        path = environ.get("PATH_INFO", "")
        if path == self.prefix or path.startswith(f"{self.prefix}/"):
            environ["PATH_INFO"] = path[len(self.prefix) :] or "/"
        environ["SCRIPT_NAME"] = self.prefix
        return self.app(environ, start_response)
