"""File modes: what the service writes holds personal data and secrets, so only its own account may read it."""

import os
import stat
from collections.abc import Iterable
from pathlib import Path

PRIVATE_UMASK = 0o077
FOLDER_MODE = 0o700
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def restrict_new_files() -> None:
    """From now on every file and folder this process and its children make is private to its account.

    SQLite gives the files beside a database (-wal, -shm) the mode of the database itself.
    """
    os.umask(PRIVATE_UMASK)


def make_folder(folder: Path) -> None:
    """Makes a folder and its parents, mode 0700; one that is there already keeps its mode.

    Raises: OSError.
    """
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)


def with_siblings(database: Path) -> list[Path]:
    """An SQLite file and what lies beside it: log, index of the log, lock."""
    return [database, *(database.with_name(f"{database.name}{end}") for end in ("-wal", "-shm", "-journal", "-turn"))]


def exposed(paths: Iterable[Path], *, allowed: int = 0) -> list[tuple[Path, int]]:
    """Those that exist and that other accounts may use, with their modes; `allowed` bits are no fault."""
    found = []
    for path in paths:
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
        except OSError:
            continue
        if mode & _OTHERS & ~allowed:
            found.append((path, mode))
    return found
