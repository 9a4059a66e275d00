"""XLSX with the same values as the CSV, every text written as text.

XlsxWriter's constant-memory mode keeps one row at a time and the rest in a temporary file; the archive itself is
put together in a second one and handed on from there.
"""

import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING

from eventreg.exports.cells import neutral
from eventreg.exports.rows import Table

if TYPE_CHECKING:
    from xlsxwriter import Workbook

CHUNK = 64 * 1024
LONGEST = 32_767
"""Characters Excel allows in a cell."""
WIDTHS = (24, 30, 8, 12, 10, 16, 26, 26, 26, 26, 10, 24)
QUESTION_WIDTH = 32


def write(table: Table) -> Iterator[bytes]:
    """The file in chunks, the first once the last row is read: the archive's directory comes at its end."""
    from xlsxwriter import Workbook  # noqa: PLC0415 - large, and most processes never write one

    with tempfile.TemporaryFile() as file:
        with Workbook(file, {"constant_memory": True}) as workbook:
            _fill(workbook, table)
        file.seek(0)
        while chunk := file.read(CHUNK):
            yield chunk


def _fill(workbook: "Workbook", table: Table) -> None:
    sheet = workbook.add_worksheet()
    heading = workbook.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    body = workbook.add_format({"text_wrap": True, "valign": "top"})
    sheet.freeze_panes(1, 1)
    for column, title in enumerate(table.titles):
        sheet.set_column(column, column, WIDTHS[column] if column < len(WIDTHS) else QUESTION_WIDTH)
        sheet.write_string(0, column, _fitting(title), heading)
    for line, row in enumerate(table.rows, start=1):
        for column, cell in enumerate(row):
            if isinstance(cell, str):
                sheet.write_string(line, column, _fitting(cell), body)
            elif cell is not None:
                sheet.write_number(line, column, cell, body)


def _fitting(text: str) -> str:
    text = neutral(text)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
