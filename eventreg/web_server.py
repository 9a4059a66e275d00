"""gunicorn, told in Python instead of on a command line: serves the web pages on a port that is already open."""

import gc
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from eventreg.db import db
from eventreg.patience import PatientWorker

SETTINGS: dict[str, Any] = {
    "worker_class": PatientWorker,
    "threads": 4,
    # The app is made once and shared by the processes: they start together and cost little memory each.
    "preload_app": True,
    "keepalive": 5,
    # With the files and database connections of a process they stay below 1,024 open files, a common limit.
    "worker_connections": 800,
    "limit_request_line": 8190,
    "timeout": 60,
    "graceful_timeout": 3,
    "loglevel": "warning",
    "control_socket_disable": True,
    # A process shows that it lives by touching a file; on a slow disk that would hold it up.
    "worker_tmp_dir": "/dev/shm" if Path("/dev/shm").is_dir() else None,  # noqa: S108 - the kernel's name for it
}


class WebServer(BaseApplication):
    """The web processes and the gunicorn process above them."""

    def __init__(self, make_app: Callable[[], Flask], listener: socket.socket, workers: int) -> None:
        self._make_app = make_app
        self._settings = {**SETTINGS, "bind": f"fd://{listener.fileno()}", "workers": workers, "post_fork": _forget}
        super().__init__()

    def load_config(self) -> None:
        """Takes over our settings."""
        assert self.cfg is not None
        for name, value in self._settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The application, once for all processes.

        What exists by now is taken out of the collector's sight: looking at it would write into its pages, and a
        page that is written to is no longer shared.
        """
        app = self._make_app()
        gc.collect()
        gc.freeze()
        return app


SWITCH_SECONDS = 0.0005
"""How long a thread waits for another one's turn at Python. With Python's own 5 ms, whoever holds SQLite's one write
lock waits so long after each statement, and everybody else with them."""


def _forget(server: Any, _worker: Any) -> None:
    """A database connection made before the fork belongs to the parent alone."""
    sys.setswitchinterval(SWITCH_SECONDS)
    with server.app.wsgi().app_context():
        db.engine.dispose(close=False)
