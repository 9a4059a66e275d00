"""The real service as an installation runs it: `eventreg serve` in a process of its own, with its own folder."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import HANG_SECONDS
from tests.support.making import SECRET_KEY
from tests.support.needs import ROOT, require
from tests.support.smtp import SmtpServer, free_port, settings_for

EVENTREG = [sys.executable, "-m", "eventreg.cli"]
PATIENTLY = """
import sys
from eventreg import supervisor, web_server, worker
from eventreg.cli import main
supervisor.STOP_SECONDS = web_server.SETTINGS["graceful_timeout"] = worker.SHUTDOWN_SECONDS = 600
main(sys.argv[sys.argv.index("eventreg.cli") + 1:])
"""
PATIENT = [sys.executable, "-c", PATIENTLY]
"""For `inside`: a service that never kills what does not end when told to, so that a test sees it wait."""


def environment(instance: Path, **settings: Any) -> dict[str, str]:
    """This process's environment with those settings and no other of the service's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EVENTREG_")}
    given = {f"EVENTREG_{name}": str(value) for name, value in settings.items() if value is not None}
    return {**kept, "EVENTREG_INSTANCE_PATH": str(instance), "PYTHONUNBUFFERED": "1", **given}


def as_plain_account() -> list[str]:
    """For `inside`: file modes hold for the command, also where the tests run as root."""
    if os.geteuid() != 0:
        return []
    require("setpriv")
    return ["setpriv", "--bounding-set", "-dac_override"]


@dataclass
class LiveServer:
    """A running service. `log` grows while it runs."""

    process: subprocess.Popen[bytes]
    base_url: str
    instance: Path
    database_url: str | None
    settings: dict[str, Any]
    log_path: Path

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def url(self, path: str = "/") -> str:
        return self.base_url + path

    def run(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """One `eventreg` command on the same installation."""
        return run_eventreg(*arguments, instance=self.instance, stdin=stdin, **self.settings)

    def stop(self, *, seconds: float = HANG_SECONDS) -> int:
        """Asks it to end as Ctrl-C does; its exit status. Whatever is left of its group is killed."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(timeout=seconds)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
                raise
        return self.process.returncode

    def kill(self) -> None:
        """Ends every process of it at once, as a power cut would."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def run_eventreg(
    *arguments: str,
    instance: Path,
    stdin: str | None = None,
    seconds: float = HANG_SECONDS,
    inside: Sequence[str] = (),
    **settings: Any,
) -> subprocess.CompletedProcess[str]:
    """One `eventreg` command, with its own environment."""
    return subprocess.run(
        [*inside, *EVENTREG, *arguments],
        cwd=ROOT,
        env=environment(instance, **settings),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def start(
    *,
    instance: Path,
    database_url: str | None = None,
    smtp: SmtpServer | None = None,
    command: Callable[[int], list[str]] | None = None,
    host: str = "127.0.0.1",
    inside: Sequence[str] = (),
    program: Sequence[str] = EVENTREG,
    folder: Path = ROOT,
    more: Sequence[str] = (),
    **settings: Any,
) -> LiveServer:
    """Starts the service on a free port and waits until it answers. The database must be migrated.

    `inside` runs it elsewhere, like `ip netns exec NAME`; `program` in `folder` is another
    installation; `more` are further options of `eventreg serve`.
    """
    port = free_port()
    base_url = f"http://{host}:{port}"
    instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    all_settings: dict[str, Any] = {
        "DATABASE_URL": database_url,
        "BASE_URL": base_url,
        "SECRET_KEY": SECRET_KEY,
        "MIN_FILL_SECONDS": 0,
        "RATELIMIT_ENABLED": "false",
        **(settings_for(smtp) if smtp is not None else {}),
        **settings,
    }
    log_path = instance / "serve.log"
    arguments = command(port) if command else ["serve", "--host", host, "--port", str(port), *more]
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            [*inside, *program, *arguments],
            cwd=folder,
            env=environment(instance, **all_settings),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = LiveServer(process, base_url, instance, database_url, all_settings, log_path)
    try:
        _wait_until_it_answers(server)
    except BaseException:
        server.kill()
        raise
    return server


def _wait_until_it_answers(server: LiveServer, seconds: float = HANG_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(server.url("/healthz"), timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise AssertionError(f"the service did not start; it said:\n{server.log}")


def remove(folder: Path) -> None:
    """Deletes an instance folder."""
    shutil.rmtree(folder, ignore_errors=True)
