"""The machine a table was made on, and what its processes take."""

import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

LIBRARIES = ("flask", "gunicorn", "sqlalchemy", "psycopg", "icalendar", "xlsxwriter")


def facts() -> list[str]:
    """What somebody who compares two tables must know."""
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return [
        f"{_processor()}, {os.cpu_count()} processors, {_memory_gb():.0f} GB, {platform.system()} {platform.release()}",
        f"Python {platform.python_version()}, {libraries}",
    ]


def short_name() -> str:
    """The processor's name as part of a file name.

    >>> short_name() == short_name().lower()
    True
    """
    return re.sub(r"[^a-z0-9]+", "-", f"{_processor()} x{os.cpu_count()}".lower()).strip("-")


def load_average() -> float:
    """What else the machine was doing in the last minute."""
    return os.getloadavg()[0]


def commit() -> tuple[str, bool]:
    """The short commit, and whether the tree differs from it."""
    folder = Path(__file__).parent
    short = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=folder, capture_output=True, text=True, check=False
    ).stdout.strip()
    changed = subprocess.run(
        ["git", "status", "--porcelain", "--untracked-files=no", "--", "../eventreg", "../templates", "../config.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    return short or "unknown", bool(changed.strip())


def resident_mb(pid: int) -> float:
    """What a process has in memory, shared pages counted whole."""
    return _status_kb(pid, "VmRSS") / 1024


def peak_mb(pid: int | str = "self") -> float:
    """The most it had since `forget_peak`."""
    return _status_kb(pid, "VmHWM") / 1024


def forget_peak() -> None:
    """Begins this process's peak anew."""
    Path("/proc/self/clear_refs").write_text("5")


def proportional_mb(pid: int) -> float:
    """What a process has in memory, shared pages divided among those who share them."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the kernel tells no proportional set size")


def _status_kb(pid: int | str, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise RuntimeError(f"the kernel tells no {name}")


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
