"""Where this installation keeps its files: a checkout beside the package, a wheel inside it."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
IS_CHECKOUT = not (PACKAGE / "templates").is_dir()
FILES = PACKAGE.parent if IS_CHECKOUT else PACKAGE
"""Holds `config.py` and `templates/`."""
INSTANCE = PACKAGE.parent / "instance" if IS_CHECKOUT else Path("/var/lib/eventreg")
"""The instance folder where EVENTREG_INSTANCE_PATH names none. A wheel's is the same from every folder a command is
called in, and outside the virtual environment, which an upgrade may make anew."""
