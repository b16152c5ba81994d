"""Is the directory's entry of this organisation ours? Asked before anything is signed or sent.

A hub that swapped our key would have to show it in the witnessed log, where this desk sees it; a
thief who rotated our keys is seen here too. What the directory says of our standing is told in
words, because the hub itself answers strangers and suspended members alike.
"""

from accord.clock import moment
from accord.desk.keyring import Following, Keyring
from accord.kernel.directory.organisation import Organisation, Status
from accord.kernel.directory.state import DirectoryState
from accord.kernel.errors import AuthenticationNeeded, Refused, VerificationFailed
from accord.kernel.identifiers import OrgId

_NEXT = {
    Status.SUSPENDED: "Call a registrar: they resume it, or it recovers with its recovery key.",
    Status.REVOKED: "It comes back with its recovery key: accord keys recover.",
    Status.LEFT: "It has left. To come back: accord keys recover, or enrol under another name.",
}


def require_ours(state: DirectoryState, org: OrgId, keyring: Keyring) -> Organisation:
    """Return our entry when it holds exactly our keys and is active.

    Raises:
        AuthenticationNeeded: ``not_enrolled``.
        VerificationFailed: ``keys_not_ours``.
        Refused: ``standing_lost``: suspended, revoked or left.
    """
    held = state.find_organisation(org)
    if held is None:
        raise AuthenticationNeeded(
            "not_enrolled",
            "This desk is not enrolled at its hub yet.",
            observed=org,
            next_step="Run accord desk enrol; then the registrar approves it.",
        )
    if not holds(held, keyring):
        raise keys_not_ours(held)
    if held.status is not Status.ACTIVE:
        raise Refused(
            "standing_lost",
            f"This organisation is {held.status}.",
            observed=f"{org} since {moment(held.time)}",
            next_step=next_step(held),
        )
    return held


def holds(held: Organisation, keyring: Keyring | Following) -> bool:
    """Return whether ``held`` has exactly the keys with which ``keyring`` acts."""
    kem = keyring.kem[-1] if isinstance(keyring, Keyring) else keyring.kem
    ours = (keyring.signing.kid, kem.kid, keyring.request.public)
    return (held.sig.kid, held.kem.kid, held.request_key) == ours


def keys_not_ours(held: Organisation) -> VerificationFailed:
    """Return the error of a directory that holds other keys for us."""
    return VerificationFailed(
        "keys_not_ours",
        "The directory holds other keys for this organisation than this desk uses.",
        observed=f"{held.org} statement {held.seq} of {moment(held.time)}",
        next_step="If a change of keys was begun here: accord keys rotate finishes it. If one of "
        "you changed them elsewhere: restore its backup. If nobody of you did: call a registrar "
        "at once to suspend it, then accord keys recover.",
    )


def next_step(held: Organisation) -> str:
    """Return who acts next for an organisation that is not active."""
    if held.hold_until is not None:
        return (
            f"It was recovered: from {moment(held.hold_until)} on the registrars can resume it "
            "(72 hours, so that anybody can object)."
        )
    return _NEXT.get(held.status, "Nobody needs to act.")
