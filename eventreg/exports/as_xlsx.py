"""XLSX with the same values: text as it was typed, instants as dates that a spreadsheet can sort and count with.

XlsxWriter's constant-memory mode keeps one row at a time and the rest in a temporary file; the archive itself is
put together in a second one and handed on from there.
"""

import tempfile
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from eventreg.exports.cells import neutral
from eventreg.exports.rows import DATES, Table

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.worksheet import Worksheet

CHUNK = 64 * 1024
LONGEST = 32_767
"""Characters Excel allows in a cell."""
ROWS_PER_SHEET = 1_048_576
"""Rows Excel allows in a sheet, the heading among them."""
WIDTHS = (24, 30, 8, 12, 10, 16, 26, 26, 26, 26, 10, 24)
QUESTION_WIDTH = 32


def write(table: Table, *, rows_per_sheet: int = ROWS_PER_SHEET) -> Iterator[bytes]:
    """The file in chunks, the first once the last row is read: the archive's directory comes at its end.

    What does not fit into a sheet goes on in a further one with the same heading.
    """
    from xlsxwriter import Workbook  # noqa: PLC0415 - large, and most processes never write one

    with tempfile.TemporaryFile() as file:
        with Workbook(file, {"constant_memory": True}) as workbook:
            _fill(workbook, table, rows_per_sheet)
        file.seek(0)
        while chunk := file.read(CHUNK):
            yield chunk


def _fill(workbook: "Workbook", table: Table, rows_per_sheet: int) -> None:
    formats = _Formats(workbook)
    sheet, line = _add_sheet(workbook, table, formats), 1
    for row in table.rows:
        if line == rows_per_sheet:
            sheet, line = _add_sheet(workbook, table, formats), 1
        for column, cell in enumerate(row):
            if isinstance(cell, str):
                is_plain = neutral(cell) == cell
                sheet.write_string(line, column, _fitting(cell), formats.body if is_plain else formats.sign)
            elif isinstance(cell, datetime):
                sheet.write_datetime(line, column, cell, formats.date)
            elif cell is not None:
                sheet.write_number(line, column, cell, formats.body)
        line += 1


class _Formats:
    """The looks of cells, made once a workbook."""

    def __init__(self, workbook: "Workbook") -> None:
        shape = {"text_wrap": True, "valign": "top"}
        self.heading = workbook.add_format({"bold": True} | shape)
        self.body = workbook.add_format(shape)
        # Stays text when somebody edits the cell, as if an apostrophe had been typed before it.
        self.sign = workbook.add_format({"quote_prefix": True} | shape)
        self.date = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm", "valign": "top"})


def _add_sheet(workbook: "Workbook", table: Table, formats: _Formats) -> "Worksheet":
    sheet = workbook.add_worksheet()
    sheet.freeze_panes(1, 1)
    for column, title in enumerate(table.titles):
        sheet.set_column(column, column, WIDTHS[column] if column < len(WIDTHS) else QUESTION_WIDTH)
        is_date = column < len(table.keys) and table.keys[column] in DATES
        sheet.write_string(0, column, _fitting(f"{title} ({table.timezone})" if is_date else title), formats.heading)
    return sheet


def _fitting(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
