"""`docs/reliability.md` names tests that exist, and every fault test is the proof of something in it."""

import ast
import re
from pathlib import Path

from tests.support.needs import ROOT

DOCUMENT = (ROOT / "docs" / "reliability.md").read_text("utf-8")
NAMED = set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", DOCUMENT))


def names_in(path: Path) -> set[str]:
    """The tests that file holds, by name."""
    tree = ast.parse(path.read_text("utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_every_test_named_in_it_exists() -> None:
    missing = [(path, name) for path, name in sorted(NAMED) if not (ROOT / path).is_file()]
    missing += [
        (path, name)
        for path, name in sorted(NAMED)
        if (path, name) not in missing and name not in names_in(ROOT / path)
    ]
    assert missing == []


def test_every_fault_test_is_named_in_it() -> None:
    files = (ROOT / "tests" / "faults").glob("test_*.py")
    there = {(str(path.relative_to(ROOT)), name) for path in files for name in names_in(path)}
    assert there - NAMED == set()


def test_every_promise_names_a_test() -> None:
    rows = [line for line in DOCUMENT.splitlines() if line.startswith("| ") and line != "| promise | held by |"]
    assert len(rows) > 20
    assert [row for row in rows if "::test_" not in row] == []
