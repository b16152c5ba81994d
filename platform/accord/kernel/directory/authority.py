"""Who must sign which statement (formats 4). The only place with these rules.

Each operation has alternatives; one of them must be met in full. Every signature must be by
somebody who has a say in the operation, must hold, and stands in this order: the new key, the
organisation's key, its recovery key, registrars. Nothing else about a statement is judged here.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from accord.kernel import dsse
from accord.kernel.directory.organisation import Organisation
from accord.kernel.directory.rootfile import RootFile
from accord.kernel.directory.statements import (
    STATEMENT_CONTEXT,
    Op,
    SignedStatement,
    Statement,
    parse_statement,
)
from accord.kernel.encoding import b64encode
from accord.kernel.errors import Malformed, VerificationFailed
from accord.kernel.identifiers import KeyId, org_hub
from accord.kernel.keys import SigningPublicKey


class Signer(IntEnum):
    """In what capacity somebody signs; the order is that of the signatures."""

    NEW = 0
    CURRENT = 1
    RECOVERY = 2
    REGISTRAR = 3


Need = Mapping[Signer, int]
"""How many signers of each capacity are needed."""


def needs_of(statement: Statement, threshold: int) -> tuple[Need, ...]:
    """Return the alternatives of which one must be met; ``threshold`` is the registrars'."""
    match statement.op:
        case Op.ENROL:
            return ({Signer.NEW: 1, Signer.REGISTRAR: threshold},)
        case Op.ROTATE if statement.sig is None:
            return ({Signer.CURRENT: 1},)
        case Op.ROTATE:
            return ({Signer.NEW: 1, Signer.CURRENT: 1},)
        case Op.SUSPEND:
            return ({Signer.REGISTRAR: 1},)
        case Op.RESUME:
            return ({Signer.REGISTRAR: threshold},)
        case Op.REVOKE:
            return ({Signer.CURRENT: 1}, {Signer.RECOVERY: 1}, {Signer.REGISTRAR: threshold})
        case Op.RECOVER:
            return ({Signer.NEW: 1, Signer.RECOVERY: 1, Signer.REGISTRAR: threshold},)
        case Op.LEAVE:
            return ({Signer.CURRENT: 1},)
        case _:  # peer: nobody has a say in it yet
            raise Malformed("op_reserved", "Peering statements are not accepted yet.")


def _candidates(
    statement: Statement, held: Organisation | None, root: RootFile
) -> dict[KeyId, tuple[Signer, SigningPublicKey]]:
    found = {kid: (Signer.REGISTRAR, key) for kid, key in root.registrar_keys.items()}
    if held is not None:
        found[held.recovery.kid] = (Signer.RECOVERY, held.recovery)
        found[held.sig.kid] = (Signer.CURRENT, held.sig)
    if statement.sig is not None:
        found[statement.sig.kid] = (Signer.NEW, statement.sig)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """A statement whose signatures so far hold.

    Attributes:
        signers: key ids of those who signed, in order.
        registrars: how many registrars are among them.
        missing: how many more registrars must sign; 0 when it is complete.
    """

    signers: tuple[KeyId, ...]
    registrars: int
    missing: int


def weigh_authority(
    signed: SignedStatement, held: Organisation | None, root: RootFile, *, threshold: int
) -> Weighed:
    """Verify the signatures of ``signed`` and count the registrars that it still lacks.

    (1) Each signer has a say in this operation. (2) They stand in order. (3) Every signature
    holds. (4) Everybody but registrars whom an alternative of ``needs_of`` asks for has signed.

    Args:
        signed: a parsed statement.
        held: the organisation before it, ``None`` for an enrolment.
        root: the root file in force.
        threshold: how many registrars decide: the root file's number, or more by the charter.

    Raises:
        VerificationFailed: ``signer_not_entitled``, ``signer_order``, ``signature_wrong``,
            ``threshold_missed``.
    """
    statement = signed.statement
    needs = needs_of(statement, threshold)
    allowed = {capacity for need in needs for capacity in need}
    candidates = _candidates(statement, held, root)
    order = []
    for pair in signed.envelope.signatures:
        if pair.kid not in candidates or candidates[pair.kid][0] not in allowed:  # (1)
            raise VerificationFailed(
                "signer_not_entitled",
                f"Somebody signed who has no say in '{statement.op}'.",
                observed=b64encode(pair.kid),
            )
        order.append(candidates[pair.kid][0])
    if sorted(order) != order:  # (2)
        raise VerificationFailed(
            "signer_order",
            "Signatures stand in the order: new key, organisation, recovery key, registrars.",
        )
    kids = dsse.verify(  # (3)
        signed.envelope, lambda kid: candidates[kid][1], context=STATEMENT_CONTEXT
    )
    have = Counter(order)
    missing = [
        max(0, need.get(Signer.REGISTRAR, 0) - have[Signer.REGISTRAR])
        for need in needs
        if all(have[who] >= count for who, count in need.items() if who is not Signer.REGISTRAR)
    ]
    if not missing:  # (4)
        raise _threshold_missed(statement, have, needs)
    return Weighed(signers=kids, registrars=have[Signer.REGISTRAR], missing=min(missing))


def verify_authority(
    signed: SignedStatement,
    held: Organisation | None,
    root: RootFile,
    *,
    threshold: int | None = None,
) -> tuple[KeyId, ...]:
    """Verify that all who must sign ``signed`` did; return the signers' key ids.

    Args:
        signed: a parsed statement.
        held: the organisation before it, ``None`` for an enrolment.
        root: the root file in force.
        threshold: as for ``weigh_authority``; the root file's number when absent.

    Raises:
        VerificationFailed: as ``weigh_authority``; ``threshold_missed`` also for registrars.
    """
    needed = root.threshold if threshold is None else threshold
    weighed = weigh_authority(signed, held, root, threshold=needed)
    if weighed.missing:
        have = Counter({Signer.REGISTRAR: weighed.registrars})
        raise _threshold_missed(signed.statement, have, needs_of(signed.statement, needed))
    return weighed.signers


def _threshold_missed(
    statement: Statement, have: Counter[Signer], needs: tuple[Need, ...]
) -> VerificationFailed:
    return VerificationFailed(
        "threshold_missed",
        f"Too few have signed '{statement.op}'.",
        observed=_counted(have),
        next_step="Needed: " + " or ".join(_counted(need) for need in needs) + ".",
    )


def _counted(need: Need) -> str:
    return " + ".join(f"{count} {who.name.lower()}" for who, count in sorted(need.items()))


def verify_enrolment_request(data: bytes, *, hub: str) -> SignedStatement:
    """Verify an enrolment before registrars signed it: form, hub, and its own key's signature.

    For the hub when a desk hands it in, and for a registrar before signing. It gives no standing.

    Raises:
        Malformed: as ``parse_statement``.
        VerificationFailed: ``statement_not_enrolment``, ``hub_wrong``, ``signature_wrong``.
    """
    signed = parse_statement(data)
    statement, own = signed.statement, signed.statement.sig
    first = signed.envelope.signatures[0]
    if statement.op is not Op.ENROL or own is None or first.kid != own.kid:
        raise VerificationFailed(
            "statement_not_enrolment",
            "An enrolment, signed first by its own new key, is expected.",
            observed=statement.op,
        )
    if org_hub(statement.org) != hub:
        raise VerificationFailed(
            "hub_wrong", f"This enrolment is not for {hub}.", observed=statement.org
        )
    dsse.verify_threshold(signed.envelope, {own.kid: own}, threshold=1, context=STATEMENT_CONTEXT)
    return signed
