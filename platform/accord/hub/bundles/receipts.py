"""Receipts and proofs of erasure: tlog-proofs from a checkpoint with its quorum, nothing less.

Before a quorum there is no receipt, only "stored". The openings of the accept event that concern
the sender travel with it as extra data; the person field never does.
"""

import threading
import time

from sqlalchemy import Connection, Engine, exists, or_, select

from accord.hub.access import Action, Actor, require
from accord.hub.audit import Reader, opened_for, read_event
from accord.hub.bundles.tables import BundleRow, EntryRow
from accord.hub.transparency import LogName, LogReader, WitnessRound
from accord.kernel.errors import NotFound, Unavailable
from accord.kernel.identifiers import BundleId, OrgId
from accord.kernel.tlog.leaf import format_record
from accord.kernel.tlog.proof import format_proof

LOOK_SECONDS = 1.0
"""Longest time until a quorum that another process collected is noticed."""


class Receipts:
    """Makes receipts for senders."""

    def __init__(
        self, *, engine: Engine, reader: LogReader, rounds: WitnessRound, waiters: int
    ) -> None:
        """Read rows through ``engine`` and the log through ``reader``; wait on ``rounds``.

        At most ``waiters`` requests wait at once: when the witnesses are down, the others of the
        hub's threads still serve.
        """
        self._engine = engine
        self._reader = reader
        self._rounds = rounds
        self._places = threading.BoundedSemaphore(max(1, waiters))

    def receipt(self, actor: Actor | None, bundle_id: BundleId, *, wait: float) -> bytes:
        """Return the receipt of the actor's bundle, waiting up to ``wait`` seconds for a quorum.

        Raises:
            NotFound: ``not_found`` when the actor's organisation sent no such bundle.
            Unavailable: ``receipt_pending``: stored, but no quorum covers it yet, or too many
                requests wait here already.
        """
        org = require(actor, Action.RECEIPT_READ).org
        with self._engine.connect() as connection:
            number = connection.scalar(
                select(BundleRow.audit_number).where(
                    BundleRow.org == org, BundleRow.bundle_id == bundle_id
                )
            )
            if number is None:
                raise NotFound("not_found", "There is nothing here for you.")
            extra = _openings(connection, number, org)
        return self._proof(number, extra, wait=wait)

    def erasure(
        self, actor: Actor | None, bundle_id: BundleId, sender: OrgId | None, *, wait: float
    ) -> bytes:
        """Return the proof that a bundle's sealed bytes were deleted, to whoever was party to it.

        Args:
            actor: the sender's desk or a recipient's.
            bundle_id: the bundle.
            sender: tells two senders' bundles of one id apart.
            wait: seconds to wait for a quorum.

        Raises:
            NotFound: ``not_found`` for others; ``erasure_missing`` while the hub holds the bytes.
            Unavailable: ``receipt_pending``, as ``receipt``.
        """
        org = require(actor, Action.RECEIPT_READ).org
        received = exists().where(EntryRow.bundle == BundleRow.number, EntryRow.org == org)
        condition = [BundleRow.bundle_id == bundle_id, or_(BundleRow.org == org, received)]
        if sender is not None:
            condition.append(BundleRow.org == sender)
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(BundleRow.erased_number, BundleRow.expires).where(*condition).limit(2)
            ).all()
            if len(rows) != 1:
                raise NotFound("not_found", "There is nothing here for you.")
            [row] = rows
            if row.erased_number is None:
                raise NotFound(
                    "erasure_missing",
                    "The hub still holds the sealed bytes of this bundle.",
                    observed=f"until {row.expires}",
                    next_step="Ask again after that time.",
                )
            extra = _openings(connection, row.erased_number, org)
        return self._proof(row.erased_number, extra, wait=wait)

    def _proof(self, number: int, extra: bytes, *, wait: float) -> bytes:
        covered = self._covers(number) or (wait > 0 and self._wait(number, wait))
        head = self._reader.cosigned(LogName.AUDIT)
        if not covered or head is None:
            raise Unavailable(
                "receipt_pending",
                "The bundle is stored; the witnesses have not cosigned it yet.",
                retry_after=1,
                next_step="Ask again; the bundle is safe.",
            )
        path = self._reader.inclusion_proof(LogName.AUDIT, number, head.size)
        return format_proof(number, path, head.note, extra=extra)

    def _wait(self, number: int, wait: float) -> bool:
        if not self._places.acquire(blocking=False):
            return False
        try:
            end = time.monotonic() + wait
            with self._rounds.cosigned:
                while not self._covers(number):
                    left = end - time.monotonic()
                    if left <= 0:
                        return False
                    self._rounds.cosigned.wait(min(LOOK_SECONDS, left))
            return True
        finally:
            self._places.release()

    def _covers(self, number: int) -> bool:
        head = self._reader.cosigned(LogName.AUDIT)
        return head is not None and head.size > number


def _openings(connection: Connection, number: int, org: OrgId) -> bytes:
    own = opened_for(Reader(org=org), read_event(connection, number))
    return b"" if own is None else format_record(own)
