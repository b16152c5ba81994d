"""The report of a screening: one line a match and one a cell that could not be judged, as CSV.

It is written beside its place, readable by its owner alone, and gets its name when it is whole. No
cell of it can start a formula. A refused cell is told by row, column and reason only: it may hold a
secret.
"""

import contextlib
import csv
import errno
import hashlib
import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from accord.desk.indicators.cells import protect
from accord.desk.screening.matching import Via
from accord.desk.storage.bundles import FoundRecord
from accord.kernel.errors import Conflict, Unavailable
from accord.kernel.indicators import IndicatorRecord

_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK})

COLUMNS = (
    *("row", "column", "result", "code", "match", "kind", "network", "value", "memo"),
    *("org", "bundle", "record", "tlp", "onward", "confidence", "basis", "states"),
    *("created", "expires", "records"),
)


class Report:
    """A report that is being written; ``seal`` ends it and tells its SHA-256."""

    def __init__(self, place: int) -> None:
        """Write to an open file descriptor."""
        self._file = os.fdopen(place, "w+b")
        self._text = io.TextIOWrapper(self._file, "utf-8-sig", newline="", write_through=False)
        self._rows = csv.writer(self._text)
        self._rows.writerow(COLUMNS)

    def write(self, cells: Sequence[object]) -> None:
        """Write one line."""
        self._rows.writerow([protect(str(cell)) for cell in cells])

    def seal(self) -> bytes:
        """Make everything durable and return its SHA-256; nothing is written after it."""
        self._text.flush()
        os.fsync(self._file.fileno())
        self._file.seek(0)
        return hashlib.file_digest(self._file, "sha256").digest()

    def close(self) -> None:
        """Close the file."""
        self._text.close()


@contextmanager
def report_to(path: Path) -> Iterator[Report]:
    """Give a report to write; the file gets its name when the block ends without an error.

    Raises:
        Conflict: ``export_exists``; nothing is overwritten.
        Unavailable: ``report_unwritable``.
    """
    if path.exists():
        raise _exists(path)
    part = path.with_name(f".{path.name}.part")
    try:
        part.unlink(missing_ok=True)
        report = Report(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        with contextlib.closing(report):
            yield report
        _give_name(part, path)
    except FileExistsError as error:
        raise _exists(path) from error
    except OSError as error:
        raise Unavailable(
            "report_unwritable",
            "A file could not be written or read: there is no report.",
            observed=f"{Path(str(error.filename or path)).name}: {error.strerror}",
            next_step="Free space, or choose another place with -o.",
        ) from error
    finally:
        part.unlink(missing_ok=True)


def _give_name(part: Path, path: Path) -> None:
    """Let the finished file take its name, and replace nothing.

    A link, unlike a rename, does not replace what somebody put there in the meantime; where the
    file system knows no links, a look before the rename must do.
    """
    try:
        os.link(part, path)
    except OSError as error:
        if error.errno not in _NO_LINKS or path.exists():
            raise
        part.rename(path)


def _exists(path: Path) -> Conflict:
    return Conflict(
        "export_exists",
        "There is something of this name already; it is not overwritten.",
        observed=path.name,
        next_step="Choose another name with -o.",
    )


def refused_line(row: int, column: str, code: str) -> Sequence[object]:
    """Return the line of what could not be judged."""
    return (row, column, "refused", code, *("",) * (len(COLUMNS) - 4))


def match_line(
    row: int,
    column: str,
    match: Via,
    found: FoundRecord,
    record: IndicatorRecord,
    *,
    states: Sequence[str],
    records: int,
) -> Sequence[object]:
    """Return the line of one match; ``records`` is how many listed records the cell matches."""
    bundle = found.bundle
    return (
        row,
        column,
        "match",
        "",
        match.value,
        record.kind.value,
        "" if record.network is None else record.network.value,
        record.value,
        record.memo or "",
        bundle.org,
        bundle.id,
        found.record,
        bundle.tlp,
        bundle.onward,
        record.confidence,
        record.basis.value,
        " ".join(states),
        bundle.created,
        bundle.expires,
        records,
    )
