"""The processes of a service as the kernel lists them."""

import contextlib
from collections.abc import Iterator
from pathlib import Path


def _running() -> Iterator[tuple[int, int, int]]:
    """Process, its parent and its session, of all that have not ended."""
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            state, parent, _group, session = (entry / "stat").read_text().rpartition(")")[2].split()[:4]
            if state not in "ZX":
                yield int(entry.name), int(parent), int(session)


def descendants(pid: int) -> list[int]:
    """Everything below that process, the nearest first."""
    parents = {child: parent for child, parent, _session in _running()}
    found = [pid]
    for one in found:
        found += sorted(child for child, parent in parents.items() if parent == one)
    return found[1:]


def of_session(session: int) -> list[int]:
    """Every process of that session, orphans too; a service started by `live.start` has one of its own."""
    return sorted(pid for pid, _parent, its_session in _running() if its_session == session)


def name(pid: int) -> str:
    """What it calls itself; empty when it has ended."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""
