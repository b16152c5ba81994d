"""From one organisation and one statement to the organisation after it, and its keys' records.

Pure arithmetic on frozen values. ``next_organisation`` says whether a statement may follow;
signatures are ``kernel.directory.authority``'s business.
"""

from collections.abc import Mapping
from dataclasses import replace

from accord.kernel.directory.organisation import (
    KeyRecord,
    KeyUse,
    Organisation,
    Span,
    Status,
)
from accord.kernel.directory.statements import Op, SignedStatement, Statement
from accord.kernel.errors import Conflict, Malformed, Refused, VerificationFailed
from accord.kernel.keys import request_key_id

RECOVERY_HOLD = 72 * 3600
"""Seconds between a recovery and the earliest resume, so that everybody can object."""

ROTATION_PAUSE = 3600
"""Seconds between two rotations: a thief who rotates again and again must leave time to suspend."""

CLOCK_SKEW = 300
"""Seconds by which two clocks may differ."""

FROM: Mapping[Op, frozenset[Status]] = {
    Op.ROTATE: frozenset({Status.ACTIVE}),
    Op.SUSPEND: frozenset({Status.ACTIVE}),
    Op.RESUME: frozenset({Status.SUSPENDED}),
    Op.REVOKE: frozenset({Status.ACTIVE, Status.SUSPENDED}),
    # Also from LEFT: a thief of the signing key must not be able to end an organisation for ever.
    Op.RECOVER: frozenset(Status),
    Op.LEAVE: frozenset({Status.ACTIVE}),
}
"""In which standing an organisation may be the subject of an operation."""

AFTER: Mapping[Op, Status] = {
    Op.ENROL: Status.ACTIVE,
    Op.ROTATE: Status.ACTIVE,
    Op.SUSPEND: Status.SUSPENDED,
    Op.RESUME: Status.ACTIVE,
    Op.REVOKE: Status.REVOKED,
    Op.RECOVER: Status.SUSPENDED,
    Op.LEAVE: Status.LEFT,
}
"""Standing after an operation."""


def next_organisation(
    held: Organisation | None, signed: SignedStatement, index: int
) -> Organisation:
    """Return the organisation after ``signed``, the leaf ``index`` of the log.

    Raises:
        Conflict: ``org_taken`` for a second enrolment, ``statement_stale`` when ``seq`` or ``prev``
            is not the next one.
        Refused: ``status_wrong``, ``rotation_too_soon``, ``hold_not_over``.
        VerificationFailed: ``org_not_enrolled``, ``time_backwards``, ``key_expired``.
    """
    statement = signed.statement
    if held is None:
        return _enrolled(signed, index)
    _check_chain(held, statement)
    require_standing(held, statement)
    recovering = statement.op is Op.RECOVER
    return replace(
        held,
        status=AFTER[statement.op],
        profile=statement.profile or held.profile,
        roles=held.roles if statement.roles is None else statement.roles,
        kem=statement.kem or held.kem,
        sig=statement.sig or held.sig,
        request_key=statement.request_key or held.request_key,
        recovery=statement.recovery or held.recovery,
        seq=statement.seq,
        digest=signed.digest,
        since=index,
        time=statement.not_before,
        rotated=statement.not_before if statement.op is Op.ROTATE else held.rotated,
        hold_until=statement.not_before + RECOVERY_HOLD if recovering else None,
    )


def following_statement(held: Organisation, op: Op, *, not_before: int) -> Statement:
    """Return the bare next statement about ``held``; add keys with ``dataclasses.replace``."""
    return Statement(org=held.org, seq=held.seq + 1, prev=held.digest, op=op, not_before=not_before)


def _enrolled(signed: SignedStatement, index: int) -> Organisation:
    statement = signed.statement
    if statement.op is not Op.ENROL:
        raise VerificationFailed(
            "org_not_enrolled", "This organisation was never enrolled.", observed=statement.org
        )
    if (
        statement.profile is None
        or statement.roles is None
        or statement.kem is None
        or statement.sig is None
        or statement.request_key is None
        or statement.recovery is None
    ):
        raise Malformed("op_field", "An enrolment carries a profile, roles and all keys.")
    return Organisation(
        org=statement.org,
        status=Status.ACTIVE,
        profile=statement.profile,
        roles=statement.roles,
        kem=statement.kem,
        sig=statement.sig,
        request_key=statement.request_key,
        recovery=statement.recovery,
        seq=statement.seq,
        digest=signed.digest,
        since=index,
        time=statement.not_before,
    )


def _check_chain(held: Organisation, statement: Statement) -> None:
    if statement.op is Op.ENROL:
        raise Conflict(
            "org_taken",
            "This organisation's id is taken for ever.",
            observed=statement.org,
            next_step="Enrol under another name; keys come back by 'recover'.",
        )
    if (statement.seq, statement.prev) != (held.seq + 1, held.digest):
        raise Conflict(
            "statement_stale",
            f"Statement {held.seq + 1}, naming the hash of the one before, is expected.",
            observed=f"{statement.org} statement {statement.seq}",
            next_step="Make the statement again from the present directory.",
        )


def require_standing(held: Organisation, statement: Statement) -> None:
    """Check that ``held`` may be the subject of ``statement`` at its time.

    Raises:
        Refused: ``status_wrong``, ``rotation_too_soon``, ``hold_not_over``.
        VerificationFailed: ``time_backwards``.
    """
    if held.status not in FROM[statement.op]:
        raise Refused(
            "status_wrong",
            f"'{statement.op}' is not for an organisation that is {held.status}.",
            observed=held.org,
        )
    if statement.not_before < held.time - CLOCK_SKEW:
        raise VerificationFailed(
            "time_backwards",
            "A statement is not older than the one before.",
            observed=f"{statement.not_before} after {held.time}",
        )
    if (
        statement.op is Op.ROTATE
        and held.rotated is not None
        and statement.not_before < held.rotated + ROTATION_PAUSE
    ):
        raise Refused(
            "rotation_too_soon",
            "An hour lies between two rotations.",
            observed=f"{statement.not_before - held.rotated} seconds",
            next_step="Wait, or let a registrar suspend the organisation.",
        )
    hold = held.hold_until
    if statement.op is Op.RESUME and hold is not None and statement.not_before < hold:
        raise Refused(
            "hold_not_over",
            "After a recovery an organisation stays suspended for 72 hours.",
            observed=f"{hold - statement.not_before} seconds left",
            next_step="Sign the resume statement when the time is over.",
        )


def new_keys(statement: Statement, index: int) -> tuple[KeyRecord, ...]:
    """Return the records of the keys that ``statement`` brings; spans start at once if active."""
    found = []
    if statement.kem is not None:
        found.append((statement.kem.kid, KeyUse.KEM, statement.kem.raw))
    if statement.sig is not None:
        found.append((statement.sig.kid, KeyUse.SIG, statement.sig.raw))
    if statement.request_key is not None:
        kid = request_key_id(statement.request_key)
        found.append((kid, KeyUse.REQUEST, statement.request_key))
    if statement.recovery is not None:
        found.append((statement.recovery.kid, KeyUse.RECOVERY, statement.recovery.raw))
    active = AFTER[statement.op] is Status.ACTIVE
    return tuple(
        KeyRecord(
            kid=kid,
            org=statement.org,
            use=use,
            public=public,
            not_before=statement.not_before,
            not_after=statement.not_after or statement.not_before,
            spans=(Span(start=index),) if active and use is not KeyUse.RECOVERY else (),
        )
        for kid, use, public in found
    )


def current_key_ids(organisation: Organisation) -> frozenset[bytes]:
    """Return the ids of the three keys with which an organisation acts."""
    return frozenset(
        {
            organisation.kem.kid,
            organisation.sig.kid,
            request_key_id(organisation.request_key),
        }
    )


def moved_key(record: KeyRecord, *, counts: bool, index: int, since: int | None) -> KeyRecord:
    """Return ``record`` after the leaf ``index``.

    Args:
        record: the key before.
        counts: whether it counts from this leaf on.
        index: the leaf.
        since: time of compromise that the statement tells of replaced keys, or ``None``.
    """
    spans = record.spans
    running = bool(spans) and spans[-1].end is None
    if running and not counts:
        spans = (*spans[:-1], replace(spans[-1], end=index))
    elif counts and not running:
        spans = (*spans, Span(start=index))
    marked = record.compromised_since
    if since is not None and not counts:
        marked = since if marked is None else min(marked, since)
    return replace(record, spans=spans, compromised_since=marked)
