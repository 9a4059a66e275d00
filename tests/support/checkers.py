"""Other people's iCalendar parsers, each asked about all files in one process."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support import needs
from tests.support.needs import ROOT

CLIENTS = ROOT / "tests" / "clients"
COMMANDS: dict[str, list[str]] = {
    "ical.js": ["node", "read.mjs"],
    "ical": [str(needs.CLIENTS / "bin" / "python"), "read_ical.py"],
    "libical": [needs.SYSTEM_PYTHON, "read_libical.py"],
}
"""What reads files and prints what it found; the names are those of `needs.require`."""


def read(checker: str, contents: Mapping[str, bytes], folder: Path) -> dict[str, Any]:
    """What that parser finds in each; `{"error": …}` for what it refuses."""
    needs.require(checker)
    paths = []
    for number, content in enumerate(contents.values()):
        paths.append(folder / f"{number}.ics")
        paths[-1].write_bytes(content)
    done = subprocess.run(
        [*COMMANDS[checker], *map(str, paths)],
        cwd=CLIENTS,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout, done.stderr
    found = dict(zip(contents, json.loads(done.stdout), strict=True))
    assert done.returncode == any("error" in one for one in found.values())
    return found
