"""The directory as this desk believes it: every leaf replayed, under the root file that it trusts.

A refresh does, numbered in the code: (1) root file still the pinned one or its verified successor,
(2) checkpoint with log signatures and witness quorum, less than 24 h old, (3) never smaller than
one seen before, (4) missing leaves fetched, (5) the root over all leaves recomputed, (6) every
statement replayed, (7) all of it made durable at once. The hub cannot swap a key or show two
histories without one of these failing.
"""

from collections.abc import Iterable, Sequence

from accord.clock import Clock
from accord.desk.exchange.client import HubClient
from accord.desk.exchange.signers import bundle_signer, read_drained
from accord.desk.storage import StoredBundle, Vault
from accord.desk.storage.mirror import (
    SeenCheckpoint,
    add_checkpoint,
    add_leaves,
    latest_checkpoint,
    leaves,
)
from accord.desk.storage.vault import put_setting
from accord.kernel.bundle.model import DirectoryPoint, Header
from accord.kernel.directory.rootfile import (
    MAX_ROOT,
    LogName,
    RootFile,
    verify_root,
    verify_successor,
)
from accord.kernel.directory.state import DirectoryState, replay
from accord.kernel.errors import (
    AuthenticationNeeded,
    Malformed,
    Refused,
    VerificationFailed,
)
from accord.kernel.identifiers import KeyId, OrgId, org_hub
from accord.kernel.keys import SignerKey
from accord.kernel.policy.charter import MAX_SIGNED_CHARTER, Charter
from accord.kernel.tlog import merkle
from accord.kernel.tlog.checkpoint import Checkpoint, verify_cosigned
from accord.kernel.tlog.notes import MAX_NOTE
from accord.kernel.tlog.tiles import WIDTH, entries_path, parse_entries
from accord.protocol import paths

MAX_AGE = 24 * 3600
"""Seconds that the witnessed checkpoint may be old when something is sealed."""

RECENT = 300
"""Seconds for which a refresh is not repeated unless it is asked for."""

MAX_EARLIER = 1000
"""Earlier roots that are remembered."""

MAX_ENTRIES = 256 * (65_535 + 2)

_ROOT_FILES = "root_files"
_CHARTER = "charter"


class DirectoryMirror:
    """The replayed directory of the desk's own hub."""

    def __init__(self, vault: Vault, client: HubClient, *, root_file: bytes, clock: Clock) -> None:
        """Replay what is stored; ``root_file`` is the pinned one, as signed bytes."""
        self._vault = vault
        self._client = client
        self._clock = clock
        self._pinned = root_file
        self._roots: list[RootFile] = [verify_root(root_file)]
        self._newest = root_file
        for stored in self._stored_successors():
            self._roots.append(verify_successor(stored, self._roots[-1]))
            self._newest = stored
        self._leaves = leaves(vault)
        self._hashes = [merkle.leaf_hash(leaf) for leaf in self._leaves]
        self._earlier: dict[int, bytes] = {}
        self.state: DirectoryState = self._replayed(self._roots)

    @property
    def root(self) -> RootFile:
        """The newest root file that is trusted."""
        return self._roots[-1]

    @property
    def root_bytes(self) -> bytes:
        """The pinned root file as signed bytes: what the six words are made of."""
        return self._pinned

    @property
    def root_files(self) -> tuple[bytes, ...]:
        """Every root file that is trusted, as signed bytes, the pinned one first."""
        return (self._pinned, *self._stored_successors())

    @property
    def origin(self) -> str:
        """Origin of the directory log."""
        return self.root.log_origin(LogName.DIRECTORY)

    def refresh(self) -> DirectoryState:
        """Bring the mirror up to date and return the state.

        Raises:
            VerificationFailed: a check of the module's list fails; nothing is changed.
            Unavailable: the hub cannot be reached.
        """
        now = self._clock()
        roots, newest = self._fetch_root()  # (1)
        note = self._client.get(_log_path(paths.CHECKPOINT), limit=MAX_NOTE)
        policy = roots[-1].log_policy(LogName.DIRECTORY)
        checkpoint = verify_cosigned(note, policy, now=now, max_age=MAX_AGE)  # (2)
        self._check_growth(checkpoint)  # (3)
        fresh = self._fetch_leaves(checkpoint.size)  # (4)
        hashes = [*self._hashes, *(merkle.leaf_hash(leaf) for leaf in fresh)]
        if merkle.root(hashes) != checkpoint.root:  # (5)
            raise VerificationFailed(
                "directory_root_wrong",
                "The directory's leaves are not those of its checkpoint.",
                observed=f"size {checkpoint.size}",
                next_step="Tell the registrars and the witnesses; send nothing.",
            )
        if len(roots) > len(self._roots):
            state = self._replayed(roots, fresh)
        else:
            state = self.state.extend(fresh)  # (6)
        with self._vault.transaction() as connection:  # (7)
            if newest != self._newest:
                stored = b"".join(
                    len(one).to_bytes(4, "big") + one
                    for one in (*self._stored_successors(), newest)
                )
                put_setting(connection, _ROOT_FILES, stored)
            add_leaves(connection, len(self._leaves), fresh)
            add_checkpoint(
                connection,
                SeenCheckpoint(
                    origin=checkpoint.origin,
                    size=checkpoint.size,
                    root=checkpoint.root,
                    note=note,
                    seen=now,
                ),
            )
        self._roots, self._newest = roots, newest
        self._leaves += fresh
        self._hashes = hashes
        self.state = state
        return state

    def recent(self, orgs: Iterable[OrgId] = ()) -> DirectoryState:
        """Return the state, refreshed when it is more than five minutes old or lacks an org."""
        seen = latest_checkpoint(self._vault, self.origin)
        # Another command may have refreshed the vault, but not what this one holds.
        old = (
            seen is None
            or seen.size != self.state.size
            or not 0 <= self._clock() - seen.seen <= RECENT
        )
        if old or any(self.state.find_organisation(org) is None for org in orgs):
            return self.refresh()
        return self.state

    def sealing_point(self) -> DirectoryPoint:
        """Return the directory point for a header; its checkpoint is witnessed and fresh.

        Raises:
            VerificationFailed: ``quorum_missing`` when no witnessed checkpoint of the last 24 h
                can be had.
        """
        self.recent()
        seen = latest_checkpoint(self._vault, self.origin)
        if seen is None or seen.size == 0:
            raise VerificationFailed("directory_empty", "The directory has no leaf yet.")
        policy = self.root.log_policy(LogName.DIRECTORY)
        verify_cosigned(seen.note, policy, now=self._clock(), max_age=MAX_AGE)
        return DirectoryPoint(origin=seen.origin, size=seen.size, root=seen.root)

    def charter(self) -> Charter:
        """Return the charter in force: the one that the directory log names, with its signatures.

        Raises:
            NotFound: ``charter_missing``.
            VerificationFailed: ``charter_not_in_force``, ``threshold_missed``,
                ``signature_wrong``.
        """
        kept = self._vault.setting(_CHARTER)
        if kept is not None:
            try:
                return self.state.verify_charter(kept)
            except VerificationFailed:
                # A newer one has been published since; the kept one is of no use any more.
                kept = None
        fetched = self._client.get(paths.CHARTER, limit=MAX_SIGNED_CHARTER)
        charter = self.state.verify_charter(fetched)
        self._vault.put_setting(_CHARTER, fetched)
        return charter

    def signer_of(self, header: Header, kid: KeyId) -> SignerKey:
        """Return the key ``kid`` if what it signed counts, by the rule of ``signers``.

        The directory that the header names must be one that we know with the same root.

        Raises:
            Refused: ``sender_hub_unknown``.
            VerificationFailed: ``directory_other``, or what ``signers.bundle_signer`` raises.
        """
        point = header.directory[0]
        if org_hub(header.org) != self.root.hub or point.origin != self.origin:
            raise Refused(
                "sender_hub_unknown",
                "The sender belongs to a hub whose directory is not mirrored here.",
                observed=header.org,
            )
        if point.size > self.state.size:
            self.refresh()
        if point.size > self.state.size or self._root_at(point.size) != point.root:
            raise VerificationFailed(
                "directory_other",
                "The bundle was made with another directory than ours.",
                observed=f"{point.origin} size {point.size}",
            )
        return bundle_signer(
            self.state,
            kid,
            size=point.size,
            created=header.created,
            now=self._clock(),
            drained=read_drained(self._vault),
        )

    def signature_state(self, bundle: StoredBundle) -> str:
        """Say what the directory holds now of the signer of a stored bundle."""
        record = self.state.key(bundle.signer)
        since = record.compromised_since
        if since is not None and bundle.created >= since:
            return "valid, but the key was reported compromised before it was signed"
        if since is not None:
            return "valid; the key was reported compromised later"
        if not record.in_force(self.state.size):
            return "valid; the key is no longer in use"
        return "valid"

    def require_enrolled(self, org: OrgId | None) -> OrgId:
        """Return ``org`` when the directory has it as active.

        Raises:
            AuthenticationNeeded: ``not_enrolled``.
        """
        found = None if org is None else self.state.find_organisation(org)
        if org is None or found is None:
            raise AuthenticationNeeded(
                "not_enrolled",
                "This desk is not enrolled at its hub yet.",
                next_step="Run accord desk enrol; then the registrar approves it.",
            )
        return org

    def _root_at(self, size: int) -> bytes:
        """Return our own root at an earlier size; many bundles name the same few sizes."""
        if size not in self._earlier:
            if len(self._earlier) >= MAX_EARLIER:
                self._earlier.clear()
            self._earlier[size] = merkle.root(self._hashes[:size])
        return self._earlier[size]

    def _replayed(self, roots: Sequence[RootFile], fresh: Sequence[bytes] = ()) -> DirectoryState:
        return replay([*self._leaves, *fresh], roots[0], roots[1:])

    def _stored_successors(self) -> list[bytes]:
        packed = self._vault.setting(_ROOT_FILES) or b""
        found: list[bytes] = []
        at = 0
        while at < len(packed):
            length = int.from_bytes(packed[at : at + 4], "big")
            found.append(packed[at + 4 : at + 4 + length])
            at += 4 + length
        return found

    def _fetch_root(self) -> tuple[list[RootFile], bytes]:
        offered = self._client.get(paths.ROOT, limit=MAX_ROOT)
        root = verify_root(offered)
        if root.sha256 == self.root.sha256:
            return self._roots, self._newest
        # Only the registrars of the trusted root can move trust on.
        return [*self._roots, verify_successor(offered, self.root)], offered

    def _check_growth(self, checkpoint: Checkpoint) -> None:
        seen = latest_checkpoint(self._vault, self.origin)
        if checkpoint.size < len(self._leaves) or (
            seen is not None and checkpoint.size < seen.size
        ):
            raise VerificationFailed(
                "log_rolled_back",
                "The directory is smaller than what this desk has seen.",
                observed=f"{checkpoint.size} after {len(self._leaves)}",
                next_step="Tell the registrars and the witnesses; send nothing.",
            )

    def _fetch_leaves(self, size: int) -> list[bytes]:
        fresh: list[bytes] = []
        have = len(self._leaves)
        while have + len(fresh) < size:
            position = have + len(fresh)
            index = position // WIDTH
            width = min(WIDTH, size - index * WIDTH)
            data = self._client.get(_log_path(entries_path(index, width)), limit=MAX_ENTRIES)
            entries = parse_entries(data)
            if len(entries) != width:
                raise Malformed(
                    "entries_malformed",
                    f"A bundle of {width} directory leaves is expected.",
                    observed=f"{len(entries)} leaves",
                )
            fresh += entries[position - index * WIDTH :]
        return fresh


def _log_path(resource: str) -> str:
    return paths.log_resource(paths.DIRECTORY_LOG, resource)
