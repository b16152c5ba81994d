"""Checks a whole log as a stranger: every entry is hashed again, every tile compared.

Comparing tiles among themselves is not enough: an entry that was changed in storage leaves hash
tiles and consistency proofs intact. So the tree is rebuilt from the entries alone. The log comes
in through ``fetch``; this module reads no network, disk or clock.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from accord.kernel.errors import AccordError, NotFound, Unavailable, VerificationFailed
from accord.kernel.tlog.checkpoint import (
    Checkpoint,
    open_cosigned,
    parse_checkpoint,
    verify_checkpoint,
)
from accord.kernel.tlog.merkle import HASH_SIZE, leaf_hash
from accord.kernel.tlog.notes import parse_note
from accord.kernel.tlog.policy import Policy
from accord.kernel.tlog.tiles import (
    WIDTH,
    Edge,
    append,
    entries_path,
    parse_entries,
    partial_width,
    tile_path,
)

Fetch = Callable[[str], bytes]
"""Returns the bytes at a path (``checkpoint``, ``tile/…``); NotFound when there is none."""

Inspect = Callable[[int, bytes], None]
"""Called with each index and entry; raises an AccordError when the entry is not acceptable."""

CHECKPOINT_PATH = "checkpoint"

_BITS = 8


def log_paths(size: int) -> Iterator[str]:
    """Yield every path of a log of ``size`` entries in the order in which the monitor asks.

    For whoever reads ahead or makes a copy; the checkpoint is not among them.
    """
    for index in range((size + WIDTH - 1) // WIDTH):
        width = min(WIDTH, size - index * WIDTH)
        yield entries_path(index, width)
        level, at = 0, index
        while width == WIDTH:
            yield tile_path(level, at, WIDTH)
            if at % WIDTH != WIDTH - 1:
                break
            level, at = level + 1, at // WIDTH
    level = 0
    while size >> (_BITS * level):
        width = partial_width(level, size)
        if width:
            yield tile_path(level, size >> (_BITS * (level + 1)), width)
        level += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check: a stable name, whether it holds, and what was seen."""

    name: str
    ok: bool
    observed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogReport:
    """What the monitor found.

    Attributes:
        checkpoint: the verified checkpoint, or ``None`` when there is none.
        note: its bytes, to be kept as ``earlier`` of the next run.
        checks: in order; those after the first failure were not made.
        failure: the first failure.
    """

    checkpoint: Checkpoint | None
    note: bytes
    checks: tuple[Check, ...]
    failure: AccordError | None

    @property
    def ok(self) -> bool:
        """Whether every check was made and holds."""
        return self.failure is None


class _Monitor:
    def __init__(self, fetch: Fetch, trust: Policy | Sequence[str], *, origin: str | None) -> None:
        self.fetch = fetch
        self.trust = trust
        self.origin = origin
        self.checks: list[Check] = []
        self.note = b""
        self.checkpoint: Checkpoint | None = None
        self.step = "checkpoint"

    def passed(self, observed: str) -> None:
        self.checks.append(Check(name=self.step, ok=True, observed=observed))

    def verified(
        self, note: bytes, *, now: int | None, max_age: int | None
    ) -> tuple[Checkpoint, str]:
        """Verify one checkpoint note and say who signed it."""
        if isinstance(self.trust, Policy):
            opened = open_cosigned(note, self.trust, origin=self.origin, now=now, max_age=max_age)
            who = f"{len(opened.times)} witness keys"
            if opened.times:
                who += f", oldest time {min(opened.times.values())}"
            return opened.checkpoint, who
        named = parse_checkpoint(parse_note(note).body).origin
        checkpoint = verify_checkpoint(note, origin=self.origin or named, log_vkeys=self.trust)
        return checkpoint, "log keys only, no witness asked for"

    def read(self, path: Callable[[int, int], str], index: int, width: int) -> tuple[bytes, bool]:
        """Fetch a tile or bundle; a partial one may have given way to the full one.

        Returns:
            The bytes, and whether they are those of the full resource.
        """
        try:
            return self.fetch(path(index, width)), width == WIDTH
        except NotFound:
            if width == WIDTH:
                raise
            return self.fetch(path(index, WIDTH)), True

    def entries(self, index: int, width: int) -> list[bytes]:
        data, full = self.read(entries_path, index, width)
        entries = parse_entries(data)
        if len(entries) != (WIDTH if full else width):
            raise VerificationFailed(
                "entries_wrong",
                "An entry bundle holds another number of entries.",
                observed=f"{entries_path(index, width)}: {len(entries)}",
            )
        return entries[:width]

    def tile(self, level: int, index: int, width: int, expected: bytes) -> None:
        data, full = self.read(lambda n, w: tile_path(level, n, w), index, width)
        size = (WIDTH if full else width) * HASH_SIZE
        if len(data) != size or data[: width * HASH_SIZE] != expected:
            raise VerificationFailed(
                "tile_wrong",
                "A tile does not hold the hashes of the log's entries.",
                observed=tile_path(level, index, width),
            )

    def rebuild(self, size: int, earlier: int, inspect: Inspect | None) -> tuple[bytes, bytes]:
        """Hash every entry, compare every tile.

        Returns:
            The root of the whole tree and of its first ``earlier`` leaves.
        """
        edge = Edge.empty()
        earlier_root = edge.root()
        tiles = 0
        for index in range((size + WIDTH - 1) // WIDTH):
            first = index * WIDTH
            entries = self.entries(index, min(WIDTH, size - first))
            if inspect is not None:
                for offset, entry in enumerate(entries):
                    inspect(first + offset, entry)
            hashes = [leaf_hash(entry) for entry in entries]
            if first < earlier <= first + len(hashes):
                earlier_root = append(edge, hashes[: earlier - first])[0].root()
            edge, changed = append(edge, hashes)
            for tile in changed:
                if tile.width == WIDTH:
                    self.tile(tile.level, tile.index, tile.width, tile.data)
                    tiles += 1
        for level, packed in enumerate(edge.levels):
            if packed:
                width = len(packed) // HASH_SIZE
                self.tile(level, edge.size >> (_BITS * (level + 1)), width, packed)
                tiles += 1
        self.step = "entries"
        self.passed(f"{size} entries hashed")
        self.step = "tiles"
        self.passed(f"{tiles} tiles compared")
        return edge.root(), earlier_root

    def run(
        self,
        *,
        earlier: bytes | None,
        inspect: Inspect | None,
        now: int | None,
        max_age: int | None,
    ) -> None:
        """Make the checks in order; raises at the first that fails."""
        # Step 1.
        self.note = self.fetch(CHECKPOINT_PATH)
        checkpoint, who = self.verified(self.note, now=now, max_age=max_age)
        self.checkpoint = checkpoint
        self.passed(f"{checkpoint.origin}, size {checkpoint.size}, {who}")
        # Step 2.
        before = None
        if earlier is not None:
            self.step = "earlier"
            before, who = self.verified(earlier, now=None, max_age=None)
            if before.size > checkpoint.size or before.origin != checkpoint.origin:
                raise VerificationFailed(
                    "log_went_back",
                    "An earlier checkpoint is of a larger tree or of another log.",
                    observed=f"{before.origin}: {before.size}, now {checkpoint.size}",
                )
            self.passed(f"size {before.size}, {who}")
        # Step 3.
        self.step = "entries"
        root, earlier_root = self.rebuild(checkpoint.size, before.size if before else 0, inspect)
        # Step 4.
        self.step = "root"
        if root != checkpoint.root:
            raise VerificationFailed(
                "root_wrong", "The entries do not lead to the signed root.", observed=root.hex()
            )
        self.passed(root.hex())
        # Step 5.
        if before is not None:
            self.step = "consistency"
            if earlier_root != before.root:
                raise VerificationFailed(
                    "consistency_wrong",
                    "The log does not continue what it signed earlier.",
                    observed=f"size {before.size}: {earlier_root.hex()}",
                    next_step="Keep both checkpoints: together they prove it.",
                )
            self.passed(f"size {before.size} is a prefix")


def examine_log(
    fetch: Fetch,
    trust: Policy | Sequence[str],
    *,
    origin: str | None = None,
    earlier: bytes | None = None,
    inspect: Inspect | None = None,
    now: int | None = None,
    max_age: int | None = None,
) -> LogReport:
    """Check a whole log and report; a failed check is part of the report.

    1. ``checkpoint``: signatures of the log, witness quorum when ``trust`` is a policy.
    2. ``earlier``: the earlier checkpoint verifies likewise and is not larger.
    3. ``entries``, ``tiles``: each bundle parses and has its number of entries, ``inspect``
       accepts each entry, each tile on the way is what the entries give.
    4. ``root``: the entries lead to the signed root.
    5. ``consistency``: the first entries lead to the earlier root.

    Args:
        fetch: reads the log.
        trust: a policy, or the vkeys of the log alone (all must have signed).
        origin: the log that is expected; without it any log of ``trust``.
        earlier: a signed checkpoint that was seen before.
        inspect: looks at each entry.
        now: the reader's time, to judge cosignature times.
        max_age: oldest cosignature in seconds that still counts.

    Raises:
        Unavailable: the log cannot be read at all.
    """
    monitor = _Monitor(fetch, trust, origin=origin)
    failure: AccordError | None = None
    try:
        monitor.run(earlier=earlier, inspect=inspect, now=now, max_age=max_age)
    except Unavailable:
        raise
    except AccordError as error:
        failure = error
        seen = f"{error.code}: {error.observed or error.message}"
        monitor.checks.append(Check(name=monitor.step, ok=False, observed=seen))
    return LogReport(
        checkpoint=monitor.checkpoint,
        note=monitor.note,
        checks=tuple(monitor.checks),
        failure=failure,
    )


def verify_log(
    fetch: Fetch,
    trust: Policy | Sequence[str],
    *,
    origin: str | None = None,
    earlier: bytes | None = None,
    inspect: Inspect | None = None,
    now: int | None = None,
    max_age: int | None = None,
) -> LogReport:
    """Check a whole log as ``examine_log`` does; every check holds in what it returns.

    Raises:
        Malformed: a part of the log is not well-formed.
        VerificationFailed: a check does not hold.
        NotFound: a part of the log is missing.
        Unavailable: the log cannot be read at all.
    """
    report = examine_log(
        fetch, trust, origin=origin, earlier=earlier, inspect=inspect, now=now, max_age=max_age
    )
    if report.failure is not None:
        raise report.failure
    return report
