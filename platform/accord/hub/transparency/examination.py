"""Recomputing a log from its entries: what stands in the database must give what was signed."""

from accord.hub.transparency.queries import LogReader
from accord.kernel.directory.rootfile import LogName, RootFile
from accord.kernel.errors import VerificationFailed
from accord.kernel.tlog.checkpoint import verify_checkpoint
from accord.kernel.tlog.merkle import leaf_hash
from accord.kernel.tlog.merkle import root as merkle_root
from accord.kernel.tlog.treehead import Checkpoint

BLOCK = 4096
"""Entries read at once."""


def recompute(reader: LogReader, root: RootFile, name: LogName) -> Checkpoint | None:
    """Return the signed checkpoint whose root the entries give; ``None`` for an empty log.

    Raises:
        VerificationFailed: a code of ``verify_checkpoint``; ``log_root_wrong`` when the entries
            give another root: the database was changed by another hand, or damaged.
        NotFound: ``tile_missing`` when entries are missing.
    """
    head = reader.head(name)
    if head is None:
        return None
    checkpoint = verify_checkpoint(
        head.note, origin=root.log_origin(name), log_vkeys=root.log_vkeys(name)
    )
    hashes = [
        leaf_hash(entry)
        for first in range(0, head.size, BLOCK)
        for entry in reader.entries(name, first, min(BLOCK, head.size - first))
    ]
    if merkle_root(hashes) != checkpoint.root or len(hashes) != checkpoint.size:
        raise VerificationFailed(
            "log_root_wrong",
            "The stored entries of a log do not give the root that was signed.",
            observed=f"{name} at {head.size}",
            next_step="Stop the hub and keep a copy; see the runbook on log disagreement.",
        )
    return checkpoint
