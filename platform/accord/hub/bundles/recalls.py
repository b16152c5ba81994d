"""How fast recalls are confirmed: counts over the last weeks, from the recipients' signed words.

A recall counts once for each recipient; it is confirmed when that recipient signed that it was
applied. Nothing of what was recalled is looked at.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, select

from accord.hub.bundles.tables import AcknowledgementRow, BundleRow, EntryRow
from accord.kernel import dsse
from accord.kernel.markings import BundleKind
from accord.kernel.statements.acknowledgement import (
    ACKNOWLEDGEMENT_TYPE,
    MAX_ACKNOWLEDGEMENT,
    Outcome,
    parse_acknowledgement,
)

MOST_RECALLS = 200
"""The newest recalls that are looked at."""

MOST_WORDS = 5_000
"""Acknowledgements that are read at most; the newest, one sender's after another's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalls:
    """Recalls since some moment.

    Attributes:
        sent: retractions that were accepted, at most ``MOST_RECALLS``.
        recipients: to how many recipients they went, each recall counted.
        confirmed: how many of these have signed that it is applied.
        median: seconds from acceptance to the recipient's word, ``None`` when there is none.
    """

    sent: int
    recipients: int
    confirmed: int
    median: int | None


def recent_recalls(connection: Connection, since: int) -> Recalls:
    """Return the figures of recalls that were accepted at ``since`` (unix seconds) or later."""
    rows = connection.execute(
        select(BundleRow.number, BundleRow.org, BundleRow.bundle_id, BundleRow.accepted)
        .where(BundleRow.kind == BundleKind.RETRACTION.value, BundleRow.accepted >= since)
        .order_by(BundleRow.accepted.desc())
        .limit(MOST_RECALLS)
    ).all()
    due = {
        (row.org, row.bundle_id, org): row.accepted
        for row in rows
        for org in connection.scalars(select(EntryRow.org).where(EntryRow.bundle == row.number))
    }
    taken: dict[tuple[str, str, str], int] = {}
    for sender in sorted({row.org for row in rows}):
        for recipient, bundle, at in _words(connection, sender, since):
            key = (sender, bundle, recipient)
            if key in due:
                taken[key] = min(at, taken.get(key, at))
    waits = sorted(max(0, at - due[key]) for key, at in taken.items())
    return Recalls(
        sent=len(rows),
        recipients=len(due),
        confirmed=len(taken),
        median=waits[len(waits) // 2] if waits else None,
    )


def _words(connection: Connection, sender: str, since: int) -> Iterator[tuple[str, str, int]]:
    """Yield who applied which of ``sender``'s recalls and when the hub heard of it.

    The statements were verified when they came.
    """
    heard = connection.execute(
        select(AcknowledgementRow.recipient, AcknowledgementRow.at, AcknowledgementRow.statement)
        .where(AcknowledgementRow.sender == sender, AcknowledgementRow.at >= since)
        .order_by(AcknowledgementRow.seq.desc())
        .limit(MOST_WORDS)
    )
    for row in heard:
        envelope = dsse.parse(
            row.statement, payload_type=ACKNOWLEDGEMENT_TYPE, limit=MAX_ACKNOWLEDGEMENT
        )
        for item in parse_acknowledgement(envelope.payload).items:
            if item.state is Outcome.RECALL_APPLIED:
                yield row.recipient, item.bundle, row.at
