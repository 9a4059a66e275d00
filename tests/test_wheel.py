"""The wheel runs without its checkout: built, installed into an empty environment elsewhere, migrated and served."""

import subprocess
import sys
import sysconfig
import urllib.request
from importlib.metadata import version
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.support import live
from tests.support.needs import ROOT

pytestmark = [pytest.mark.sqlite_only, pytest.mark.slow]
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "--no-input"]
OFFLINE = ["--no-deps", "--no-index"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([*PIP, "wheel", *OFFLINE, "--no-build-isolation", "--wheel-dir", folder, ROOT], check=True)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def program(wheel, tmp_path_factory) -> Path:
    """`eventreg` of an environment that shares the installed dependencies, but not the editable installation."""
    environment = tmp_path_factory.mktemp("elsewhere") / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin" / "python"
    subprocess.run([*PIP, "--python", python, "install", *OFFLINE, wheel], check=True)
    (site_packages,) = environment.glob("lib/python*/site-packages")
    # The folder named by a .pth file is searched; .pth files in it, like that of the checkout, are not read.
    (site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return environment / "bin" / "eventreg"


def test_wheel_holds_every_template_and_nothing_of_the_checkout_but_the_package(wheel) -> None:
    names = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert {name for name in names if not name.startswith("eventreg/")} == set()
    wanted = {f"eventreg/{path.relative_to(ROOT)}" for path in (ROOT / "templates").rglob("*") if path.is_file()}
    wanted |= {str(path.relative_to(ROOT)) for path in (ROOT / "eventreg" / "static").rglob("*") if path.is_file()}
    assert wanted | {"eventreg/config.py", "eventreg/migrations/alembic.ini"} <= names


def test_installed_wheel_migrates_and_serves_pages_and_static_files(program, tmp_path) -> None:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, cwd=tmp_path, check=True).stdout
    assert said == f"eventreg {version('eventreg')}\n"
    instance = tmp_path / "data"
    instance.mkdir()
    kept = live.environment(instance)
    subprocess.run([program, "db", "upgrade"], cwd=tmp_path, env=kept, check=True, capture_output=True)
    server = live.start(instance=instance, program=[str(program)], folder=tmp_path)
    try:
        for path, words in (("/events/", "<h1"), ("/auth/login", "csrf_token"), ("/static/site.css", "{")):
            with urllib.request.urlopen(server.url(path)) as response:
                assert (response.status, words in response.read().decode()) == (200, True)
    finally:
        server.stop()
    assert {path.name for path in tmp_path.iterdir()} == {"data"}


def test_installed_wheel_keeps_its_data_outside_the_environment(program, tmp_path) -> None:
    python = program.with_name("python")
    asked = "from eventreg.installation import INSTANCE; print(INSTANCE)"
    done = subprocess.run([python, "-c", asked], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout == "/var/lib/eventreg\n"
