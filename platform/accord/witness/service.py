"""The witness's verbs: follow a log, cosign a checkpoint, show the last one.

Invariant: of each log it cosigns only trees that continue the one before, and what it cosigned is
on disk before the signature leaves. A clock that went back stops cosigning instead of lying.
"""

from collections.abc import Sequence

from accord.clock import Clock
from accord.kernel.errors import (
    Conflict,
    Malformed,
    NotFound,
    Refused,
    Unavailable,
    VerificationFailed,
)
from accord.kernel.tlog.checkpoint import (
    Checkpoint,
    add_cosignatures,
    verify_checkpoint,
    verify_log_signatures,
)
from accord.kernel.tlog.merkle import EMPTY_ROOT, verify_consistency
from accord.kernel.tlog.notes import SignedNote, Verifier, WitnessKeyPair, parse_note, parse_vkey
from accord.kernel.tlog.submission import Submission, parse_submission
from accord.kernel.tlog.treehead import check_name
from accord.kernel.tlog.verifiers import COSIGNATURE_MLDSA44, ED25519
from accord.witness.storage import Head, Identity, Transaction, WitnessDatabase, WitnessedLog

MAX_VKEYS = 8
"""Most keys of one log."""


class StaleSize(Conflict):
    """The log's idea of the last cosigned size is wrong; ``size`` is the right one."""

    def __init__(self, size: int, *, observed: int) -> None:
        """Keep the size that the log must prove from."""
        super().__init__(
            "witness_size_differs",
            "The proof does not start at the size last cosigned.",
            observed=f"old {observed}, last {size}",
        )
        self.size = size


class LogBook:
    """Which logs a witness follows; needs no private key."""

    def __init__(self, database: WitnessDatabase, clock: Clock) -> None:
        """Use an open database."""
        self._database = database
        self._clock = clock

    def logs(self) -> list[WitnessedLog]:
        """Return the logs that this witness follows."""
        with self._database.transaction() as transaction:
            return transaction.logs()

    def follow(self, origin: str, vkeys: Sequence[str], *, pin: bytes | None = None) -> bool:
        """Follow a log from now on.

        Args:
            origin: the log's origin.
            vkeys: its keys; each checkpoint must be signed by all of them.
            pin: a checkpoint of the running log to start from; without it the first one that
                the log submits is believed.

        Returns:
            ``False`` when the log was already followed with these keys.

        Raises:
            Malformed: ``log_keys_invalid`` or the code of a vkey that is wrong.
            Conflict: ``log_keys_differ`` or ``log_pinned_late``.
            VerificationFailed: the pinned checkpoint does not hold.
        """
        verifiers = _log_verifiers(origin, vkeys)
        log = WitnessedLog(
            origin=origin, vkeys=tuple(sorted(verifier.vkey for verifier in verifiers))
        )
        pinned = None
        if pin is not None:
            pinned = verify_checkpoint(pin, origin=origin, log_vkeys=log.vkeys)
        with self._database.transaction() as transaction:
            added = transaction.add_log(log, now=self._clock())
            if pinned is not None and pin is not None:
                if transaction.head(origin) is not None:
                    raise Conflict(
                        "log_pinned_late", "This log has a cosigned checkpoint.", observed=origin
                    )
                head = Head(size=pinned.size, root=pinned.root, note=pin, time=0)
                transaction.set_head(origin, head)
        return added

    def head(self, origin: str) -> Head | None:
        """Return the largest tree of ``origin`` that was cosigned or pinned, if any."""
        with self._database.transaction() as transaction:
            return transaction.head(origin)

    def evidence(self, origin: str) -> list[Head]:
        """Return log-signed checkpoints that contradict what was cosigned: proof of a fork."""
        with self._database.transaction() as transaction:
            return transaction.evidence(origin)


class Witness:
    """A witness at work."""

    def __init__(self, database: WitnessDatabase, keys: WitnessKeyPair, clock: Clock) -> None:
        """Use an open database.

        Raises:
            Refused: ``witness_state_other`` when it belongs to other keys.
        """
        if database.identity != Identity(name=keys.name, vkeys=keys.vkeys):
            raise Refused(
                "witness_state_other",
                "The state file belongs to other keys.",
                observed=database.identity.name,
                next_step="Use the home directory that 'accord witness init' made.",
            )
        self._database = database
        self._keys = keys
        self._clock = clock

    @property
    def name(self) -> str:
        """The name of the witness's keys."""
        return self._keys.name

    @property
    def vkeys(self) -> tuple[str, str]:
        """The witness's public keys: 0x04, 0x06."""
        return self._keys.vkeys

    @property
    def book(self) -> LogBook:
        """The logs that this witness follows."""
        return LogBook(self._database, self._clock)

    def add_checkpoint(self, body: bytes) -> bytes:
        """Cosign a checkpoint (C2SP tlog-witness).

        1. The request is well-formed and ``old`` is not above the new size.
        2. The log is known.
        3. Every key of the log signed, and no line of them is wrong.
        4. ``old`` is the size last cosigned.
        5. The new tree continues the old one (``_check_continues``).
        6. The clock has not gone back since the last cosignature.
        7. The new head is durable before the answer leaves.

        Returns:
            The cosignature lines.

        Raises:
            Malformed: step 1.
            NotFound: ``log_unknown``, step 2.
            Refused: ``log_signature_refused``, step 3.
            StaleSize: step 4.
            VerificationFailed: step 5.
            Unavailable: ``clock_went_back`` or ``witness_storage_failed``.
        """
        submission = parse_submission(body)
        checkpoint = submission.checkpoint
        # A log's keys never change, so its signatures are verified before the writer is taken.
        log = self._log(checkpoint.origin)
        note = _require_log_signatures(submission.note, log)
        with self._database.transaction() as transaction:
            head = transaction.head(log.origin)
            last = head.size if head else 0
            if submission.old != last:
                raise StaleSize(last, observed=submission.old)
            now = self._clock()
            contradiction = _contradiction(submission, head)
            if contradiction is None:
                _check_continues(submission, head)
                return self._cosign(transaction, checkpoint, note, head, now=now)
            # Kept, then refused: the rejected request must survive this transaction.
            transaction.add_evidence(
                log.origin,
                Head(size=checkpoint.size, root=checkpoint.root, note=note, time=now),
            )
        raise contradiction

    def _log(self, origin: str) -> WitnessedLog:
        with self._database.transaction() as transaction:
            log = transaction.log(origin)
        if log is None:
            raise NotFound("log_unknown", "This witness does not follow that log.", observed=origin)
        return log

    def _cosign(
        self,
        transaction: Transaction,
        checkpoint: Checkpoint,
        note: bytes,
        head: Head | None,
        *,
        now: int,
    ) -> bytes:
        if head is not None and now < head.time:
            raise Unavailable(
                "clock_went_back",
                "The witness's clock is behind its last cosignature.",
                retry_after=60,
                observed=f"{now} < {head.time}",
            )
        lines = self._keys.cosign(checkpoint, now)
        transaction.set_head(
            checkpoint.origin,
            Head(
                size=checkpoint.size,
                root=checkpoint.root,
                note=add_cosignatures(note, lines),
                time=now,
            ),
        )
        return lines

    def last_checkpoint(self, origin_sha256: str) -> bytes:
        """Return the last cosigned checkpoint of the log whose origin has this SHA-256 (hex).

        Raises:
            NotFound: ``log_unknown``.
        """
        with self._database.transaction() as transaction:
            for log in transaction.logs():
                if log.origin_sha256 == origin_sha256:
                    head = transaction.head(log.origin)
                    if head is not None and head.time:
                        return head.note
        raise NotFound("log_unknown", "This witness has cosigned no such log.")


def _log_verifiers(origin: str, vkeys: Sequence[str]) -> list[Verifier]:
    check_name(origin)
    verifiers = [parse_vkey(vkey) for vkey in vkeys]
    if (
        not 1 <= len(verifiers) <= MAX_VKEYS
        or len({verifier.key for verifier in verifiers}) != len(verifiers)
        or any(verifier.algorithm not in {ED25519, COSIGNATURE_MLDSA44} for verifier in verifiers)
        or any(verifier.name != origin for verifier in verifiers)
    ):
        raise Malformed(
            "log_keys_invalid",
            f"A log has 1 to {MAX_VKEYS} different keys of algorithm 1 or 6, named as its origin.",
            observed=", ".join(f"{item.name}: {item.algorithm:#04x}" for item in verifiers)
            or "none",
        )
    return verifiers


def _require_log_signatures(data: bytes, log: WitnessedLog) -> bytes:
    """Return the note with the log's own lines alone; other lines are not ours to vouch for."""
    note = parse_note(data)
    verifiers = [parse_vkey(vkey) for vkey in log.vkeys]
    try:
        verify_log_signatures(note, verifiers)
    except VerificationFailed as error:
        raise Refused(
            "log_signature_refused",
            "The checkpoint is not signed by every key of its log.",
            observed=error.code,
        ) from error
    return _only(note, verifiers)


def _only(note: SignedNote, verifiers: Sequence[Verifier]) -> bytes:
    known = {(verifier.name, verifier.key_id) for verifier in verifiers}
    lines = [line.line() for line in note.signatures if (line.name, line.key_id) in known]
    return note.body + b"\n" + b"".join(lines)


def _contradiction(submission: Submission, head: Head | None) -> VerificationFailed | None:
    """Return the error when the log signed another tree of the size that was cosigned."""
    checkpoint = submission.checkpoint
    if head is None or checkpoint.size != head.size or checkpoint.root == head.root:
        return None
    return VerificationFailed(
        "log_forked",
        "The log signed two different trees of one size.",
        observed=f"{checkpoint.origin}, size {checkpoint.size}",
    )


def _check_continues(submission: Submission, head: Head | None) -> None:
    checkpoint = submission.checkpoint
    if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
        raise VerificationFailed("checkpoint_root_wrong", "An empty tree has one root only.")
    if submission.old == 0:
        if submission.path:
            raise VerificationFailed(
                "consistency_wrong",
                "From size 0 there is nothing to prove.",
                observed=f"{len(submission.path)} hashes",
            )
        return
    verify_consistency(
        old_size=submission.old,
        new_size=checkpoint.size,
        old_root=head.root if head else EMPTY_ROOT,
        new_root=checkpoint.root,
        path=submission.path,
    )
