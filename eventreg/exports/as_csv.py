"""CSV as Excel opens it by double-click: a byte order mark, commas, and no cell that is run as a formula."""

import csv
import io
from collections.abc import Iterator
from itertools import chain, islice

from eventreg.exports.cells import neutral
from eventreg.exports.rows import Cell, Table

BOM = b"\xef\xbb\xbf"
ROWS = 200
"""Gathered before they are handed on: some 30 kB."""


def write(table: Table) -> Iterator[bytes]:
    """The file in chunks. Source: RFC 4180; a line break inside a cell is a single line feed."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    yield BOM
    header: list[Cell] = list(table.titles)
    rows = chain([header], table.rows)
    while batch := list(islice(rows, ROWS)):
        writer.writerows([_neutral(row) for row in batch])
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()


def _neutral(row: list[Cell]) -> list[Cell]:
    """No formula begins with a letter or a digit."""
    return [neutral(cell) if type(cell) is str and not cell[:1].isalnum() else cell for cell in row]
