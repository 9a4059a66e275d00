"""The least a Flask view can do, on the same server with the same settings: the limit of every page.

Run by itself and importing nothing of the service, so that its memory is its own. Arguments: the descriptor of the
open port, gunicorn's settings as JSON, a folder whose files are answered as they are, and how long a thread waits for
Python.
"""

import json
import sys
from pathlib import Path
from typing import Any

from flask import Flask, Response
from gunicorn.app.base import BaseApplication


def make_app(folder: Path) -> Flask:
    """`/` says hello; `/constant/<name>` answers the bytes of that file, read once."""
    app = Flask("hello")
    kept: dict[str, bytes] = {}

    @app.get("/")
    def hello() -> str:
        return "Hello, world"

    @app.get("/constant/<name>")
    def constant(name: str) -> Response:
        if name not in kept:
            kept[name] = (folder / name).read_bytes()
        return Response(kept[name], content_type="text/calendar; charset=utf-8")

    return app


class HelloServer(BaseApplication):
    """As `eventreg.web_server.WebServer`, without what belongs to the database."""

    def __init__(self, settings: dict[str, Any], folder: Path) -> None:
        self._given = settings
        self._folder = folder
        super().__init__()  # type: ignore[no-untyped-call]

    def load_config(self) -> None:
        assert self.cfg is not None
        for name, value in self._given.items():
            self.cfg.set(name, value)
        self.cfg.set("post_fork", _begin)

    def load(self) -> Flask:
        return make_app(self._folder)


def _begin(_server: Any, _worker: Any) -> None:
    """As the service's web processes begin."""
    sys.setswitchinterval(float(sys.argv[4]))


if __name__ == "__main__":
    given = {**json.loads(sys.argv[2]), "bind": f"fd://{sys.argv[1]}"}
    HelloServer(given, Path(sys.argv[3])).run()  # type: ignore[no-untyped-call]
