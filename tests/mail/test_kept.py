import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from eventreg.mail import kept

AT = datetime(2026, 10, 5, 16, 0, tzinfo=UTC)


def test_kept_mail_is_whole_and_its_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    path = kept.keep(folder, "a.eml", b"Subject: x\r\n\r\n")
    assert (path.read_bytes(), list(folder.iterdir())) == (b"Subject: x\r\n\r\n", [path])
    assert (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(folder.stat().st_mode)) == (0o600, 0o700)


def test_keeping_the_same_mail_twice_leaves_one_file(tmp_path: Path) -> None:
    name = kept.file_name(created_at=AT, kind="confirmation", key="ab" * 16)
    for content in (b"one", b"two"):
        kept.keep(tmp_path, name, content)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [(name, b"two")]


def test_names_sort_by_the_time_the_mail_was_owed(tmp_path: Path) -> None:
    made = [
        kept.file_name(created_at=AT + timedelta(microseconds=offset), kind=kind, key=key * 32)
        for offset, kind, key in ((0, "withdrawn", "f"), (1, "answer", "0"), (10**6, "link", "0"))
    ]
    for name in made:
        kept.keep(tmp_path, name, b"")
    assert kept.names(tmp_path) == made[::-1]


def test_a_failed_write_leaves_no_trace(tmp_path: Path) -> None:
    (tmp_path / "a.eml").mkdir()
    with pytest.raises(OSError, match="directory"):
        kept.keep(tmp_path, "a.eml", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["a.eml"]


@pytest.mark.parametrize("name", ["../secret_key", "/etc/passwd", "", ".hidden.eml", "other.eml", "a.txt"])
def test_only_kept_mail_is_read_whatever_the_name_says(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "mail"
    kept.keep(folder, "a.eml", b"x")
    for other in (tmp_path / "secret_key", folder / ".hidden.eml", folder / "a.txt"):
        other.write_text("secret")
    assert kept.read(folder, name) is None
    assert kept.read(folder, "a.eml") == b"x"


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert kept.names(tmp_path / "mail") == []
