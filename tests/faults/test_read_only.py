"""The instance folder or the database cannot be written: one sentence at the start, and a kept key is still read."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from eventreg import create_app
from eventreg.errors import SettingError
from tests.support.forked import run_forked
from tests.support.live import as_plain_account, run_eventreg
from tests.support.needs import require

pytestmark = pytest.mark.sqlite_only


@pytest.fixture
def disk(instance: Path) -> Iterator[Path]:
    """The instance folder as a disk of its own, with a migrated database and a key."""
    require("mounting")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=700", "tmpfs", instance], check=True)
    assert run_forked("db", "upgrade", instance=instance).returncode == 0
    yield instance
    subprocess.run(["umount", "--lazy", instance], check=True)


def make_read_only(disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)


@pytest.mark.parametrize("words", [["serve", "--port", "0"], ["worker"], ["run-demo", "--port", "0"], ["doctor"]])
def test_command_on_a_read_only_disk_ends_with_one_sentence(words: list[str], disk: Path) -> None:
    make_read_only(disk)
    done = run_forked(*words, instance=disk)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.removeprefix("eventreg: ").startswith(f"{disk} cannot be written by the account ")
    assert "SECRET_KEY" not in line


@pytest.mark.parametrize("name", ["eventreg.db", "huey.db", "eventreg.db-wal", ""])
def test_file_of_another_account_is_named_at_the_start(name: str, disk: Path) -> None:
    path = disk / name
    if name:
        path.touch()
    path.chmod(0o500 if path.is_dir() else 0o400)
    done = run_eventreg("worker", instance=disk, inside=as_plain_account())
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"eventreg: {path} cannot be written by the account ")


def test_kept_key_is_read_where_nothing_can_be_written(disk: Path) -> None:
    key = create_app(instance_path=disk).config["SECRET_KEY"]
    make_read_only(disk)
    assert create_app(instance_path=disk).config["SECRET_KEY"] == key
    assert key == (disk / "secret_key").read_text()


def test_missing_key_that_cannot_be_kept_is_named(disk: Path) -> None:
    (disk / "secret_key").unlink()
    make_read_only(disk)
    with pytest.raises(SettingError) as refused:
        create_app(instance_path=disk)
    assert str(refused.value) == (
        f"SECRET_KEY is not set and none can be kept in {disk / 'secret_key'}: Read-only file system."
    )
