"""What is no whole backup of this service replaces nothing and is one clear line."""

import io
import json
import sqlite3
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from eventreg import backup
from eventreg.backup.archive import DATABASE, KEY, NOTE
from eventreg.db import db
from eventreg.errors import EventRegError
from eventreg.events.models import Event

Members = dict[str, bytes]


@pytest.fixture
def whole(app, session, make_event, tmp_path) -> Path:
    make_event(title="From the copy")
    session.commit()
    file = tmp_path / "whole.tar.gz"
    backup.write(app, file)
    session.execute(sa.update(Event).values(title="Still here"))
    session.commit()
    return file


@pytest.fixture
def refused(app, session, instance) -> Callable[[Path], str]:
    """What `restore --force` says; everything is as it was."""

    def restore(file: Path) -> str:
        with pytest.raises(EventRegError) as raised:
            backup.restore(app, file, force=True)
        assert list(db.session.scalars(sa.select(Event.title))) == ["Still here"]
        assert not (instance / KEY).exists()
        assert len(str(raised.value).splitlines()) == 1
        return str(raised.value).removeprefix(f"{file} ")

    return restore


def members(file: Path) -> Members:
    with tarfile.open(file) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}


def pack(file: Path, members: Members, *more: tarfile.TarInfo) -> Path:
    with tarfile.open(file, "w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        for info in more:
            tar.addfile(info)
    return file


NO_BACKUP = "is not a backup made by `eventreg backup`, or it is damaged."


def link(name: str, kind: bytes, target: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize("damage", ["empty", "text", "not gzip", "cut", "flipped"])
def test_file_that_is_no_whole_archive_is_refused(damage, whole, refused, tmp_path) -> None:
    content = whole.read_bytes()
    middle = len(content) // 2
    made = {
        "empty": b"",
        "text": b"not an archive at all",
        "not gzip": b"\x1f\x8b nonsense",
        "cut": content[:middle],
        "flipped": content[:middle] + bytes([content[middle] ^ 0xFF] * 40) + content[middle + 40 :],
    }[damage]
    file = tmp_path / "damaged.tar.gz"
    file.write_bytes(made)
    assert refused(file) == NO_BACKUP


@pytest.mark.parametrize(
    "more",
    [
        [tarfile.TarInfo("../outside")],
        [tarfile.TarInfo("/tmp/outside")],
        [tarfile.TarInfo("notes.txt")],
        [tarfile.TarInfo(KEY)],
        [link("eventreg.db", tarfile.SYMTYPE, "/etc/passwd")],
        [link("eventreg.pgdump", tarfile.LNKTYPE, KEY)],
        [link("eventreg.db", tarfile.FIFOTYPE, "")],
        [link(KEY, tarfile.DIRTYPE, "")],
    ],
    ids=["above", "absolute", "unknown", "twice", "symbolic link", "hard link", "pipe", "folder"],
)
def test_archive_with_another_member_is_refused(more, whole, refused, tmp_path) -> None:
    kept = members(whole)
    if more[0].name in DATABASE.values():
        kept = {name: content for name, content in kept.items() if name not in DATABASE.values()}
    assert refused(pack(tmp_path / "odd.tar.gz", kept, *more)) == NO_BACKUP


def test_archive_that_claims_more_than_the_disk_holds_is_refused_unread(whole, refused, tmp_path) -> None:
    info = tarfile.TarInfo("eventreg.db")
    info.size = 1 << 60
    file = tmp_path / "huge.tar.gz"
    with tarfile.open(file, "w:gz") as tar:
        for name, content in members(whole).items():
            if name in {KEY, NOTE}:
                small = tarfile.TarInfo(name)
                small.size = len(content)
                tar.addfile(small, io.BytesIO(content))
        tar.fileobj.write(info.tobuf(tarfile.GNU_FORMAT))
        tar.fileobj.write(b"0" * 10240)
    assert refused(file) == NO_BACKUP


@pytest.mark.parametrize("note", [b"", b"[]", b"null", b'{"kind": "oracle"}', b'{"kind": [], "revision": 1}', b"\xff"])
def test_archive_whose_note_says_nothing_is_refused(note, whole, refused, tmp_path) -> None:
    assert refused(pack(tmp_path / "odd.tar.gz", members(whole) | {NOTE: note})) == NO_BACKUP


def test_archive_of_a_newer_release_is_refused(whole, refused, tmp_path) -> None:
    kept = members(whole)
    note = json.loads(kept[NOTE]) | {"revision": "9999"}
    file = pack(tmp_path / "newer.tar.gz", kept | {NOTE: json.dumps(note).encode()})
    assert refused(file) == "was made by a newer version; update eventreg first."


def test_archive_whose_database_is_nonsense_is_refused(whole, refused, tmp_path) -> None:
    kept = members(whole)
    (name,) = set(kept) & set(DATABASE.values())
    for nonsense in (b"", b"nonsense" * 1000, kept[name][: len(kept[name]) // 2]):
        assert refused(pack(tmp_path / "odd.tar.gz", kept | {name: nonsense})).startswith("is damaged: ")


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("statements", "said"),
    [
        ([], "is damaged: its database has no table alembic_version."),
        (["DROP TABLE registrations"], "is damaged: its database has no table registrations."),
        (["DELETE FROM alembic_version"], "is damaged: its database does not say at which migration it is."),
        (
            ["UPDATE alembic_version SET version_num = '0001'"],
            "is damaged: its database is at migration 0001, its note says ",
        ),
    ],
    ids=["empty", "table missing", "no migration", "another migration"],
)
def test_archive_whose_database_is_not_this_services_is_refused(statements, said, whole, refused, tmp_path) -> None:
    kept = members(whole)
    file = tmp_path / "other.db"
    if statements:
        file.write_bytes(kept["eventreg.db"])
    with sqlite3.connect(file) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        for statement in statements:
            other.execute(statement)
        other.execute("CREATE TABLE mine (id INTEGER)")
    other.close()
    assert refused(pack(tmp_path / "odd.tar.gz", kept | {"eventreg.db": file.read_bytes()})).startswith(said)


@pytest.mark.sqlite_only
def test_copy_of_the_other_database_is_refused(whole, refused, make_app, databases, tmp_path, instance) -> None:
    url = databases.empty("postgresql")
    other = make_app(DATABASE_URL=url)
    with other.app_context():
        backup.write(other, tmp_path / "other.tar.gz")
        db.engine.dispose()
    said = "is a copy of a postgresql database; this installation uses sqlite."
    assert refused(tmp_path / "other.tar.gz") == said


@pytest.mark.sqlite_only
def test_whole_copy_replaces_a_database_that_is_damaged_beyond_use(app, whole, session) -> None:
    session.rollback()
    db.session.remove()
    path = Path(db.engine.url.database)
    db.engine.dispose()
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    path.write_bytes(b"nonsense" * 4096)
    backup.restore(app, whole, force=True)
    assert list(db.session.scalars(sa.select(Event.title))) == ["From the copy"]
    assert Path(f"{path}.damaged").read_bytes() == b"nonsense" * 4096


def test_table_of_a_newer_release_is_not_in_the_way(app, whole, session) -> None:
    with db.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE later (id INTEGER, event_id INTEGER REFERENCES events (id))")
        connection.exec_driver_sql("INSERT INTO later SELECT 1, id FROM events")
    backup.restore(app, whole, force=True)
    assert list(db.session.scalars(sa.select(Event.title))) == ["From the copy"]
    assert not sa.inspect(db.engine).has_table("later")
