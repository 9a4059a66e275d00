"""PostgreSQL comes up after the service, as at boot; one that refuses the service ends it at once."""

import subprocess
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from tests.support import making
from tests.support.clusters import running_cluster
from tests.support.forked import run_forked
from tests.support.live import EVENTREG, environment
from tests.support.load import GONE, Visitor
from tests.support.making import SECRET_KEY
from tests.support.needs import POSTGRESQL, ROOT, require
from tests.support.smtp import free_port, wait_until

pytestmark = pytest.mark.postgresql


def is_ready(url: str) -> bool:
    """Processes that are still starting may take longer than a visitor waits."""
    try:
        return Visitor().send(url)[0] == 200
    except GONE:
        return False


def test_service_waits_for_postgresql_and_says_so_once(tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "serve.log"
    with running_cluster() as cluster:
        making.migrate(cluster.url, tmp_path)
        cluster.stop(how="fast")
        with log.open("wb") as said:
            process = subprocess.Popen(
                [*EVENTREG, "serve", "--port", str(port)],
                cwd=ROOT,
                env=environment(tmp_path, DATABASE_URL=cluster.url, SECRET_KEY=SECRET_KEY),
                stdout=said,
                stderr=said,
            )
        try:
            wait_until(lambda: "Waiting for the database: " in log.read_text(), what="the line")
            cluster.start()
            wait_until(lambda: "Serving on" in log.read_text(), what="the start")
            url = f"http://127.0.0.1:{port}/readyz"
            wait_until(lambda: is_ready(url), what="being ready")
        finally:
            process.terminate()
            process.wait(timeout=600)
    assert log.read_text().count("Waiting for the database") == 1
    assert "Traceback" not in log.read_text()


@pytest.mark.parametrize(
    ("change", "words"),
    [({"username": "nobody-at-all"}, "role"), ({"database": "no-such-database"}, "database")],
    ids=["role", "database"],
)
@pytest.mark.parametrize("command", ["serve", "worker"])
def test_server_that_refuses_the_service_ends_it_at_once(
    command: str, change: dict[str, str], words: str, instance: Path
) -> None:
    require("postgresql")
    url = sa.make_url(POSTGRESQL).set(drivername="postgresql+psycopg", **change)
    done = run_forked(command, instance=instance, DATABASE_URL=url.render_as_string(hide_password=False))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("eventreg: The database cannot be used: ")
    assert f'{words} "{next(iter(change.values()))}" does not exist' in line


def test_wrong_password_ends_it_at_once(instance: Path) -> None:
    with running_cluster() as cluster:
        with psycopg.connect(cluster.url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("CREATE ROLE eventreg LOGIN PASSWORD 'right'")
            hba = Path(connection.execute("SHOW hba_file").fetchone()[0])
            hba.write_text("host all eventreg all scram-sha-256\nhost all all all trust\n")
            connection.execute("SELECT pg_reload_conf()")
        url = f"postgresql+psycopg://eventreg:wrong@{cluster.host}:{cluster.port}/postgres"

        def refused() -> bool:
            done = run_forked("worker", instance=instance, DATABASE_URL=url)
            # Until the server has read its rules anew, only the schema is missing.
            return "password authentication failed" in done.stderr and done.returncode == 1

        wait_until(refused, what="the refusal")
