"""Signed acknowledgements: taken from recipients, checked, logged, and handed on to senders.

The hub forwards the recipient's own bytes; it can hold them back but not invent them. A statement
names bundles of one sender, so that no sender learns of another's.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, bindparam, exists, insert, select

from accord.hub.access import Action, Actor, require
from accord.hub.audit import Event, EventClass, Recorder
from accord.hub.bundles.ledger import note_applied
from accord.hub.bundles.tables import AcknowledgementRow, BundleRow, EntryRow
from accord.hub.directory import Directory
from accord.hub.storage import Writer
from accord.kernel.errors import NotFound, Refused
from accord.kernel.identifiers import OrgId
from accord.kernel.statements.acknowledgement import (
    Acknowledgement,
    Outcome,
    verify_acknowledgement,
)

MAX_PAGE_BYTES = 2 * 1024 * 1024
"""Statements of one page together, unless one alone is longer: desks read at most 4 MiB."""


# By the bundle's id first: a join may walk over all that the recipient ever got, and this runs for
# each item under the write lock.
_SENDER = select(BundleRow.org).where(
    BundleRow.bundle_id == bindparam("bundle_id"),
    BundleRow.manifest == bindparam("manifest"),
    exists().where(EntryRow.bundle == BundleRow.number, EntryRow.org == bindparam("recipient")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarded:
    """An acknowledgement for a sender: ``statement`` is the recipient's DSSE, as it came."""

    seq: int
    recipient: OrgId
    at: int
    statement: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardedPage:
    """Acknowledgements in their order; ``more`` says that others follow."""

    items: Sequence[Forwarded]
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """An acknowledgement of ``count`` bundles was stored; ``index`` in the audit log."""

    count: int
    index: int


class Acknowledgements:
    """Takes and hands on acknowledgements."""

    def __init__(
        self, *, engine: Engine, writer: Writer, recorder: Recorder, directory: Directory
    ) -> None:
        """Work with the rooms that are handed down."""
        self._engine = engine
        self._writer = writer
        self._recorder = recorder
        self._directory = directory

    def take(self, actor: Actor | None, statement: bytes, *, now: int) -> Taken:
        """Check and store an acknowledgement; the same bytes again get the same answer.

        Raises:
            Refused: ``acknowledger_other`` when it is signed for another organisation;
                ``acknowledgement_mixed`` when it names bundles of more than one sender.
            NotFound: ``not_found`` when it names a bundle that did not go to the signer.
        """
        actor = require(actor, Action.ACKNOWLEDGEMENT_WRITE)
        state = self._directory.state()
        said = verify_acknowledgement(statement, lambda kid: state.signer_at(kid, at=now))
        if said.org != actor.org:
            raise Refused(
                "acknowledger_other", "It speaks for another organisation.", observed=said.org
            )

        digest = hashlib.sha256(statement).digest()

        def act(connection: Connection) -> Taken:
            known = connection.scalar(
                select(AcknowledgementRow.number)
                .where(
                    AcknowledgementRow.recipient == actor.org, AcknowledgementRow.digest == digest
                )
                .limit(1)
            )
            if known is not None:
                return Taken(count=len(said.items), index=known)
            sender = self._sender(connection, actor.org, said)
            index = self._recorder.record(
                connection,
                Event(
                    what=EventClass.BUNDLE_ACKNOWLEDGED,
                    org=actor.org,
                    subject=said.items[0].bundle,
                    detail=f"n={len(said.items)} sender={sender}",
                    concerns=(actor.org, sender),
                ),
                now=now,
            )
            connection.execute(
                insert(AcknowledgementRow).values(
                    sender=sender,
                    recipient=actor.org,
                    at=now,
                    number=index,
                    digest=digest,
                    statement=statement,
                )
            )
            for item in said.items:
                if item.state is Outcome.RECALL_APPLIED:
                    note_applied(
                        connection, self._recorder, actor.org, sender, item.bundle, now=now
                    )
            return Taken(count=len(said.items), index=index)

        return self._writer.run(act)

    def _sender(self, connection: Connection, org: OrgId, said: Acknowledgement) -> OrgId:
        """Return whose bundles are named: one sender's only, as the statement goes there whole."""
        senders: set[str] = set()
        for item in said.items:
            sender = connection.scalar(
                _SENDER, {"bundle_id": item.bundle, "manifest": item.manifest, "recipient": org}
            )
            if sender is None:
                raise NotFound("not_found", "There is nothing here for you.")
            senders.add(sender)
        if len(senders) > 1:
            raise Refused(
                "acknowledgement_mixed",
                "An acknowledgement names bundles of one sender only.",
                observed=f"{len(senders)} senders",
                next_step="Sign one acknowledgement for each sender.",
            )
        return OrgId(senders.pop())

    def page(self, actor: Actor | None, *, after: int, limit: int) -> ForwardedPage:
        """Return at most ``limit`` acknowledgements of the actor's own bundles after ``after``."""
        actor = require(actor, Action.ACKNOWLEDGEMENT_READ)
        limit = max(limit, 1)
        items: list[Forwarded] = []
        size = 0
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(AcknowledgementRow.__table__)
                .where(AcknowledgementRow.sender == actor.org, AcknowledgementRow.seq > after)
                .order_by(AcknowledgementRow.seq)
                .limit(limit + 1)
            )
            for row in rows:
                size += len(row.statement)
                if len(items) == limit or (items and size > MAX_PAGE_BYTES):
                    return ForwardedPage(items=items, more=True)
                items.append(
                    Forwarded(
                        seq=row.seq,
                        recipient=OrgId(row.recipient),
                        at=row.at,
                        statement=row.statement,
                    )
                )
        return ForwardedPage(items=items, more=False)
