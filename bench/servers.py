"""Starts and ends the servers under load: loopback only, on a port the machine chooses."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.client import Address
from bench.databases import ROOT, settings
from eventreg.web_server import SETTINGS, SWITCH_SECONDS

START_SECONDS = 60
STOP_SECONDS = 10
BACKLOG = 2048


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; `pid` is the process above the web processes."""

    address: Address
    pid: int

    @property
    def worker_pids(self) -> list[int]:
        """The web processes."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [int(child) for child in children]


@contextmanager
def hello(*, folder: Path, workers: int) -> Iterator[Server]:
    """The hello-world view; files put into `folder` are answered under `/constant/`."""
    folder.mkdir(parents=True, exist_ok=True)
    # gunicorn's own threaded worker: ours is a part of the service.
    given = json.dumps({**SETTINGS, "worker_class": "gthread", "workers": workers})
    command = [str(ROOT / "bench" / "hello.py"), "{fd}", given, str(folder), str(SWITCH_SECONDS)]
    with _running(command, {}, folder / "log", "/") as server:
        yield server


@contextmanager
def service(database_url: str, *, folder: Path, workers: int, **given: object) -> Iterator[Server]:
    """The service's web processes on that database, with settings given by name."""
    chosen = settings(database_url, folder) | given
    environment = {f"EVENTREG_{name}": str(value) for name, value in chosen.items()}
    command = ["-m", "bench.service", "{fd}", str(workers)]
    with _running(command, environment, folder / "log", "/healthz") as server:
        yield server


@contextmanager
def _running(command: list[str], environment: dict[str, str], log: Path, path: str) -> Iterator[Server]:
    log.parent.mkdir(parents=True, exist_ok=True)
    with socket.socket() as listener, log.open("ab") as output:
        listener.bind(("127.0.0.1", 0))
        listener.listen(BACKLOG)
        descriptor = listener.fileno()
        process = subprocess.Popen(
            [sys.executable, *(part.replace("{fd}", str(descriptor)) for part in command)],
            cwd=ROOT,
            env=clean_environment() | environment,
            pass_fds=[descriptor],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        address = Address(listener.getsockname()[1])
    try:
        _wait(process, address.url + path, log)
        yield Server(address, process.pid)
    finally:
        _stop(process)


def clean_environment() -> dict[str, str]:
    """This process's own, without the settings of an installation."""
    return {name: value for name, value in os.environ.items() if not name.startswith("EVENTREG_")}


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=START_SECONDS):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise RuntimeError(f"a server did not start; it said:\n{log.read_text(errors='replace')}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def forget(folder: Path) -> None:
    """Deletes what a run left."""
    shutil.rmtree(folder, ignore_errors=True)
