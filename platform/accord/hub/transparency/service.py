"""Sequencing and integration, in the writer's transaction.

Invariants: the head is read under the write lock, so two processes cannot sign different
histories; entries get the numbers that follow the head; the checkpoint is signed before the commit
and seen by nobody before it is durable.
"""

import threading
from collections.abc import Mapping

from sqlalchemy import Connection, bindparam, insert, select

from accord.clock import Clock
from accord.hub.storage import replacing
from accord.hub.transparency.tables import CosignedHead, LogEntry, LogHead, LogTile
from accord.kernel.directory.rootfile import LogName
from accord.kernel.errors import Unavailable, VerificationFailed
from accord.kernel.tlog import merkle
from accord.kernel.tlog.notes import LogKeyPair
from accord.kernel.tlog.tiles import Edge, Tile, append, load_edge
from accord.kernel.tlog.treehead import Checkpoint

# Built once: composing a statement costs more than running it.
# The lock keeps off whoever writes without taking the turn; SQLite has one writer anyway.
_HEADS = select(LogHead.log, LogHead.size, LogHead.root).with_for_update()
_ADD_ENTRIES = insert(LogEntry)
_TILE = select(LogTile.hashes).where(
    LogTile.log == bindparam("log"),
    LogTile.level == bindparam("level"),
    LogTile.number == bindparam("number"),
)
_SET_HEAD = replacing(LogHead, ["log"], "size", "root", "note")
_SET_TILES = replacing(LogTile, ["log", "level", "number"], "hashes")
_SET_COSIGNED = replacing(
    CosignedHead, ["log"], "size", "note", where=lambda new: CosignedHead.size <= new.size
)


class LogSequencer:
    """Takes part in each transaction of the writer; ``append`` is for acts inside one."""

    def __init__(self, keys: Mapping[LogName, LogKeyPair], clock: Clock) -> None:
        """Sign with ``keys``; their names are the logs' origins."""
        self._keys = dict(keys)
        self._clock = clock
        self._sizes: dict[LogName, int] = {}
        self._roots: dict[LogName, bytes] = {}
        self._staged: dict[LogName, list[bytes]] = {name: [] for name in keys}
        self._edges: dict[LogName, Edge] = {}
        self._next_edges: dict[LogName, Edge] = {}
        self.grown = threading.Condition()
        """Notified after each commit that made a log longer."""
        self._notes: dict[LogName, tuple[int, bytes]] = {}
        self._next_notes: dict[LogName, tuple[int, bytes]] = {}
        self.stopped: str | None = None
        """Why nothing more is signed: a witness has seen more, or something else, than we hold."""

    def append(self, log: LogName, entry: bytes) -> int:
        """Stage ``entry`` and return its number in the log; only inside an act of the writer."""
        staged = self._staged[log]
        staged.append(entry)
        return self._sizes[log] + len(staged) - 1

    def newest(self, log: LogName, *, covering: int) -> bytes | None:
        """Return the newest durable checkpoint that this process signed, if it covers an entry.

        Args:
            log: which log.
            covering: number of the entry; another process may have stored it.
        """
        size, note = self._notes.get(log, (0, b""))
        return note if size > covering else None

    def size(self, log: LogName) -> int:
        """Return the size of the log with what is staged; only inside an act of the writer."""
        return self._sizes[log] + len(self._staged[log])

    def begin(self, connection: Connection) -> None:
        """Read the heads under the write lock."""
        heads = {row.log: row for row in connection.execute(_HEADS)}
        for name in self._keys:
            row = heads.get(name)
            self._sizes[name] = row.size if row else 0
            self._roots[name] = row.root if row else merkle.EMPTY_ROOT
            self._staged[name].clear()
        self._next_edges.clear()
        self._next_notes.clear()

    def mark(self) -> Mapping[LogName, int]:
        """Return how much is staged."""
        return {name: len(staged) for name, staged in self._staged.items()}

    def rewind(self, mark: object) -> None:
        """Drop what a failed act staged."""
        if isinstance(mark, Mapping):
            for name, count in mark.items():
                del self._staged[name][count:]

    def before_commit(self, connection: Connection) -> None:
        """Integrate what is staged, write tiles, sign the new heads.

        Raises:
            VerificationFailed: ``log_edge_wrong`` when the stored tiles do not give the stored
                root: the database was changed by another hand, and nothing more is signed.
            Unavailable: ``log_stopped``.
        """
        if self.stopped is not None and any(self._staged.values()):
            raise Unavailable(
                "log_stopped",
                "This hub must not sign: a witness has seen another or a longer log.",
                observed=self.stopped,
                retry_after=3600,
                next_step="Restore the newest database; see the runbook on log disagreement.",
            )
        for name, staged in self._staged.items():
            if staged:
                self._integrate(connection, name, staged)

    def _integrate(self, connection: Connection, name: LogName, staged: list[bytes]) -> None:
        first = self._sizes[name]
        edge, tiles = append(
            self._edge(connection, name), [merkle.leaf_hash(entry) for entry in staged]
        )
        connection.execute(
            _ADD_ENTRIES,
            [
                {"log": name.value, "number": first + offset, "entry": entry}
                for offset, entry in enumerate(staged)
            ],
        )
        _write_tiles(connection, name, tiles)
        checkpoint = Checkpoint(origin=self._keys[name].name, size=edge.size, root=edge.root())
        note = self._keys[name].sign(checkpoint, self._clock())
        connection.execute(
            _SET_HEAD.on(connection),
            {"log": name.value, "size": checkpoint.size, "root": checkpoint.root, "note": note},
        )
        self._next_edges[name] = edge
        self._next_notes[name] = (checkpoint.size, note)

    def _edge(self, connection: Connection, name: LogName) -> Edge:
        size, root = self._sizes[name], self._roots[name]
        edge = self._edges.get(name)
        if edge is None or edge.size != size or edge.root() != root:

            def read_tile(level: int, index: int, width: int) -> bytes:
                return read_tile_row(connection, name, level, index, width)

            edge = load_edge(size, read_tile)
            if edge.root() != root:
                raise VerificationFailed(
                    "log_edge_wrong",
                    "The stored tiles of the log do not give its root; nothing more is signed.",
                    observed=f"{name} at {size}",
                    next_step="Restore the database; see the runbook on log disagreement.",
                )
        return edge

    def after_commit(self) -> None:
        """Keep the new edges and wake whoever waits for growth."""
        if self._next_edges:
            self._edges.update(self._next_edges)
            self._notes.update(self._next_notes)
            self.wake()

    def wake(self) -> None:
        """Wake whoever waits for growth, by this process or another."""
        with self.grown:
            self.grown.notify_all()

    def after_rollback(self) -> None:
        """Forget the transaction; the edges are read again from the tiles."""
        self._edges.clear()
        self._next_edges.clear()
        for staged in self._staged.values():
            staged.clear()


def _write_tiles(connection: Connection, name: LogName, tiles: list[Tile]) -> None:
    connection.execute(
        _SET_TILES.on(connection),
        [
            {"log": name.value, "level": tile.level, "number": tile.index, "hashes": tile.data}
            for tile in tiles
        ],
    )


def read_tile_row(
    connection: Connection, log: LogName, level: int, index: int, width: int
) -> bytes:
    """Return the first ``width`` hashes of a tile, or fewer when the tile is narrower."""
    data: bytes | None = connection.scalar(
        _TILE, {"log": log.value, "level": level, "number": index}
    )
    return (data or b"")[: width * 32]


def store_cosigned(connection: Connection, log: LogName, size: int, note: bytes) -> None:
    """Keep a checkpoint that has its quorum; only inside an act of the writer.

    One of the same size replaces the kept one: its cosignatures are younger, and desks seal only
    under cosignatures of the last day.
    """
    connection.execute(_SET_COSIGNED.on(connection), {"log": log.value, "size": size, "note": note})
