"""A PostgreSQL server of a test's own, for tests that stop it. The one everybody shares is left alone."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.needs import postgresql_programs, require
from tests.support.smtp import free_port


class Cluster:
    """A server with its own data and port, reached over TCP without a password. `inside` runs its commands elsewhere,
    like `ip netns exec NAME`.
    """

    def __init__(self, folder: Path, *, host: str = "127.0.0.1", inside: Sequence[str] = ()) -> None:
        self.host = host
        self.port = free_port()
        self.log_path = folder / "postgresql.log"
        self._data = folder / "data"
        self._inside = list(inside)

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://postgres@{self.host}:{self.port}/postgres"

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def make(self) -> None:
        """Makes the data and starts. A crash of the machine may cost a test its rows."""
        self._run("initdb", "-D", self._data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync")
        settings = {
            "listen_addresses": self.host,
            "port": self.port,
            "unix_socket_directories": self._data,
            "fsync": "off",
            "max_connections": 100,
            "shared_buffers": "16MB",
        }
        with (self._data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        with (self._data / "pg_hba.conf").open("a") as file:
            file.write("host all all all trust\n")
        self.start()

    def start(self) -> None:
        self._run("pg_ctl", "-D", self._data, "-l", self.log_path, "-w", "-t", "60", "start")

    def stop(self, *, how: str = "immediate") -> None:
        """`immediate` is a crash, `fast` ends everybody's connection politely."""
        self._run("pg_ctl", "-D", self._data, "-m", how, "-w", "-t", "60", "stop")

    def is_running(self) -> bool:
        return (self._data / "postmaster.pid").exists()

    def _run(self, program: str, *arguments: object) -> None:
        folder = postgresql_programs()
        assert folder is not None
        # PostgreSQL refuses to run as root.
        owner = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        command = [*self._inside, *owner, str(folder / program), *map(str, arguments)]
        # Its output goes to a file: the server would hold a pipe open for as long as it runs.
        with (self._data.parent / "commands.log").open("a+") as said:
            done = subprocess.run(command, cwd="/", stdin=subprocess.DEVNULL, stdout=said, stderr=said, check=False)
            said.seek(0)
            assert done.returncode == 0, f"{command}\n{said.read()[-3000:]}\n{self.log[-3000:]}"


@contextmanager
def running_cluster(*, host: str = "127.0.0.1", inside: Sequence[str] = ()) -> Iterator[Cluster]:
    """A running server, gone with its data at the end of the block. Skips where this machine has no PostgreSQL."""
    require("PostgreSQL server programs")
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="eventreg-cluster-", dir=memory if memory.is_dir() else None))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    cluster = Cluster(folder, host=host, inside=inside)
    try:
        cluster.make()
        yield cluster
    finally:
        if cluster.is_running():
            cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)
