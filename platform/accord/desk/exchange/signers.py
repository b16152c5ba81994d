"""Whose signature counts at this desk, with what the desk itself knows of the key.

Size and time of signing are the signer's own words, so a thief of an old key, with a hub that
helps, can claim any. What cannot be forged: the directory replayed here, and when this desk
learnt of what. Hence the rule, numbered in the code:

(1) the key counted at the size named, and its dates cover the time named;
(2) a key that counts now is taken;
(3) a key whose organisation was since suspended, revoked or recovered is not: its owner or the
    registrars said that somebody else may hold it;
(4) a key that was rotated, or whose organisation left, is taken for what it signed before that;
(5) and, for a bundle, only while it can still be under way: not older than ``LATE``, and
(6) not after this desk, an hour or more after it learnt of the end, had taken in all deliveries.

``compromised_since`` refuses nothing by itself: it is shown as a warning (mirror.signature_state).
Left: a thief of a key that was rotated in the ordinary way, with a hub that helps, has until (6).
"""

from dataclasses import dataclass

from accord.desk.storage import Vault
from accord.kernel.directory.organisation import Ending
from accord.kernel.directory.state import DirectoryState
from accord.kernel.directory.transition import CLOCK_SKEW
from accord.kernel.encoding import b64encode
from accord.kernel.errors import VerificationFailed
from accord.kernel.identifiers import KeyId
from accord.kernel.keys import SignerKey

LATE = 30 * 86_400
"""Seconds after which a bundle under a key that has ended is no longer taken in."""

SETTLE = 3600
"""Seconds that a hub may take from judging a bundle to delivering it (formats 4: one hour)."""

_DRAINED = "drained"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """Up to which directory size all deliveries have been taken in.

    Attributes:
        settled: everything judged at this size or a smaller one has been delivered.
        size: size at the pull from which the next hour counts.
        since: unix seconds of that pull.
    """

    settled: int = 0
    size: int = 0
    since: int | None = None

    def again(self, size: int, now: int) -> "Drained":
        """Return the value after one more pull to the end, that began at ``size``."""
        if self.since is None:
            return Drained(size=size, since=now)
        if now < self.since + SETTLE:
            return self
        return Drained(settled=self.size, size=size, since=now)


def read_drained(vault: Vault) -> Drained:
    """Return what the vault remembers."""
    stored = vault.setting(_DRAINED)
    if stored is None:
        return Drained()
    settled, size, since = (int(part) for part in stored.split())
    return Drained(settled=settled, size=size, since=since)


def note_drained(vault: Vault, *, size: int, now: int) -> None:
    """Remember that all deliveries were taken in by a pull that began at directory ``size``."""
    before = read_drained(vault)
    after = before.again(size, now)
    if after != before:
        vault.put_setting(_DRAINED, f"{after.settled} {after.size} {after.since}".encode())


def bundle_signer(
    state: DirectoryState, kid: KeyId, *, size: int, created: int, now: int, drained: Drained
) -> SignerKey:
    """Return the key that signed a bundle, if it counts.

    Args:
        state: the directory as replayed here, just brought up to date.
        kid: the key's id.
        size: directory size that the header names.
        created: unix seconds that the header names.
        now: unix seconds.
        drained: what has been taken in.

    Raises:
        VerificationFailed: ``signer_withdrawn``, ``signer_ended``, ``signer_late``, or what
            ``DirectoryState.signer_at`` raises.
    """
    key = state.signer_at(kid, size, at=created)  # (1)
    ending = state.ending(kid)
    if ending is None:  # (2)
        return key
    _require_ordinary(kid, ending, at=created)  # (3) (4)
    if now - created > LATE or ending.index < drained.settled:  # (5) (6)
        raise VerificationFailed(
            "signer_late",
            "The key has ended, and what it signed should have come long before.",
            observed=f"created {created}, key ended {ending.time}",
            next_step="Ask the sender whether they sent it; if so, to send it again.",
        )
    return key


def statement_signer(state: DirectoryState, kid: KeyId, *, at: int) -> SignerKey:
    """Return the key that signed a statement, if it counted at the time ``at`` that it names.

    A statement names no directory size; a key that ended is judged at the last one it counted at.
    How late it comes is not looked at: the sender's desk may collect it when it likes.

    Raises:
        VerificationFailed: as ``bundle_signer``, without ``signer_late``.
    """
    ending = state.ending(kid)
    if ending is None:
        return state.signer_at(kid, at=at)
    key = state.signer_at(kid, ending.index, at=at)
    _require_ordinary(kid, ending, at=at)
    return key


def _require_ordinary(kid: KeyId, ending: Ending, *, at: int) -> None:
    if ending.withdrawn:
        raise VerificationFailed(
            "signer_withdrawn",
            "The signer was suspended, revoked or recovered since; the key may be a thief's.",
            observed=b64encode(kid),
            next_step="Ask the organisation, or the registrars, over a number that you know.",
        )
    if at > ending.time + CLOCK_SKEW:
        raise VerificationFailed(
            "signer_ended",
            "It was signed after its key had ended.",
            observed=f"{at}, key ended {ending.time}",
            next_step="Ask the sender to sign it with the key that it has now.",
        )
