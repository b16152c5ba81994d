"""The directory at one size: replay of every leaf of the directory log, in order.

``DirectoryState`` is immutable; ``apply`` and ``extend`` return a new one. It keeps for each key
from which and until which leaf it counted, so that a signature can be judged at the size that was
in force then. A leaf that does not verify refuses the whole log: a hub may not append one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from accord.kernel.directory.authority import verify_authority
from accord.kernel.directory.entries import CharterPoint, RootPoint, charter_point, parse_entry
from accord.kernel.directory.organisation import KeyRecord, KeyUse, Organisation, Status
from accord.kernel.directory.rootfile import RootFile
from accord.kernel.directory.statements import Op, SignedStatement
from accord.kernel.directory.transition import (
    CLOCK_SKEW,
    current_key_ids,
    moved_key,
    new_keys,
    next_organisation,
)
from accord.kernel.encoding import b64encode
from accord.kernel.errors import (
    Conflict,
    Malformed,
    NotFound,
    Refused,
    VerificationFailed,
)
from accord.kernel.identifiers import KeyId, OrgId, org_hub
from accord.kernel.keys import SignerKey
from accord.kernel.policy.charter import Charter, verify_charter

ACCEPT_WINDOW = 24 * 3600
"""Seconds that may lie between a statement's ``not_before`` and its acceptance (invite: 24 h)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedCharter:
    """A charter point, the leaf that holds it, and the root file in force there."""

    point: CharterPoint
    index: int
    root: RootFile


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
        draft = _Draft(self)
        for entry in entries:
            draft.add(entry, now)
        return draft.frozen()

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


class _Draft:
    """A mutable copy while leaves are added; never leaves this module."""

    def __init__(self, state: DirectoryState) -> None:
        self.before = state
        self.root = state.root
        self.size = state.size
        self.orgs = dict(state._orgs)  # noqa: SLF001 - same module, same thing
        self.keys = dict(state._keys)  # noqa: SLF001 - as above
        self.charters = list(state.charters)

    def frozen(self) -> DirectoryState:
        return replace(
            self.before,
            root=self.root,
            size=self.size,
            charters=tuple(self.charters),
            _orgs=MappingProxyType(self.orgs),
            _keys=MappingProxyType(self.keys),
        )

    def add(self, data: bytes, now: int | None) -> None:
        entry = parse_entry(data)
        if isinstance(entry, CharterPoint):
            self._add_charter(entry)
        elif isinstance(entry, RootPoint):
            self._add_root(entry)
        else:
            self._add_statement(entry, now)
        self.size += 1

    def _add_charter(self, point: CharterPoint) -> None:
        if self.charters and point.version <= self.charters[-1].point.version:
            raise VerificationFailed(
                "charter_order",
                "Each charter has a higher version than the one before.",
                observed=f"{point.version} after {self.charters[-1].point.version}",
            )
        self.charters.append(PlacedCharter(point=point, index=self.size, root=self.root))

    def _add_root(self, point: RootPoint) -> None:
        if (point.version, point.sha256) == (self.root.version, self.root.sha256):
            return
        following = self.before.successors.get(point.version)
        if (
            following is None
            or point.version != self.root.version + 1
            or following.sha256 != point.sha256
        ):
            raise VerificationFailed(
                "root_unknown",
                "The log moves to a root file that is not known here.",
                observed=f"version {point.version} after {self.root.version}",
                next_step="Fetch the root file and compare it with your operator.",
            )
        self.root = following

    def _add_statement(self, signed: SignedStatement, now: int | None) -> None:
        """Check and add one statement.

        (1) It is about an organisation of this hub. (2) When ``now`` is given it is fresh.
        (3) It follows: chain, standing, hold. (4) A key that acts has not expired. (5) Its new
        keys are new for ever. (6) Those who must sign did.
        """
        statement = signed.statement
        versions = self.orgs.get(statement.org, ())
        held = versions[-1] if versions else None
        if org_hub(statement.org) != self.root.hub:  # (1)
            raise VerificationFailed(
                "hub_wrong",
                f"This directory is that of {self.root.hub}.",
                observed=statement.org,
            )
        if now is not None and not -ACCEPT_WINDOW <= statement.not_before - now <= CLOCK_SKEW:
            raise VerificationFailed(  # (2)
                "statement_not_fresh",
                "A statement is accepted within 24 hours of its 'not_before'.",
                observed=f"{statement.not_before - now:+d} seconds",
                next_step="Make and sign the statement again.",
            )
        following = next_organisation(held, signed, self.size)  # (3)
        if held is not None and statement.op in {Op.ROTATE, Op.LEAVE}:  # (4)
            self._check_dates(held, statement.not_before)
        added = new_keys(statement, self.size)
        self._check_new(added)  # (5)
        verify_authority(signed, held, self.root)  # (6)
        self.orgs[statement.org] = (*versions, following)
        self.keys.update({record.kid: record for record in added})
        if held is not None:
            self._move_keys(held, following, statement.compromised_since)

    def _check_dates(self, held: Organisation, time: int) -> None:
        record = self.keys[held.sig.kid]
        if time > record.not_after:
            raise VerificationFailed(
                "key_expired",
                "The organisation's key had expired when it signed.",
                observed=f"{time} after {record.not_after}",
                next_step="Recover with the recovery key and the registrars.",
            )

    def _check_new(self, added: tuple[KeyRecord, ...]) -> None:
        kids = [record.kid for record in added]
        for kid in kids:
            if kid in self.keys or kid in self.root.registrar_keys or kids.count(kid) > 1:
                raise Conflict(
                    "key_taken",
                    "A key may be registered only once, for ever.",
                    observed=b64encode(kid),
                    next_step="Make new keys.",
                )

    def _move_keys(self, held: Organisation, following: Organisation, since: int | None) -> None:
        counting = current_key_ids(following) if following.status is Status.ACTIVE else frozenset()
        for kid in current_key_ids(held) | current_key_ids(following):
            self.keys[KeyId(kid)] = moved_key(
                self.keys[KeyId(kid)],
                counts=kid in counting,
                index=self.size,
                since=since if kid in current_key_ids(held) else None,
            )


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
