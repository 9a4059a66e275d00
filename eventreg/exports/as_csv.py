"""CSV as Excel opens it by double-click: a byte order mark, commas, and no cell that is run as a formula."""

import csv
import io
from collections.abc import Iterator
from itertools import chain

from eventreg.exports.cells import neutral
from eventreg.exports.rows import Cell, Table

BOM = b"\xef\xbb\xbf"
CHUNK = 32 * 1024
"""Characters gathered before they are handed on."""


def write(table: Table) -> Iterator[bytes]:
    """The file in chunks. Source: RFC 4180; a line break inside a cell is a single line feed."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    yield BOM
    header: list[Cell] = list(table.titles)
    for row in chain([header], table.rows):
        writer.writerow([neutral(cell) if isinstance(cell, str) else cell for cell in row])
        if buffer.tell() >= CHUNK:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()
