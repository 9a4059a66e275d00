"""CSV as Excel opens it by double-click: a byte order mark, commas, every cell quoted, none run as a formula."""

import csv
import io
from collections.abc import Iterator
from itertools import islice

from eventreg.exports.cells import neutral_for_csv
from eventreg.exports.rows import OURS, Cell, Table

BOM = b"\xef\xbb\xbf"
ROWS = 200
"""Gathered before they are handed on: some 30 kB."""


def write(table: Table) -> Iterator[bytes]:
    """The file in chunks. Source: RFC 4180; a line break inside a cell is a single line feed."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL)
    writer.writerow(map(neutral_for_csv, table.titles))
    yield BOM + _taken(buffer)
    ours = frozenset(at for at, key in enumerate(table.keys) if key in OURS)
    while batch := list(islice(table.rows, ROWS)):
        _make_neutral(batch, [at for at in range(len(batch[0])) if at not in ours])
        writer.writerows(batch)
        yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    """What stands in the buffer, which is empty then."""
    written = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return written


def _make_neutral(rows: list[list[Cell]], typed: list[int]) -> None:
    """Nearly every cell begins with a letter or a digit and has no separator in it, which no formula does."""
    for row in rows:
        for at in typed:
            cell = row[at]
            if type(cell) is str and not (cell[:1].isalnum() and cell.isprintable() and ";" not in cell):
                row[at] = neutral_for_csv(cell)
