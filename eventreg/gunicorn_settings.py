"""How gunicorn serves the web pages. `eventreg.supervisor` adds the address and the number of processes."""

import os
from pathlib import Path
from typing import Any

wsgi_app = "eventreg:create_app()"
worker_class = "gthread"
threads = 4
# The app is made once and shared by the processes: they start together and cost little memory each.
preload_app = True
keepalive = 5
timeout = 60
graceful_timeout = 3
loglevel = os.environ.get("EVENTREG_LOG_LEVEL", "warning")
control_socket_disable = True
# A process shows that it lives by touching a file; on a slow disk that would hold it up.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - named by the kernel, not by us


def post_fork(server: Any, _worker: Any) -> None:
    """A database connection made before the fork belongs to the parent alone."""
    from eventreg.db import db  # noqa: PLC0415 - gunicorn reads this file before it reads the app

    app = server.app.wsgi()
    with app.app_context():
        db.engine.dispose(close=False)
