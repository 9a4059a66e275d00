"""`eventreg serve` as it runs: whatever dies comes back, and a signal ends all of it."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from eventreg import supervisor
from tests.support import live
from tests.support.forked import run_forked
from tests.support.live import EVENTREG, PATIENT, PATIENTLY, LiveServer, environment, run_eventreg
from tests.support.making import SECRET_KEY
from tests.support.needs import ROOT, require
from tests.support.smtp import free_port, wait_until

MakeServer = Callable[..., LiveServer]
SECOND_WAITS = """
import pathlib, sys, time
from eventreg import web_server
made, told = map(pathlib.Path, sys.argv[1:3])
forget = web_server._forget
def wait(server, worker):
    if worker.age == 2:
        made.touch()
        while not told.exists():
            time.sleep(0.01)
    forget(server, worker)
web_server._forget = wait
"""
"""A service whose second web process is being made until there is a certain file."""


def children(pid: int) -> dict[str, int]:
    """The processes right below that one, by the name they gave themselves."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(fields[1]) == pid and fields[0] != "Z":
                found[(entry / "comm").read_text().strip()] = int(entry.name)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=600) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def is_gone(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"


def test_killed_processes_come_back_and_no_visitor_is_turned_away(make_live_server: MakeServer) -> None:
    server = make_live_server()
    wait_until(lambda: status(server.url("/readyz")) == 200, what="being ready")
    before = children(server.process.pid)
    assert set(before) == {"eventreg-web", "eventreg-worker"}
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: all(is_gone(pid) for pid in before.values()), what="the end of both")
    # The parent holds the port, so this waits for the new process instead of being refused.
    assert status(server.url("/healthz")) == 200
    wait_until(lambda: set(children(server.process.pid)) == set(before), what="the return of both")
    after = children(server.process.pid)
    assert not set(after.values()) & set(before.values())
    wait_until(lambda: status(server.url("/readyz")) == 200, what="being ready again")
    assert "The eventreg-web ended (signal 9)" in server.log
    assert "The eventreg-worker ended (signal 9)" in server.log
    assert "Traceback" not in server.log


@pytest.mark.sqlite_only
def test_processes_may_open_as_many_files_as_the_system_allows(make_live_server: MakeServer) -> None:
    server = make_live_server(inside=["prlimit", "--nofile=256:4096"])
    limits = Path(f"/proc/{children(server.process.pid)['eventreg-web']}/limits").read_text()
    assert [line.split()[3:5] for line in limits.splitlines() if line.startswith("Max open files")] == [
        ["4096", "4096"]
    ]


@pytest.mark.sqlite_only
@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_everything_also_when_a_visitor_does_not_hang_up(
    make_live_server: MakeServer, signum: int
) -> None:
    server = make_live_server(inside=PATIENT)
    wait_until(lambda: len(children(server.process.pid)) == 2, what="both processes")
    below = children(server.process.pid)
    port = int(server.base_url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as visitor:
        visitor.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert visitor.recv(15) == b"HTTP/1.1 200 OK"
        server.process.send_signal(signum)
        assert server.process.wait(timeout=600) == 0
    assert all(is_gone(pid) for pid in below.values())
    assert "Traceback" not in server.log


@pytest.mark.sqlite_only
def test_ctrl_c_at_a_terminal_reaches_all_of_them_and_still_ends_cleanly(make_live_server: MakeServer) -> None:
    server = make_live_server(inside=PATIENT)
    wait_until(lambda: len(children(server.process.pid)) == 2, what="both processes")
    os.killpg(server.process.pid, signal.SIGINT)
    assert server.process.wait(timeout=600) == 0
    assert "Traceback" not in server.log
    assert "started again" not in server.log


@pytest.mark.sqlite_only
def test_a_web_process_that_is_still_being_made_ends_too(make_live_server: MakeServer, tmp_path: Path) -> None:
    made, told = tmp_path / "made", tmp_path / "told"
    server = make_live_server(inside=[sys.executable, "-c", SECOND_WAITS + PATIENTLY, str(made), str(told)])
    wait_until(made.exists, what="the second web process")
    above = children(server.process.pid)["eventreg-web"]
    first, second = map(int, Path(f"/proc/{above}/task/{above}/children").read_text().split())
    server.process.send_signal(signal.SIGTERM)
    wait_until(lambda: is_gone(first), what="the end of the other, told in the same moment")
    assert not is_gone(second)
    told.touch()
    assert server.process.wait(timeout=600) == 0


@pytest.mark.sqlite_only
def test_what_does_not_end_when_told_to_is_killed_and_the_log_says_so(make_live_server: MakeServer) -> None:
    server = make_live_server(more=["--workers", "1"])
    wait_until(lambda: len(children(server.process.pid)) == 2, what="both processes")
    below = children(server.process.pid)
    (answering,) = children(below["eventreg-web"]).values()
    for pid in (answering, below["eventreg-worker"]):
        os.kill(pid, signal.SIGSTOP)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=600) == 0
    assert all(is_gone(pid) for pid in (*below.values(), answering))
    assert "The eventreg-worker did not end when it was told to, and was killed" in server.log
    # Ours, or gunicorn's own where it learned of the end before it ended itself.
    assert re.search("not end when they were told to: 1 web processes|was sent SIGKILL", server.log)


@pytest.mark.sqlite_only
def test_a_killed_parent_takes_its_children_along(make_live_server: MakeServer) -> None:
    server = make_live_server()
    wait_until(lambda: len(children(server.process.pid)) == 2, what="both processes")
    below = children(server.process.pid)
    server.process.kill()
    server.process.wait()
    wait_until(lambda: all(is_gone(pid) for pid in below.values()), what="the end of both")


@pytest.mark.sqlite_only
def test_a_port_in_use_is_said_in_one_sentence(database_url: str, instance: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run_eventreg(
            "serve", "--port", str(port), instance=instance, DATABASE_URL=database_url, SECRET_KEY=SECRET_KEY
        )
    sentence = (
        f"eventreg: Port {port} on 127.0.0.1 cannot be served: Address already in use. "
        "Choose another with --port (PORT= with make run).\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, "", sentence)


@pytest.mark.sqlite_only
def test_without_base_url_links_name_the_address_served_on(database_url: str, instance: Path) -> None:
    settings = {"DATABASE_URL": database_url, "SECRET_KEY": SECRET_KEY}
    assert run_eventreg("demo", instance=instance, **settings).returncode == 0
    port = free_port()
    process = subprocess.Popen(
        [*EVENTREG, "serve", "--port", str(port)],
        cwd=ROOT,
        env=environment(instance, **settings),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == f"Serving on http://127.0.0.1:{port}. Ctrl-C stops it.\n"

        def feed() -> str:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/calendar.ics", timeout=600) as response:
                return str(response.read().decode()).replace("\r\n ", "")

        # The demo was loaded for another address; the worker writes the feeds anew at its start.
        wait_until(lambda: ":8000" not in feed(), what="the new address")
        assert f"URL:http://127.0.0.1:{port}/events/alumni-weekend" in feed()
    finally:
        process.terminate()
        process.communicate(timeout=600)
        assert process.returncode == 0


@pytest.mark.sqlite_only
def test_shared_memory_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    require("mounting")
    require("unshare")
    folder = tmp_path / "instance"
    assert run_forked("db", "upgrade", instance=folder).returncode == 0
    hide = 'mount -t tmpfs -o ro tmpfs /dev/shm && exec "$@"'
    server = live.start(instance=folder, inside=["unshare", "--mount", "sh", "-c", hide, "sh"])
    try:
        assert status(server.url("/events/")) == 200
    finally:
        server.stop()
    assert "Traceback" not in server.log
    assert "started again" not in server.log


@pytest.mark.parametrize(
    ("host", "words"),
    [("no-such-host.invalid", "cannot be served: "), ("192.0.2.1", "Cannot assign requested address")],
)
def test_a_host_that_is_not_ours_is_said_in_words(host: str, words: str) -> None:
    with pytest.raises(supervisor.PortUnavailableError, match=words):
        supervisor.listen(host, 0)
