"""JSON for programs: a list with one object per registration. Values are as they were given, nothing is neutralised."""

import json
from collections.abc import Iterator

from eventreg.exports.rows import Table

BATCH = 100


def write(table: Table) -> Iterator[bytes]:
    """The list in chunks; `answers` maps each question to its answer, or to null."""
    own = len(table.keys)
    questions = table.titles[own:]
    separator = "[\n"
    lines: list[str] = []
    for row in table.rows:
        record = dict(zip(table.keys, row, strict=False)) | {"answers": dict(zip(questions, row[own:], strict=True))}
        lines.append(separator + json.dumps(record, ensure_ascii=False))
        separator = ",\n"
        if len(lines) >= BATCH:
            yield "".join(lines).encode()
            lines.clear()
    closing = "[]\n" if separator == "[\n" else "\n]\n"
    yield ("".join(lines) + closing).encode()
