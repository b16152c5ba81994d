"""Refused rows written out for mending: the original columns, and beside them why.

The file opens in a spreadsheet, so a cell that a spreadsheet would run as a formula gets an
apostrophe, which is taken away again when the mended file is read. A cell that holds a private key
or seed phrase is not written at all.
"""

import csv
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from accord.desk.indicators.cells import protect
from accord.desk.intake.delimited import Fields
from accord.desk.intake.results import Result, RowResult
from accord.kernel.errors import Malformed
from accord.kernel.indicators.private_keys import refuse_secrets

ADDED: Final = ("accord row", "accord code", "accord reason")
"""Columns that we add; ignored when the file comes back."""

SECRET_CODES: Final = frozenset({"private_key", "seed_phrase"})
_REMOVED: Final = "[secret removed]"


class RefusedRows:
    """A CSV file of refused rows, readable by its owner alone."""

    def __init__(self, path: Path, columns: Sequence[str], delimiter: str | None) -> None:
        """Make the file and write the header.

        Raises:
            OSError: the file cannot be written.
        """
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        if stat.S_ISREG(os.fstat(number).st_mode):
            os.fchmod(number, 0o600)  # also when the file was there before
        # With a byte-order mark, so that spreadsheets read it as UTF-8.
        self._file = os.fdopen(number, "w", encoding="utf-8-sig", errors="replace", newline="")
        self._writer = csv.writer(self._file, delimiter=delimiter or ",")
        self._kept = [i for i, name in enumerate(columns) if name not in ADDED]
        self._width = len(columns)
        self._writer.writerow([*(protect(columns[i]) for i in self._kept), *ADDED])

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self._file.close()

    def write(self, results: Sequence[RowResult], cells: Sequence[Fields | None]) -> None:
        """Write the refused rows of a block."""
        for result, row in zip(results, cells, strict=True):
            if result.result is Result.REFUSED:
                padded = [*(row or []), *[""] * self._width]
                if result.code in SECRET_CODES:
                    # Whatever made it a secret, and wherever in the row it stands again.
                    padded = [_REMOVED if cell else "" for cell in padded[: self._width]]
                shown = [_shown(padded[i]) for i in self._kept]
                # Cells beyond the header stay visible at the end of the row.
                extra = [] if result.code in SECRET_CODES else (row or [])[self._width :]
                more = [_shown(cell) for cell in extra]
                self._writer.writerow([*shown, result.row, result.code, result.message, *more])


def _shown(cell: str) -> str:
    try:
        refuse_secrets(cell)
    except Malformed:
        return _REMOVED
    return protect(cell)
