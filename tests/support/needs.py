"""What a test needs from the machine, and what is said when the machine lacks it.

`require("browser")` skips the test with its reason, or fails it where EVENTREG_REQUIRE_ALL=1 says that
nothing may be left out. What was skipped is named once more in the closing lines of the run.
"""

import os
import shutil
from collections import Counter
from functools import lru_cache
from pathlib import Path

import psycopg
import pytest

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = os.environ.get("EVENTREG_TEST_CHROMIUM", "/usr/bin/chromium")
POSTGRESQL = os.environ.get("EVENTREG_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432/postgres")
CLIENTS = ROOT / ".venv-clients"
SAYS = "This machine has no "


@lru_cache(maxsize=1)
def _postgresql() -> str | None:
    try:
        with psycopg.connect(POSTGRESQL, connect_timeout=3):
            return None
    except psycopg.OperationalError:
        return "PostgreSQL"


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
    return None if shutil.which(need) else need


def require(need: str) -> None:
    """Goes on when the machine has it: "browser", "postgresql", "clients", "ical.js", or the name of a program."""
    missing = _missing(need)
    if missing is None:
        return
    if os.environ.get("EVENTREG_REQUIRE_ALL") == "1":
        pytest.fail(f"{SAYS}{missing}, and EVENTREG_REQUIRE_ALL=1 lets nothing be skipped.", pytrace=False)
    pytest.skip(f"{SAYS}{missing}.")


def closing_line(reasons: list[str]) -> str:
    """What was skipped, by name and number.

    >>> closing_line([])
    'Nothing was skipped.'
    >>> closing_line(["This machine has no browser."] * 2)
    'Skipped because this machine has no: browser (2 tests).'
    """
    if not reasons:
        return "Nothing was skipped."
    known = Counter(reason.removeprefix(SAYS).rstrip(".") for reason in reasons if reason.startswith(SAYS))
    other = Counter(reason for reason in reasons if not reason.startswith(SAYS))
    parts = []
    if known:
        listed = ", ".join(f"{name} ({_tests(count)})" for name, count in sorted(known.items()))
        parts.append(f"Skipped because this machine has no: {listed}.")
    parts += [f"Skipped ({_tests(count)}): {reason}" for reason, count in sorted(other.items())]
    return " ".join(parts)


def _tests(count: int) -> str:
    return f"{count} test" + ("" if count == 1 else "s")
