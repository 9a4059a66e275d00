"""gunicorn, told in Python instead of on a command line: serves the web pages on a port that is already open."""

import contextlib
import ctypes
import gc
import logging
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from typing import Any

from babel import Locale
from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from sqlalchemy.orm import configure_mappers

from eventreg.db import db
from eventreg.patience import TOLD_TO_END, PatientWorker
from eventreg.web import i18n

log = logging.getLogger(__name__)


def _heartbeat_folder() -> str | None:
    """Where a process shows that it lives, by touching a file: in memory, as a slow disk would hold it up.

    None, gunicorn's word for the usual temporary folder, where the memory cannot be written.
    """
    memory = "/dev/shm"  # noqa: S108 - the kernel's name for it
    try:
        with tempfile.TemporaryFile(dir=memory):
            return memory
    except OSError:
        return None


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
    # Answers go through `Outgoing.sendall`.
    "sendfile": False,
    # No header of a request names its address, scheme or path, whoever sends it; see TRUSTED_PROXIES.
    "forwarded_allow_ips": "",
    "forwarder_headers": "",
    "secure_scheme_headers": {},
}


class _Arbiter(Arbiter):
    """gunicorn's process above the web processes, which makes none that does not hear when it is told to end."""

    def spawn_worker(self) -> Any:
        """Forks a web process. It takes up the signals when it has its own ways with them: `PatientWorker`.

        Until then it would have ours, put each in a list nobody looks at, and in the end be killed.
        """
        signal.pthread_sigmask(signal.SIG_BLOCK, TOLD_TO_END)
        try:
            return super().spawn_worker()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, TOLD_TO_END)


class WebServer(BaseApplication):
    """The web processes and the gunicorn process above them."""

    def __init__(self, make_app: Callable[[], Flask], listener: socket.socket, workers: int) -> None:
        self._make_app = make_app
        hooks = {"post_fork": _forget, "on_exit": _say_who_was_killed}
        self._settings = {**SETTINGS, **hooks, "bind": f"fd://{listener.fileno()}", "workers": workers}
        self._settings["worker_tmp_dir"] = _heartbeat_folder()
        super().__init__()

    def run(self) -> None:
        """Serves until the process is told to end."""
        _Arbiter(self).run()

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
        _one_heap()
        app = self._make_app()
        _get_ready(app)
        gc.collect()
        gc.freeze()
        return app


VISITED = ("base.html", "_macros/", "public/", "attendee/")
"""The templates of what everybody may open."""
_ARENA_MAX = -8
"""Of mallopt(3)."""


def _one_heap() -> None:
    """Has glibc keep one heap for all threads: they share Python's lock anyway, and each heap has its own gaps."""
    with contextlib.suppress(AttributeError):  # another C library than glibc
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)


def _get_ready(app: Flask) -> None:
    """Does once, and in memory all processes share, what the first visitor of each would otherwise wait for."""
    configure_mappers()
    for language in i18n.languages():
        assert Locale.parse(language).date_formats
    for name in app.jinja_env.list_templates(filter_func=lambda name: name.startswith(VISITED)):
        app.jinja_env.get_template(name)


SWITCH_SECONDS = 0.0005
"""How long a thread waits for another one's turn at Python. With Python's own 5 ms, whoever holds SQLite's one write
lock waits so long after each statement, and everybody else with them."""


def _forget(server: Any, _worker: Any) -> None:
    """A database connection made before the fork belongs to the parent alone."""
    sys.setswitchinterval(SWITCH_SECONDS)
    with server.app.wsgi().app_context():
        db.engine.dispose(close=False)


def _say_who_was_killed(server: Any) -> None:
    """Of visitors that are cut off the log tells. gunicorn's books hold no process that ended by itself."""
    if server.WORKERS:
        log.warning("Killed, as they did not end when they were told to: %s web processes", len(server.WORKERS))
