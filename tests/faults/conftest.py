"""A fault test that fails shows what the processes it ran have said."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SHOWN = 8000
"""Characters of each log, from its end."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report: Any = yield
    folder = getattr(item, "funcargs", {}).get("instance")
    if report.failed and isinstance(folder, Path):
        for log in sorted(folder.rglob("*.log")):
            report.sections.append((str(log.relative_to(folder)), log.read_text(errors="replace")[-SHOWN:]))
    return report
