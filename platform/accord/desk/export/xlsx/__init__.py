"""XLSX: a sheet of records, and one that says what the file is. Every cell is text, no formula."""

from collections.abc import Iterable
from pathlib import Path

import xlsxwriter

from accord.desk.export.fields import COLUMNS, row_of
from accord.desk.export.form import Format, Occasion
from accord.desk.export.selection import Selected
from accord.kernel.errors import Refused

MAX_ROWS = 1_048_575
"""Rows of a sheet beside the header (the format's own limit)."""


def write(target: Path, records: Iterable[Selected], occasion: Occasion) -> None:
    """Write the sheets; memory stays flat.

    Raises:
        Refused: ``export_large`` for more records than a sheet has rows.
    """
    book = xlsxwriter.Workbook(
        str(target), {"constant_memory": True, "in_memory": False, "strings_to_formulas": False,
                      "strings_to_urls": False, "strings_to_numbers": False},
    )  # fmt: skip
    try:
        sheet = book.add_worksheet("Records")
        sheet.freeze_panes(1, 0)
        sheet.write_row(0, 0, COLUMNS, book.add_format({"bold": True}))
        count = 0
        markings: set[str] = set()
        for count, one in enumerate(records, start=1):
            if count > MAX_ROWS:
                raise Refused(
                    "export_large",
                    f"A sheet holds {MAX_ROWS:,} records.",
                    next_step="Export as csv, or choose fewer records.",
                )
            cells = row_of(one)
            markings.add(cells[COLUMNS.index("marking")])
            for column, cell in enumerate(cells):
                sheet.write_string(count, column, cell)
        about = book.add_worksheet("About")
        for line, (name, value) in enumerate(
            (
                ("Marking", ", ".join(sorted(markings)) or "no records"),
                ("Made by", occasion.org),
                ("For", occasion.audience),
                ("Purpose", occasion.purpose),
                ("Records", str(count)),
            )
        ):
            about.write_string(line, 0, name)
            about.write_string(line, 1, value)
    finally:
        book.close()


XLSX = Format(name="xlsx", ending=".xlsx", words="A workbook for Excel.", write=write)
