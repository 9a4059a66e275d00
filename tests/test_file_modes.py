"""What the service writes is private to its account, whatever the umask of the shell that starts it."""

import stat
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from eventreg import clock
from eventreg.events.models import Event
from tests.support import live, processes
from tests.support.forked import run_forked
from tests.support.load import Visitor
from tests.support.making import SECRET_KEY
from tests.support.smtp import wait_until

pytestmark = pytest.mark.sqlite_only
OPEN_UMASK = ["sh", "-c", 'umask 022; exec "$@"', "sh"]
"""For `inside`: a shell as most accounts have it."""
LOG = "serve.log"
"""Written by the test."""


def modes(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}


def umask_of(pid: int) -> str:
    (line,) = (line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("Umask"))
    return line.split()[1]


def test_files_of_every_command_are_private_under_an_open_umask(tmp_path: Path) -> None:
    folder, out = tmp_path / "made" / "instance", tmp_path / "out"
    out.mkdir()
    for words in (
        ["db", "upgrade"],
        ["demo"],
        ["attendees", "export", "alumni-weekend", "-o", str(out / "people.csv")],
        ["attendees", "export", "alumni-weekend", "--format", "xlsx", "-o", str(out / "people.xlsx")],
        ["backup", str(out / "copy.tar.gz")],
    ):
        done = run_forked(*words, instance=folder)
        assert done.returncode == 0, done.stderr
    assert {stat.S_IMODE(path.stat().st_mode) for path in (folder, folder.parent)} == {0o700}
    assert set(modes(folder).values()) == {0o600}
    assert {"eventreg.db", "eventreg.db-turn", "secret_key", "demo_account.json"} <= set(modes(folder))
    assert modes(out) == dict.fromkeys(["people.csv", "people.xlsx", "copy.tar.gz"], 0o600)


def test_files_of_the_running_service_are_private_under_an_open_umask(
    database_url: str, instance: Path, session: Session, make_event: Callable[..., Event]
) -> None:
    event = make_event(starts_at=clock.now() + timedelta(days=30), questions=[])
    path = f"/events/{event.slug}/rsvp"
    session.rollback()
    server = live.start(instance=instance, database_url=database_url, inside=OPEN_UMASK, RATELIMIT_ENABLED="true")
    try:
        visitor = Visitor()
        form = visitor.fill_in(server.url(path), name="Amira", email="amira@example.org", rsvp="yes")
        assert visitor.post(server.url(path), form)[0] == 200
        wait_until(lambda: list(instance.glob("mail/*.eml")), what="the kept mail")
        umasks = {umask_of(pid) for pid in processes.of_session(server.process.pid)}
        found = modes(instance)
        beside = modes(Path(database_url.removeprefix("sqlite:///")).parent)
    finally:
        server.stop()
    assert umasks == {"0077"}
    assert found.pop("mail") == 0o700
    del found[LOG]
    assert set(found.values()) == {0o600}
    assert {"huey.db", "limits.db", "limits.db-wal"} <= set(found)
    name = Path(database_url).name
    assert {beside[f"{name}{end}"] for end in ("-wal", "-shm", "-turn")} == {0o600}


@pytest.mark.parametrize(
    ("name", "mode", "right"),
    [
        ("", 0o755, 0o700),
        ("eventreg.db", 0o644, 0o600),
        ("eventreg.db-turn", 0o660, 0o600),
        ("huey.db", 0o604, 0o600),
        ("limits.db", 0o640, 0o600),
        ("secret_key", 0o644, 0o600),
        ("config.py", 0o644, 0o600),
        ("mail", 0o750, 0o700),
        ("mail/a.eml", 0o644, 0o600),
    ],
)
def test_doctor_names_a_file_that_others_may_use_and_the_command_that_mends_it(
    name: str, mode: int, right: int, instance: Path, database_url: str
) -> None:
    (instance / "mail").mkdir(mode=0o700)
    for other in ("huey.db", "limits.db", "config.py", "mail/a.eml", "eventreg.db-turn"):
        (instance / other).touch(mode=0o600)
    Path(database_url.removeprefix("sqlite:///")).replace(instance / "eventreg.db")
    (instance / "secret_key").write_text(SECRET_KEY)
    path = instance / name
    path.chmod(mode)
    done = run_forked("doctor", instance=instance, umask=0o077)
    shown = f"{instance}/mail/*.eml" if name.endswith(".eml") else str(path)
    line = (
        f"{shown} has mode {mode:03o}, so other accounts of this machine may use it: run `chmod {right:03o} {shown}`."
    )
    assert (done.returncode, done.stderr.splitlines()) == (1, [line])
    subprocess.run(["sh", "-c", line.partition("`")[2].partition("`")[0]], check=True)
    assert line not in run_forked("doctor", instance=instance, umask=0o077).stderr.splitlines()
