"""CSV (RFC 4180, UTF-8 with a byte-order mark), safe to open in a spreadsheet."""

import csv
from collections.abc import Iterable
from pathlib import Path

from accord.desk.export.fields import COLUMNS, row_of
from accord.desk.export.form import Format, Occasion
from accord.desk.export.selection import Selected
from accord.desk.indicators.cells import protect


def write(target: Path, records: Iterable[Selected], occasion: Occasion) -> None:  # noqa: ARG001 - every row carries its marking
    """Write one row a record; each carries its marking, so that no row travels without it."""
    with target.open("x", encoding="utf-8-sig", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for one in records:
            rows.writerow([protect(cell) for cell in row_of(one)])


CSV = Format(name="csv", ending=".csv", words="A table for spreadsheets and scripts.", write=write)
