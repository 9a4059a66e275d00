"""`eventreg` commands in a process forked from this one: as real as one that is started anew, without its imports."""

import multiprocessing
import os
import sys
import tempfile
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from eventreg.cli import main
from tests.support.live import environment

OPEN_UMASK = 0o022
"""As most accounts have it."""


def run_forked(
    *words: str, instance: Path, umask: int = OPEN_UMASK, seconds: float = 60, **settings: Any
) -> CompletedProcess[str]:
    """One `eventreg` command with those settings and no others."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"

        def run() -> None:
            os.umask(umask)
            os.environ.clear()
            os.environ.update(environment(instance, **settings))
            with out.open("w") as sys.stdout, err.open("w") as sys.stderr:
                main(words)

        process = multiprocessing.get_context("fork").Process(target=run)
        process.start()
        process.join(seconds)
        if process.exitcode is None:
            process.kill()
            process.join()
        return CompletedProcess(words, process.exitcode or 0, out.read_text(), err.read_text())
