"""The file of a backup: a tar archive with the database's copy, the secret key and a note saying what it is.

Without the secret key, mailed links would die. An archive may come from anywhere, so nothing in it is believed: three
regular files are read by their names, each once, and nothing is unpacked beside them or larger than the disk.
"""

import errno
import gzip
import io
import json
import os
import shutil
import tarfile
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path

from eventreg.errors import EventRegError

NOTE = "eventreg-backup.json"
KEY = "secret_key"
DATABASE = {"sqlite": "eventreg.db", "postgresql": "eventreg.pgdump"}
LONGEST = {NOTE: 100_000, KEY: 10_000}
"""Bytes of the small members; the database's copy may fill the disk's free space."""
CHUNK = 1 << 20


@dataclass(frozen=True)
class Note:
    """What the archive says of itself."""

    kind: str
    revision: str
    base_url: str | None


def pack(file: Path, note: Note, *, key: str, copy: Path) -> None:
    """Writes the archive and waits until the disk has it. Raises: OSError."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as raw:
        with tarfile.open(fileobj=raw, mode="w:gz") as tar:
            _add(tar, NOTE, json.dumps(asdict(note)).encode())
            _add(tar, KEY, key.encode())
            tar.add(copy, copy.name)
        raw.flush()
        os.fsync(raw.fileno())


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), 0o600
    tar.addfile(info, io.BytesIO(content))


def unpack(file: Path, folder: Path) -> tuple[Note, str, Path]:
    """The note, the secret key, and where in the folder the database's copy is.

    Raises: EventRegError when the file is no such archive.
    """
    try:
        with gzip.open(file) as raw, tarfile.open(fileobj=raw, mode="r:") as tar:
            for member in tar:
                _extract(tar, member, folder)
            while raw.read(CHUNK):  # to the checksum at the end
                pass
        return _read(folder)
    except (OSError, EOFError, tarfile.TarError, zlib.error, ValueError, KeyError, TypeError) as error:
        # A part that the archive lacks is a file that is not in the folder.
        if isinstance(error, OSError) and error.errno not in {None, errno.ENOENT}:
            raise EventRegError(f"{file} cannot be unpacked: {error.strerror}.") from error
        raise EventRegError(f"{file} is not a backup made by `eventreg backup`, or it is damaged.") from error


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """Raises: ValueError for what no backup holds."""
    target = folder / member.name
    if member.name not in {NOTE, KEY, *DATABASE.values()} or not member.isreg() or target.exists():
        raise ValueError(member.name)
    if member.size > LONGEST.get(member.name, shutil.disk_usage(folder).free):
        raise ValueError(member.size)
    source = tar.extractfile(member)
    if source is None:
        raise ValueError(member.name)
    with source, target.open("xb") as copy:
        shutil.copyfileobj(source, copy)
    if target.stat().st_size != member.size:
        raise ValueError(member.size)


def _read(folder: Path) -> tuple[Note, str, Path]:
    """Raises: OSError, ValueError, KeyError, TypeError."""
    read = json.loads((folder / NOTE).read_text(encoding="utf-8"))
    note = Note(kind=read["kind"], revision=read["revision"], base_url=read.get("base_url"))
    key = (folder / KEY).read_text(encoding="utf-8")
    copy = folder / DATABASE[note.kind]
    if not (isinstance(note.revision, str) and key.strip() and copy.is_file()):
        raise ValueError(note)
    return note, key, copy
