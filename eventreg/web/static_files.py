"""Addresses of static files carry a hash of their bytes, so a browser may keep them for a year."""

import hashlib
import stat
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


@lru_cache(maxsize=256)
def _path(folder: str, filename: str) -> Path | None:
    """Where the file would be; None outside the folder. Finding out asks the disk for every part of the path."""
    inside = Path(folder).resolve()
    path = (inside / filename).resolve()
    return path if path.is_relative_to(inside) else None


def version(filename: str) -> str | None:
    """The hash of a static file as it is now; None when there is no such file."""
    path = _path(current_app.static_folder or "", filename)
    if path is None:
        return None
    try:
        found = path.stat()
    except OSError:
        return None
    return _digest(path, found.st_mtime_ns, found.st_size) if stat.S_ISREG(found.st_mode) else None


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
