"""Addresses of static files carry a hash of their bytes, so a browser may keep them for a year."""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, request

FOREVER = "public, max-age=31536000, immutable"


def init_app(app: Flask) -> None:
    """Adds `?v=<hash>` to every `url_for("static", …)` and the caching headers that go with it."""
    app.url_defaults(_add_version)
    app.after_request(_cache)


@lru_cache(maxsize=256)
def _digest(path: Path, _changed_ns: int, _size: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def version(filename: str) -> str | None:
    """The hash of a static file as it is now; None when there is no such file."""
    folder = Path(current_app.static_folder or "").resolve()
    path = (folder / filename).resolve()
    if not path.is_relative_to(folder) or not path.is_file():
        return None
    stat = path.stat()
    return _digest(path, stat.st_mtime_ns, stat.st_size)


def _add_version(endpoint: str, values: dict[str, Any]) -> None:
    if endpoint == "static" and "filename" in values:
        found = version(values["filename"])
        if found:
            values["v"] = found


def _cache(response: Response) -> Response:
    if request.endpoint == "static" and response.status_code in {200, 304}:
        asked = request.args.get("v")
        # `view_args` holds the file name: the route gave it.
        current = version((request.view_args or {}).get("filename", ""))
        response.headers["Cache-Control"] = FOREVER if asked and asked == current else "public, max-age=300"
    return response
