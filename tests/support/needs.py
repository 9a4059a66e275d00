"""What a test needs from the machine, and what is said when the machine lacks it.

`require("browser")` skips the test with its reason, or fails it where EVENTREG_REQUIRE_ALL=1 says that
nothing may be left out. What was skipped is named once more in the closing lines of the run.
"""

import os
import shutil
import subprocess
import tempfile
from collections import Counter
from functools import lru_cache
from pathlib import Path

import psycopg
import pytest

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = os.environ.get("EVENTREG_TEST_CHROMIUM", "/usr/bin/chromium")
POSTGRESQL = os.environ.get("EVENTREG_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432/postgres")
CLIENTS = ROOT / ".venv-clients"
SYSTEM_PYTHON = "/usr/bin/python3"
"""Debian's own, which is given libical by its packages python3-gi and gir1.2-ical-3.0."""
SAYS = "This machine has no "
SLOW = (
    "browser/test_widths.py",
    "calendar/test_reading_fuzz.py",
    "calendar/test_reading_hostile.py",
    "calendar/test_sequence_property.py",
    "clients/",
    "demo/test_running.py",
    "faults/",
    "flows/test_rush.py",
    "incoming/test_damaged.py",
    "registrations/test_many_people.py",
    "registrations/test_seats_property.py",
    "test_supervisor.py",
)
"""Folders and files whose every test is slow: real services started and stopped, fuzzers, repeats."""


@lru_cache(maxsize=1)
def _postgresql() -> str | None:
    try:
        with psycopg.connect(POSTGRESQL, connect_timeout=3):
            return None
    except psycopg.OperationalError:
        return "PostgreSQL"


@lru_cache(maxsize=1)
def _libical() -> str | None:
    asked = 'import gi; gi.require_version("ICalGLib", "3.0"); from gi.repository import ICalGLib'
    try:
        done = subprocess.run([SYSTEM_PYTHON, "-c", asked], capture_output=True, timeout=30, check=False)
    except OSError:
        return "libical"
    return None if done.returncode == 0 else "libical"


def _missing(need: str) -> str | None:
    """The name of what is missing, as people call it; None when it is there."""
    if need == "browser":
        return None if Path(CHROMIUM).is_file() else "browser"
    if need == "postgresql":
        return _postgresql()
    if need == "clients":
        return None if (CLIENTS / "bin" / "khal").is_file() else "calendar programs"
    if need == "ical.js":
        installed = shutil.which("node") and (ROOT / "tests" / "clients" / "node_modules" / "ical.js").is_dir()
        return None if installed else "ical.js"
    if need == "ical":
        return None if list(CLIENTS.glob("lib/python*/site-packages/ical")) else "ical"
    if need == "libical":
        return _libical()
    if need == "PostgreSQL server programs":
        return None if postgresql_programs() else need
    if need == "mounting":
        return None if _mounting() else "right to mount a disk"
    if need == "network namespaces":
        return None if _network_namespaces() else need
    return None if shutil.which(need) else need


def postgresql_programs() -> Path | None:
    """Where initdb and pg_ctl are, the newest of several; Debian keeps them out of the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("pg_ctl")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@lru_cache(maxsize=1)
def _mounting() -> bool:
    """Whether this process may mount a small disk: root may, outside most containers."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], capture_output=True, check=False)
        if mounted.returncode == 0:
            subprocess.run(["umount", folder], check=True)
    return mounted.returncode == 0


@lru_cache(maxsize=1)
def _network_namespaces() -> bool:
    """Whether this process may make them: root may, where the kernel lets it."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    name = f"eventreg-probe-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode == 0
    if made:
        subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)
    return made


def require(need: str) -> None:
    """Goes on when the machine has it: "browser", "postgresql", "clients", one of `checkers.COMMANDS`, or a program."""
    missing = _missing(need)
    if missing is None:
        return
    if os.environ.get("EVENTREG_REQUIRE_ALL") == "1":
        pytest.fail(f"{SAYS}{missing}, and EVENTREG_REQUIRE_ALL=1 lets nothing be skipped.", pytrace=False)
    pytest.skip(f"{SAYS}{missing}.")


def closing_line(reasons: list[str], *, leaves_out_slow: bool = False) -> str:
    """What was left out, by name and number.

    >>> closing_line([])
    'Nothing was skipped.'
    >>> closing_line(["This machine has no browser."] * 2)
    'Skipped because this machine has no: browser (2 tests).'
    >>> closing_line([], leaves_out_slow=True)
    'Nothing was skipped but the slow tests (faults, fuzzers, repeats): `make check` runs them.'
    """
    slow = "the slow tests (faults, fuzzers, repeats): `make check` runs them."
    if not reasons:
        return f"Nothing was skipped but {slow}" if leaves_out_slow else "Nothing was skipped."
    known = Counter(reason.removeprefix(SAYS).rstrip(".") for reason in reasons if reason.startswith(SAYS))
    other = Counter(reason for reason in reasons if not reason.startswith(SAYS))
    parts = []
    if known:
        listed = ", ".join(f"{name} ({_tests(count)})" for name, count in sorted(known.items()))
        parts.append(f"Skipped because this machine has no: {listed}.")
    parts += [f"Skipped ({_tests(count)}): {reason}" for reason, count in sorted(other.items())]
    return " ".join([*parts, f"Skipped {slow}"] if leaves_out_slow else parts)


def _tests(count: int) -> str:
    return f"{count} test" + ("" if count == 1 else "s")
