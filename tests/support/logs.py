"""A log that lives in a dictionary of paths: made, signed and cosigned as a hub would."""

from collections.abc import Sequence
from pathlib import Path

from accord.kernel.errors import NotFound
from accord.kernel.tlog import merkle, tiles
from accord.kernel.tlog.checkpoint import Checkpoint, add_cosignatures
from accord.kernel.tlog.notes import LogKeyPair, WitnessKeyPair
from accord.kernel.tlog.policy import Policy, make_policy

NOW = 1_795_000_000
ORIGIN = "hub.example/audit"


def seed(start: int) -> bytes:
    return bytes(range(start, start + 32))


LOG_KEYS = LogKeyPair(ORIGIN, seed(0), seed(0x60))
WITNESSES = tuple(
    WitnessKeyPair(f"w{number}.example", (bytes([number]) * 32, bytes([number + 100]) * 32))
    for number in range(3)
)


def policy(quorum: int = 2) -> Policy:
    return make_policy(LOG_KEYS.vkeys, [witness.vkeys for witness in WITNESSES], quorum=quorum)


class MadeLog:
    """Entries, tiles and checkpoints of one log."""

    def __init__(self, keys: LogKeyPair = LOG_KEYS) -> None:
        """Start empty."""
        self.keys = keys
        self.files: dict[str, bytes] = {}
        self.edge = tiles.Edge.empty()
        self.entries: list[bytes] = []
        self._partial = b""

    def append(self, entries: Sequence[bytes]) -> "MadeLog":
        """Integrate one batch and write what changed."""
        for bundle in tiles.append_entries(len(self.entries), self._partial, entries):
            self.files[bundle.path] = bundle.data
            self._partial = b"" if bundle.width == tiles.WIDTH else bundle.data
        self.entries += entries
        self.edge, changed = tiles.append(self.edge, [merkle.leaf_hash(one) for one in entries])
        for tile in changed:
            self.files[tile.path] = tile.data
        return self

    @property
    def checkpoint(self) -> Checkpoint:
        return Checkpoint(origin=self.keys.name, size=self.edge.size, root=self.edge.root())

    def sign(
        self, *, witnesses: int = 0, by: Sequence[WitnessKeyPair] = WITNESSES, now: int = NOW
    ) -> bytes:
        """Publish a checkpoint with cosignatures of the first ``witnesses`` of ``by``."""
        note = self.keys.sign(self.checkpoint, now)
        for witness in by[:witnesses]:
            note = add_cosignatures(note, witness.cosign(self.checkpoint, now))
        self.files["checkpoint"] = note
        return note

    def fetch(self, path: str) -> bytes:
        if path not in self.files:
            raise NotFound("log_file_missing", "The log lacks a file.", observed=path)
        return self.files[path]

    def tile(self, level: int, index: int, width: int) -> bytes:
        return self.files[tiles.tile_path(level, index, width)]

    def inclusion(self, index: int) -> list[bytes]:
        return tiles.inclusion_proof(index, self.edge.size, self.tile)

    def consistency(self, old: int) -> list[bytes]:
        return tiles.consistency_proof(old, self.edge.size, self.tile)

    def write(self, folder: Path) -> Path:
        """Write the log as files."""
        for path, data in self.files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        return folder


def numbered(count: int, start: int = 0) -> list[bytes]:
    """Return ``count`` different entries."""
    return [b"entry %d" % number for number in range(start, start + count)]
