"""Deleting files of sealed bodies that no row names: of erased bundles, and what a crash left.

A file is deleted inside an act of the writer, so that no row can begin to name it meanwhile, and
only when it is not young: a bundle puts its file before its row. What was deleted was erased with
its bundle, and that is in the log; a file without a row was never accepted.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from accord.hub.bundles.tables import BundleRow
from accord.hub.storage import BodyStore, Writer

BATCH = 200
"""Files that one act deletes at most."""

ORPHAN_SECONDS = 3600
"""A file that no row names is left alone so long: its bundle may be on its way into a row."""


class BodySweep:
    """Deletes files without a row; ``deleted`` counts them since the start."""

    def __init__(self, *, writer: Writer, bodies: BodyStore) -> None:
        """Work with what is handed down."""
        self._writer = writer
        self._bodies = bodies
        self.deleted = 0

    def sweep(self, *, now: int) -> int:
        """Delete all files that no row names; return how many."""
        return self.delete(self._bodies.names(), now=now)

    def delete(self, names: Sequence[str], *, now: int) -> int:
        """Delete those of ``names`` that no row names; return how many."""
        done = 0
        for start in range(0, len(names), BATCH):
            batch = names[start : start + BATCH]
            done += self._writer.run(lambda connection: self._batch(connection, batch, now))  # noqa: B023 - called at once
        self.deleted += done
        return done

    def _batch(self, connection: Connection, names: Sequence[str], now: int) -> int:
        old = [name for name in names if self._bodies.age(name, now=now) >= ORPHAN_SECONDS]
        named = set(
            connection.scalars(select(BundleRow.body_file).where(BundleRow.body_file.in_(old)))
        )
        gone = [name for name in old if name not in named]
        for name in gone:
            self._bodies.delete(name)
        return len(gone)
