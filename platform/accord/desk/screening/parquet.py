"""Parquet files as tables: columns of text and numbers, batch by batch. Needs ``pyarrow``."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from accord.desk.intake.delimited import Fields
from accord.desk.intake.limits import BLOCK_ROWS, MAX_COLUMNS, SAMPLE_ROWS
from accord.desk.intake.tables import Source, Table
from accord.kernel.errors import Malformed


def open_parquet(path: Path) -> Table:
    """Open ``path``; nested columns are read as empty.

    Raises:
        Malformed: ``parquet_unreadable``, ``columns_too_many``, ``file_empty``.
    """
    try:
        file = parquet.ParquetFile(path)
        names = tuple(file.schema_arrow.names)
        first = next(iter(file.iter_batches(batch_size=SAMPLE_ROWS)), None)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path) from error
    if len(names) > MAX_COLUMNS:
        raise Malformed(
            "columns_too_many",
            f"A table has at most {MAX_COLUMNS} columns.",
            observed=str(len(names)),
        )
    if first is None or len(set(names)) != len(names):
        raise Malformed("file_empty", "The file holds no rows, or two columns of one name.")
    return Table(
        source=Source(format="parquet", encoding=None, delimiter=None, sheet=None, header_row=0),
        columns=names,
        sample=_rows(first),
        rows=_all(path, file),
    )


def _all(path: Path, file: parquet.ParquetFile) -> Iterator[Fields | None]:
    try:
        for batch in file.iter_batches(batch_size=BLOCK_ROWS):
            yield from _rows(batch)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path) from error


def _rows(batch: pa.RecordBatch) -> list[Fields]:
    columns = [
        [""] * batch.num_rows
        if pa.types.is_nested(column.type)
        else ["" if cell is None else _text(cell) for cell in column.to_pylist()]
        for column in batch.columns
    ]
    return [list(cells) for cells in zip(*columns, strict=True)]


def _text(cell: object) -> str:
    return cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell)


def _unreadable(path: Path) -> Malformed:
    return Malformed(
        "parquet_unreadable",
        "The Parquet file is damaged, or of a kind that is not read.",
        observed=path.name,
        next_step="Write it again, or save it as CSV.",
    )
