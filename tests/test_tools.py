"""The environment that `make install` makes, and what is said where it cannot be made."""

import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from tests.support import needs
from tests.support.needs import ROOT

NOT_ROOT = "setpriv --reuid 65534 --clear-groups --inh-caps +dac_override --ambient-caps +dac_override"
"""Another user, who can read and write what root can: also a Python in root's home, and the test's folder."""


@pytest.fixture
def checkout(tmp_path) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "tools", folder / "tools")
    return folder


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, text=True, check=False)


def test_environment_has_the_pinned_pip() -> None:
    assert f"pip=={version('pip')} " in (ROOT / "requirements.txt").read_text()


def test_environment_has_no_setuptools() -> None:
    with pytest.raises(PackageNotFoundError):
        version("setuptools")


def test_checkout_that_cannot_be_written_is_named_as_the_cause(checkout) -> None:
    needs.require("mounting")
    inside = (
        f"mount --bind . . && mount -o remount,ro,bind . && cd {checkout} && tools/make_venv {sys.executable} .venv"
    )
    done = run(f"unshare --mount sh -c '{inside}'", checkout)
    way_out = "Copy the checkout to a folder of your own, or name one: make VENV=/path/of/your/own ..."
    assert (done.returncode, done.stderr) == (1, f"{checkout} cannot be written. {way_out}\n")


def test_missing_venv_module_is_one_command_to_run_and_sudo_is_not_called(checkout) -> None:
    needs.require("mounting")
    programs = checkout / "programs"
    programs.mkdir()
    for name in ("sudo", "apt-get"):
        (programs / name).write_text(f"#!/bin/sh\ntouch {checkout}/called\n")
        (programs / name).chmod(0o755)
    python = Path(sys.executable).resolve()
    asked = "import pathlib, ensurepip; print(pathlib.Path(ensurepip.__file__).parent)"
    module = subprocess.run([python, "-c", asked], capture_output=True, text=True, check=True).stdout.strip()
    inside = f"mount -t tmpfs none {module} && {NOT_ROOT} tools/make_venv {python} .venv"
    done = run(f"PATH={programs}:$PATH unshare --mount sh -c '{inside}'", checkout)
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    way_out = f"Install it and run this again; on Debian: sudo apt-get install {package}"
    assert (done.returncode, done.stderr) == (1, f"Python's venv module is missing. {way_out}\n")
    assert not (checkout / "called").exists()


@pytest.mark.slow
def test_environment_that_was_moved_is_made_anew(checkout, tmp_path) -> None:
    environment = checkout / ".venv"
    assert run(f"tools/make_venv {sys.executable} .venv", checkout).returncode == 0
    (environment / "bin" / "eventreg").write_text(f"#!{environment}/bin/python\n")
    for name in (".installed", ".installed-test"):
        (environment / name).touch()
    assert run("make -q .venv/.installed", checkout).returncode == 0
    moved = checkout.rename(tmp_path / "moved elsewhere")
    assert run("make -q .venv/.installed", moved).returncode == 1
    done = run(f"tools/make_venv {sys.executable} .venv", moved)
    assert (done.returncode, done.stdout) == (0, ".venv was made at another path; making it anew\n")
    assert not (moved / ".venv" / "bin" / "eventreg").exists()
