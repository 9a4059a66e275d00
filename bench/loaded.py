"""What an application loads: `python -m bench.loaded` prints how much resident memory each library's import took.

A library is counted without what it imports in turn; whoever imports something first is not charged for it.
"""

import builtins
import os
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from bench.machine import resident_mb

SHOWN = 16


def main() -> None:
    """Loads the application and prints the largest."""
    own: Counter[str] = Counter()
    inner: list[float] = []
    original = builtins.__import__

    def measured(name: str, *arguments: Any, **options: Any) -> Any:
        level = arguments[3] if len(arguments) > 3 else options.get("level", 0)
        if level:
            return original(name, *arguments, **options)
        before = resident_mb(os.getpid())
        inner.append(0.0)
        try:
            return original(name, *arguments, **options)
        finally:
            grown = resident_mb(os.getpid()) - before
            own[name.partition(".")[0]] += grown - inner.pop()
            if inner:
                inner[-1] += grown

    with tempfile.TemporaryDirectory() as folder:
        builtins.__import__ = measured
        try:
            from eventreg import create_app  # noqa: PLC0415 - what is measured

            create_app({"SECRET_KEY": "only-for-the-bench-only-for-the-bench"}, instance_path=Path(folder))
        finally:
            builtins.__import__ = original
    print(f"{resident_mb(os.getpid()):6.1f} in all")
    for name, size in own.most_common(SHOWN):
        print(f"{size:6.1f} {name}")


if __name__ == "__main__":
    main()
