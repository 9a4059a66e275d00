"""`eventreg run-demo`, which is `make run`: an empty machine, and every start after the first."""

import re
import urllib.request

import pytest

from tests.support import live

pytestmark = pytest.mark.sqlite_only


def begin(instance, **settings) -> live.LiveServer:
    return live.start(
        instance=instance,
        command=lambda port: ["run-demo", "--host", "127.0.0.1", "--port", str(port)],
        DATABASE_URL=None,
        BASE_URL=None,
        SECRET_KEY=None,
        **settings,
    )


def printed(log: str, name: str) -> list[str]:
    return re.findall(rf"^\s+{name}\s+(\S+)$", log, re.MULTILINE)


def test_first_start_serves_the_demo_and_the_second_says_the_same_password(instance) -> None:
    first = begin(instance, inside=live.PATIENT)
    with urllib.request.urlopen(first.url("/events/?q=anniversary"), timeout=600) as response:
        assert "Diversity Initiative Anniversary" in response.read().decode()
    assert first.stop() == 0
    second = begin(instance, inside=live.PATIENT)
    assert second.stop() == 0

    log = second.log
    assert printed(log, "Calendar") == [first.base_url, second.base_url]
    assert printed(log, "Organizer") == ["organizer@example.org"] * 2
    assert len(set(printed(log, "Password"))) == 1
    assert "started again" not in log
    assert "Traceback" not in log


def test_start_whose_demo_password_was_changed_does_not_print_the_old_one(instance) -> None:
    begin(instance).stop()
    done = live.run_eventreg(
        "organizer",
        "password",
        "organizer@example.org",
        "--password-stdin",
        instance=instance,
        stdin="another good sentence\n",
    )
    assert (done.returncode, done.stderr) == (0, "")
    server = begin(instance)
    server.stop()
    assert len(printed(server.log, "Password")) == 1


def test_demo_command_refuses_a_database_with_events(instance) -> None:
    assert live.run_eventreg("db", "upgrade", instance=instance).returncode == 0
    assert live.run_eventreg("demo", instance=instance).returncode == 0
    done = live.run_eventreg("demo", instance=instance)
    assert (done.returncode, len(done.stderr.splitlines()), "already has events" in done.stderr) == (1, 1, True)
