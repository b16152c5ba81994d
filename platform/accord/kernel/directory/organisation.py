"""What the directory knows of one organisation and of one key, at one size of the log.

Frozen values only; ``kernel.directory.state`` makes them from statements. A key counts in spans of
the log: from the statement that brought it (or resumed its organisation) until the statement that
replaced, suspended, revoked or ended it.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from accord.kernel.directory.statements import Profile
from accord.kernel.identifiers import KeyId, OrgId
from accord.kernel.keys import KemPublicKey, SignerKey, SigningPublicKey
from accord.kernel.policy.decide import Party


class Status(StrEnum):
    """Where an organisation stands."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    LEFT = "left"


class KeyUse(StrEnum):
    """What a key is for."""

    KEM = "kem"
    SIG = "sig"
    REQUEST = "request"
    RECOVERY = "recovery"


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """An organisation after its statement number ``seq``.

    Attributes:
        org: its id.
        status: only an active one signs, receives or asks.
        profile: name, kind, country, contact.
        roles: capabilities that the charter knows, sorted.
        kem: key to which bundles are sealed.
        sig: key that signs.
        request_key: Ed25519 key of signed requests, 32 bytes.
        recovery: the offline key.
        seq: number of its last statement.
        digest: SHA-256 of the payload of its last statement.
        since: log index of its last statement.
        time: ``not_before`` of its last statement, unix seconds.
        rotated: ``not_before`` of its last rotation, ``None`` before the first.
        hold_until: after a recovery, the earliest time of a resume; else ``None``.
    """

    org: OrgId
    status: Status
    profile: Profile
    roles: tuple[str, ...]
    kem: KemPublicKey
    sig: SigningPublicKey
    request_key: bytes
    recovery: SigningPublicKey
    seq: int
    digest: bytes
    since: int
    time: int
    rotated: int | None = None
    hold_until: int | None = None

    @property
    def party(self) -> Party:
        """The organisation as the charter's decision takes it."""
        return Party(
            org=self.org,
            kind=self.profile.kind,
            country=self.profile.country,
            capabilities=frozenset(self.roles),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of the log: after the leaf ``start``, up to and without the leaf ``end``."""

    start: int
    end: int | None = None

    def covers(self, size: int) -> bool:
        """Return whether a log of ``size`` leaves has the start but not yet the end."""
        return self.start < size and (self.end is None or size <= self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a key stopped to count.

    Attributes:
        index: the leaf that ended its last span; the key counted up to this size.
        time: ``not_before`` of that statement, unix seconds.
        withdrawn: its organisation was suspended, revoked or recovered by that leaf or by any
            later one. What the key signed can then not be told from what a thief backdated.
            Otherwise it ended in the ordinary way: the organisation rotated it, or left.
    """

    index: int
    time: int
    withdrawn: bool


@dataclass(frozen=True, kw_only=True)
class KeyRecord:
    """One key for ever: whose, what for, when it counts.

    Attributes:
        kid: its id, unique in the directory for all time.
        org: whose it is.
        use: what it is for.
        public: raw public bytes.
        not_before: unix seconds.
        not_after: unix seconds; for a recovery key that of its statement, which is not enforced.
        spans: where in the log it counts; empty for recovery keys.
        compromised_since: unix seconds; what it signed later is shown with a warning.
    """

    kid: KeyId
    org: OrgId
    use: KeyUse
    public: bytes
    not_before: int
    not_after: int
    spans: tuple[Span, ...] = ()
    compromised_since: int | None = None

    @cached_property
    def signer(self) -> SignerKey:
        """The signing key with its owner, made ready to verify once (ML-DSA: 80 us)."""
        return SignerKey(org=self.org, public=SigningPublicKey.from_raw(self.public))

    def in_force(self, size: int) -> bool:
        """Return whether it counts in a directory of ``size`` leaves."""
        return any(span.covers(size) for span in self.spans)
