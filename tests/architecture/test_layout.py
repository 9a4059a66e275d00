"""The shape of the code: small modules, one reader of the clock, thin edges."""

import ast
import re
from pathlib import Path

import pytest

from tests.support.needs import ROOT

MODULES = sorted(path for path in (ROOT / "eventreg").rglob("*.py") if "versions" not in path.parts)
LONGEST_MODULE = 300
LONGEST_FUNCTION = 40


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_module_is_one_idea_of_readable_length(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    long = [
        f"{node.name} has {_length(node)} lines"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef) and _length(node) > LONGEST_FUNCTION
    ]
    assert (len(source.splitlines()) <= LONGEST_MODULE, long) == (True, [])


def _length(function: ast.FunctionDef) -> int:
    """Lines of code: from `def` to the end, its docstring not counted."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    first = function.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return lines - ((first.end_lineno or 0) - first.lineno + 1 if documented else 0)


def test_only_the_clock_module_reads_the_time() -> None:
    reads = re.compile(r"\b(datetime\.now|datetime\.utcnow|date\.today|time\.time)\(")
    found = [
        name(path)
        for path in MODULES
        if reads.search(path.read_text(encoding="utf-8")) and name(path) != "eventreg/clock.py"
    ]
    assert found == []


def test_services_never_commit() -> None:
    edges = ("eventreg/web/", "eventreg/cli/", "eventreg/tasks", "eventreg/db.py", "eventreg/migrations/")
    found = [
        name(path)
        for path in MODULES
        if re.search(r"session\.commit\(", path.read_text(encoding="utf-8")) and not name(path).startswith(edges)
    ]
    assert found == []


def test_views_say_no_sql() -> None:
    sql = re.compile(r"^from sqlalchemy import .*\b(select|insert|update|delete)\b", re.MULTILINE)
    views = [path for path in MODULES if name(path).startswith("eventreg/web/")]
    assert [name(path) for path in views if sql.search(path.read_text(encoding="utf-8"))] == []


def test_templates_hold_no_query() -> None:
    found = [
        name(path)
        for path in (ROOT / "templates").rglob("*.*")
        if re.search(r"\b(session|db)\.|\.query\b|\.execute\(", path.read_text(encoding="utf-8"))
    ]
    assert found == []
