"""What anyone may read of a log: checkpoints, tiles, entry bundles, proofs."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, select

from accord.hub.transparency.service import read_tile_row
from accord.hub.transparency.tables import CosignedHead, LogEntry, LogHead
from accord.kernel.directory.rootfile import LogName
from accord.kernel.errors import NotFound
from accord.kernel.tlog import tiles

HASH_SIZE = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A checkpoint: ``size`` entries, and the signed note that says so."""

    size: int
    note: bytes


class LogReader:
    """Reads of the logs, each on a connection of its own."""

    def __init__(self, engine: Engine) -> None:
        """Read through ``engine``."""
        self._engine = engine

    def head(self, log: LogName) -> Head | None:
        """Return the newest checkpoint, signed by the hub alone, or ``None`` for an empty log."""
        with self._engine.connect() as connection:
            row = connection.execute(
                select(LogHead.size, LogHead.note).where(LogHead.log == log.value)
            ).one_or_none()
        return Head(size=row.size, note=row.note) if row else None

    def cosigned(self, log: LogName) -> Head | None:
        """Return the newest checkpoint with its quorum of witnesses, or ``None``."""
        with self._engine.connect() as connection:
            row = connection.execute(
                select(CosignedHead.size, CosignedHead.note).where(CosignedHead.log == log.value)
            ).one_or_none()
        return Head(size=row.size, note=row.note) if row else None

    def tile(self, log: LogName, level: int, index: int, width: int) -> bytes:
        """Return exactly ``width`` hashes of a tile.

        Raises:
            NotFound: ``tile_missing`` when the log has not grown that far.
        """
        with self._engine.connect() as connection:
            data = read_tile_row(connection, log, level, index, width)
        if len(data) != width * HASH_SIZE:
            raise NotFound("tile_missing", "The log has not grown that far.")
        return data

    def entries(self, log: LogName, first: int, count: int) -> list[bytes]:
        """Return entries ``first`` up to ``first + count - 1``.

        Raises:
            NotFound: ``tile_missing`` when the log has not grown that far.
        """
        with self._engine.connect() as connection:
            found = connection.scalars(
                select(LogEntry.entry)
                .where(
                    LogEntry.log == log.value,
                    LogEntry.number >= first,
                    LogEntry.number < first + count,
                )
                .order_by(LogEntry.number)
            ).all()
        if len(found) != count:
            raise NotFound("tile_missing", "The log has not grown that far.")
        return list(found)

    def inclusion_proof(self, log: LogName, number: int, size: int) -> list[bytes]:
        """Return the audit path of entry ``number`` in the tree of ``size`` entries."""
        with self._engine.connect() as connection:
            return tiles.inclusion_proof(
                number,
                size,
                lambda level, index, width: read_tile_row(connection, log, level, index, width),
            )

    def inclusion_proofs(
        self, log: LogName, numbers: Sequence[int], size: int
    ) -> list[list[bytes]]:
        """Return the audit paths of several entries; each tile is read once."""
        with self._engine.connect() as connection:

            @functools.cache
            def read_tile(level: int, index: int, width: int) -> bytes:
                return read_tile_row(connection, log, level, index, width)

            return [tiles.inclusion_proof(number, size, read_tile) for number in numbers]

    def root(self, log: LogName, size: int) -> bytes:
        """Return the root that the first ``size`` entries have; the log is at least that long."""
        with self._engine.connect() as connection:
            return tiles.load_edge(
                size,
                lambda level, index, width: read_tile_row(connection, log, level, index, width),
            ).root()

    def consistency_proof(self, log: LogName, old: int, new: int) -> list[bytes]:
        """Return the proof that the tree of ``old`` entries is a prefix of that of ``new``."""
        with self._engine.connect() as connection:
            return tiles.consistency_proof(
                old,
                new,
                lambda level, index, width: read_tile_row(connection, log, level, index, width),
            )
