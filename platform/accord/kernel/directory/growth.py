"""Adding leaves to the directory: every check of one leaf, on a mutable copy of a state.

Only ``kernel.directory.state`` uses this, and hands out frozen states; a copy that failed half-way
is thrown away with the error.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from accord.kernel.directory.authority import (
    Weighed,
    verify_authority,
    weigh_authority,
)
from accord.kernel.directory.entries import CharterPoint, RootPoint, parse_entry
from accord.kernel.directory.organisation import KeyRecord, Organisation, Status
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
from accord.kernel.errors import Conflict, VerificationFailed
from accord.kernel.identifiers import KeyId, OrgId, org_hub

ACCEPT_WINDOW = 24 * 3600
"""Seconds that may lie between a statement's ``not_before`` and its acceptance (invite: 24 h)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedCharter:
    """A charter point, the leaf that holds it, and the root file in force there."""

    point: CharterPoint
    index: int
    root: RootFile


@dataclass(kw_only=True, slots=True)
class Growth:
    """A mutable copy of a state; the attributes are those of ``DirectoryState``."""

    root: RootFile
    size: int
    successors: Mapping[int, RootFile]
    charters: list[PlacedCharter]
    orgs: dict[OrgId, tuple[Organisation, ...]]
    keys: dict[KeyId, KeyRecord]

    def add(self, data: bytes, now: int | None) -> None:
        """Check and add the leaf number ``size``; ``now`` as in ``DirectoryState.apply``."""
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
        following = self.successors.get(point.version)
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

        (1)-(5) as ``_check_statement``. (6) Those who must sign did.
        """
        statement = signed.statement
        versions = self.orgs.get(statement.org, ())
        held = versions[-1] if versions else None
        following, added = self._check_statement(signed, held, now)
        verify_authority(signed, held, self.root, threshold=self.threshold)  # (6)
        self.orgs[statement.org] = (*versions, following)
        self.keys.update({record.kid: record for record in added})
        if held is not None:
            self._move_keys(held, following, statement.compromised_since)

    def weigh(self, signed: SignedStatement, now: int) -> Weighed:
        """Check a statement that registrars may still have to sign; nothing is added."""
        versions = self.orgs.get(signed.statement.org, ())
        held = versions[-1] if versions else None
        self._check_statement(signed, held, now)
        return weigh_authority(signed, held, self.root, threshold=self.threshold)

    @property
    def threshold(self) -> int:
        """How many registrars decide here: the root file's number, or more by the charter."""
        asked = self.charters[-1].point.registrars if self.charters else None
        return max(self.root.threshold, asked or 0)

    def _check_statement(
        self, signed: SignedStatement, held: Organisation | None, now: int | None
    ) -> tuple[Organisation, tuple[KeyRecord, ...]]:
        """Return the organisation after ``signed`` and its new keys; signatures come after.

        (1) It is about an organisation of this hub. (2) When ``now`` is given it is fresh.
        (3) It follows: chain, standing, hold. (4) A key that acts has not expired. (5) Its new
        keys are new for ever.
        """
        statement = signed.statement
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
                next_step="Make and sign the statement again; if it is new, set the clocks right.",
            )
        following = next_organisation(held, signed, self.size)  # (3)
        if held is not None and statement.op in {Op.ROTATE, Op.LEAVE}:  # (4)
            self._check_dates(held, statement.not_before)
        added = new_keys(statement, self.size)
        self._check_new(added)  # (5)
        return following, added

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
