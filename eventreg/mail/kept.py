"""The folder that keeps mails where no mail server is set: one `.eml` file each, readable by their owner alone."""

import os
import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

_NAME = re.compile(r"\d{8}T\d{6}\.\d{6}Z-[a-z_]+-[0-9a-f]{12}\.eml")


def file_name(*, created_at: datetime, kind: str, key: str) -> str:
    """The name of a mail's file: sorts by the time it was owed, and is the same when it is kept a second time.

    >>> file_name(created_at=datetime(2026, 10, 5, 16, 0, tzinfo=UTC), kind="confirmation", key="0af3bd" * 5)
    '20261005T160000.000000Z-confirmation-0af3bd0af3bd.eml'
    """
    return f"{created_at.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}-{kind}-{key[:12]}.eml"


def keep(folder: Path, name: str, content: bytes) -> Path:
    """Writes a mail so that a reader meets the whole file or none.

    Raises: OSError when the folder cannot be written to.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = folder / f".{name}.{secrets.token_hex(4)}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(folder / name)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return folder / name


def names(folder: Path) -> Sequence[str]:
    """What is kept, newest first."""
    return sorted((path.name for path in folder.glob("[!.]*.eml")), reverse=True)


def remove_before(folder: Path, moment: datetime) -> int:
    """Removes what was owed before then, going by the names; how many. Files of other names stay."""
    limit = f"{moment.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}"
    old = [name for name in names(folder) if _NAME.fullmatch(name) and name < limit]
    for name in old:
        (folder / name).unlink(missing_ok=True)
    return len(old)


def read(folder: Path, name: str) -> bytes | None:
    """One kept mail; None when there is none of that name, wherever the name points."""
    if name not in names(folder):
        return None
    try:
        return (folder / name).read_bytes()
    except FileNotFoundError:
        return None
