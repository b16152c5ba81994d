"""The directory at one size: replay of every leaf of the directory log, in order.

``DirectoryState`` is immutable; ``apply`` and ``extend`` return a new one. It keeps for each key
from which and until which leaf it counted, so that a signature can be judged at the size that was
in force then. A leaf that does not verify refuses the whole log: a hub may not append one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from accord.kernel.directory.authority import Weighed
from accord.kernel.directory.entries import charter_point
from accord.kernel.directory.growth import Growth, PlacedCharter
from accord.kernel.directory.organisation import (
    Ending,
    KeyRecord,
    KeyUse,
    Organisation,
    Status,
)
from accord.kernel.directory.rootfile import RootFile
from accord.kernel.directory.statements import parse_statement
from accord.kernel.directory.transition import CLOCK_SKEW
from accord.kernel.encoding import b64encode
from accord.kernel.errors import (
    Conflict,
    Malformed,
    NotFound,
    Refused,
    VerificationFailed,
)
from accord.kernel.identifiers import KeyId, OrgId
from accord.kernel.keys import SignerKey
from accord.kernel.policy.charter import Charter, verify_charter


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryState:
    """Everything that the first ``size`` leaves of a hub's directory log say.

    Start with ``replay``; do not build one by hand.

    Attributes:
        root: the root file in force.
        size: number of leaves replayed.
        successors: verified later root files that root points may refer to, by version.
        charters: charter points in the order of the log.
    """

    root: RootFile
    size: int = 0
    successors: Mapping[int, RootFile] = field(default_factory=lambda: MappingProxyType({}))
    charters: tuple[PlacedCharter, ...] = ()
    _orgs: Mapping[OrgId, tuple[Organisation, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    _keys: Mapping[KeyId, KeyRecord] = field(default_factory=lambda: MappingProxyType({}))

    # Change ------------------------------------------------------------------------------------

    def apply(
        self, entry: bytes, index: int | None = None, now: int | None = None
    ) -> "DirectoryState":
        """Return the state after one more leaf.

        Args:
            entry: the leaf's bytes.
            index: its position; when given it must be ``size``.
            now: unix seconds; when given, a statement must be fresh (at acceptance).

        Raises:
            AccordError: as ``extend``.
        """
        if index is not None and index != self.size:
            raise Conflict("index_wrong", f"Leaf {self.size} comes next.", observed=f"leaf {index}")
        return self.extend([entry], now=now)

    def extend(self, entries: Iterable[bytes], *, now: int | None = None) -> "DirectoryState":
        """Return the state after ``entries``, the leaves from ``size`` on.

        Raises:
            Malformed: a leaf is not of a known form.
            VerificationFailed: ``hub_wrong``, ``statement_not_fresh``, ``signer_*``,
                ``threshold_missed``, ``signature_wrong``, ``org_not_enrolled``,
                ``time_backwards``, ``key_expired``, ``root_unknown``, ``charter_order``.
            Conflict: ``org_taken``, ``statement_stale``, ``key_taken``.
            Refused: ``status_wrong``, ``rotation_too_soon``, ``hold_not_over``.
        """
        growth = self._growth()
        for entry in entries:
            growth.add(entry, now)
        return replace(
            self,
            root=growth.root,
            size=growth.size,
            charters=tuple(growth.charters),
            _orgs=MappingProxyType(growth.orgs),
            _keys=MappingProxyType(growth.keys),
        )

    def weigh(self, data: bytes, *, now: int) -> Weighed:
        """Check a statement that registrars may still have to sign; nothing is applied.

        Everything but the number of registrars is checked, as ``extend`` would at ``now``.

        Raises:
            AccordError: as ``extend``.
        """
        return self._growth().weigh(parse_statement(data), now)

    @property
    def threshold(self) -> int:
        """How many registrars must sign what they decide: by the root file, or by the charter."""
        return self._growth().threshold

    def _growth(self) -> Growth:
        return Growth(
            root=self.root,
            size=self.size,
            successors=self.successors,
            charters=list(self.charters),
            orgs=dict(self._orgs),
            keys=dict(self._keys),
        )

    # Organisations -----------------------------------------------------------------------------

    def find_organisation(self, org: OrgId, *, size: int | None = None) -> Organisation | None:
        """Return the organisation as of ``size`` (default: now), or ``None``."""
        limit = self._judged_size(size)
        for version in reversed(self._orgs.get(org, ())):
            if version.since < limit:
                return version
        return None

    def organisation(self, org: OrgId, *, size: int | None = None) -> Organisation:
        """Return the organisation as of ``size`` (default: now), whatever its status.

        Raises:
            NotFound: ``org_unknown``.
        """
        found = self.find_organisation(org, size=size)
        if found is None:
            raise NotFound("org_unknown", "The directory has no such organisation.", observed=org)
        return found

    def organisations(self, *, size: int | None = None) -> tuple[Organisation, ...]:
        """Return all organisations as of ``size``, ordered by id."""
        found = [self.find_organisation(org, size=size) for org in sorted(self._orgs)]
        return tuple(one for one in found if one is not None)

    def recipient(self, org: OrgId, *, at: int, size: int | None = None) -> Organisation:
        """Return ``org`` if bundles may be sealed to it at the time ``at``.

        Raises:
            NotFound: ``org_unknown``.
            Refused: ``org_not_active``; ``recipient_key_expired``.
        """
        found = self.organisation(org, size=size)
        if found.status is not Status.ACTIVE:
            raise Refused(
                "org_not_active",
                f"This organisation is {found.status}.",
                observed=org,
                next_step="Leave it out, or wait until the registrars resume it.",
            )
        if not self._keys[found.kem.kid].not_after >= at:
            raise Refused(
                "recipient_key_expired",
                "The key of this organisation has expired.",
                observed=org,
                next_step="Ask it to rotate its keys.",
            )
        return found

    # Keys --------------------------------------------------------------------------------------

    def key(self, kid: KeyId) -> KeyRecord:
        """Return the record of a key, whether or not it counts now.

        Raises:
            VerificationFailed: ``key_unknown``.
        """
        record = self._keys.get(kid)
        if record is None:
            raise VerificationFailed(
                "key_unknown", "The directory has no such key.", observed=b64encode(kid)
            )
        return record

    def has_key(self, kid: KeyId) -> bool:
        """Return whether the directory ever had this key."""
        return kid in self._keys

    def ending(self, kid: KeyId) -> Ending | None:
        """Return how the key ended, or ``None`` while it counts (or when it never did).

        Every statement from the end on is looked at, not the ending one alone: a thief who rotates
        the stolen key away makes its end look ordinary, until its owner recovers.

        Raises:
            VerificationFailed: ``key_unknown``.
        """
        record = self.key(kid)
        end = record.spans[-1].end if record.spans else None
        if end is None:
            return None
        since = [version for version in self._orgs[record.org] if version.since >= end]
        ordinary = {Status.ACTIVE, Status.LEFT}
        return Ending(
            index=end,
            time=since[0].time,
            withdrawn=any(version.status not in ordinary for version in since),
        )

    def signer_at(self, kid: KeyId, size: int | None = None, *, at: int | None = None) -> SignerKey:
        """Return the signing key ``kid`` if it counted in a directory of ``size`` leaves.

        Args:
            kid: the key's id.
            size: size at which to judge; default is the present size.
            at: unix seconds at which its dates must hold; default: dates are not looked at.

        Raises:
            VerificationFailed: ``key_unknown``, ``key_use_wrong``, ``key_not_in_force``,
                ``key_expired``.
        """
        return self._in_force(kid, KeyUse.SIG, size, at).signer

    def request_key(
        self, kid: KeyId, size: int | None = None, *, at: int | None = None
    ) -> tuple[OrgId, bytes]:
        """Return organisation and public key of the request key ``kid``; as ``signer_at``."""
        record = self._in_force(kid, KeyUse.REQUEST, size, at)
        return record.org, record.public

    def _in_force(self, kid: KeyId, use: KeyUse, size: int | None, at: int | None) -> KeyRecord:
        record = self.key(kid)
        if record.use is not use:
            raise VerificationFailed(
                "key_use_wrong", f"This key is for '{record.use}', not for '{use}'."
            )
        if not record.in_force(self._judged_size(size)):
            raise VerificationFailed(
                "key_not_in_force",
                "This key was replaced, suspended, revoked or not yet there.",
                observed=f"{b64encode(kid)} of {record.org}",
            )
        if at is not None and not record.not_before - CLOCK_SKEW <= at <= record.not_after:
            raise VerificationFailed(
                "key_expired",
                "The time lies outside the dates of this key.",
                observed=f"{at} not in {record.not_before}..{record.not_after}",
                next_step="Rotate the key with 'accord keys rotate'.",
            )
        return record

    def _judged_size(self, size: int | None) -> int:
        if size is None:
            return self.size
        if not 0 <= size <= self.size:
            raise VerificationFailed(
                "directory_size_unknown",
                f"The directory known here has {self.size} leaves.",
                observed=str(size),
                next_step="Fetch the directory again.",
            )
        return size

    # Charter -----------------------------------------------------------------------------------

    def charter_in_force(self, *, size: int | None = None) -> PlacedCharter:
        """Return the charter's place in force as of ``size``.

        Raises:
            NotFound: ``charter_missing`` when none was published yet.
        """
        limit = self._judged_size(size)
        for placed in reversed(self.charters):
            if placed.index < limit:
                return placed
        raise NotFound("charter_missing", "No charter has been published in this directory.")

    def verify_charter(self, data: bytes, *, size: int | None = None) -> Charter:
        """Verify that the signed charter ``data`` is the one in force as of ``size``.

        (1) The registrars of the root file in force at its leaf signed it. (2) Version, length and
        hash are those of the leaf.

        Raises:
            NotFound: ``charter_missing``.
            Malformed: as ``kernel.policy.charter.verify_charter``.
            VerificationFailed: ``threshold_missed``, ``signature_wrong``, ``charter_not_in_force``.
        """
        placed = self.charter_in_force(size=size)
        charter = verify_charter(  # (1)
            data, registrars=placed.root.registrar_keys, threshold=placed.root.threshold
        )
        if charter_point(charter) != placed.point:  # (2)
            raise VerificationFailed(
                "charter_not_in_force",
                f"The directory says that version {placed.point.version} is in force.",
                observed=f"version {charter.version}",
                next_step="Fetch the charter and the directory again.",
            )
        return charter


def replay(
    entries: Iterable[bytes], root: RootFile, successors: Iterable[RootFile] = ()
) -> DirectoryState:
    """Return the state after all ``entries`` of a directory log.

    Args:
        entries: the leaves from the first on.
        root: the root file that was in force at the first leaf (version 1, or the one the desk
            trusted first together with the log from there).
        successors: later root files, each verified by ``verify_successor``.

    Raises:
        AccordError: as ``DirectoryState.extend``.
    """
    by_version = {one.version: one for one in successors}
    if any(one.hub != root.hub for one in by_version.values()):
        raise Malformed("hub_wrong", "A root file of another hub stands among the successors.")
    return DirectoryState(root=root, successors=MappingProxyType(by_version)).extend(entries)
