"""The recall ledger: for each recall sent from here, who has applied it, who has not, who is late.

A recipient counts as confirmed by its own signed word ``recall-applied`` alone: that it received or
opened the retraction is not enough. What a hub holds back stays pending, and past the deadline
overdue; what it invents is refused before it comes here (``confirmations.collect``).
"""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from accord.desk.exchange.confirmations import Confirmation, Standing, confirmations
from accord.desk.exchange.receipts import Pause
from accord.desk.storage import MarkState, Vault
from accord.desk.storage.bundles import WHOLE
from accord.kernel.identifiers import BundleId, OrgId

LOOK_SECONDS = 0.25
"""Pause between two looks for acknowledgements while somebody waits."""

Ask = Callable[[], object]
"""Fetches new acknowledgements."""

_RECALLS = (
    "SELECT by_id, id, code, deadline, max(at), count(*), min(record) FROM marks"
    " WHERE org = ?1 AND by_org = ?1 AND state = ?2 AND (?3 IS NULL OR id = ?3)"
    " AND (?4 IS NULL OR by_id = ?4) GROUP BY by_id, id, code, deadline"
    " ORDER BY max(at) DESC, by_id DESC LIMIT ?5"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """One recall: retraction ``id`` of ``original``; ``records`` is how many, 0 for all of it."""

    id: BundleId
    original: BundleId
    reason: str
    deadline: int
    sent: int
    records: int
    recipients: tuple[Confirmation, ...]

    def count(self, *standings: Standing) -> int:
        """Return how many recipients stand so."""
        return sum(1 for one in self.recipients if one.standing in standings)

    @property
    def done(self) -> bool:
        """Whether everyone has confirmed."""
        return self.count(Standing.CONFIRMED) == len(self.recipients)


def recalls(
    vault: Vault,
    org: OrgId,
    *,
    now: int,
    original: BundleId | None = None,
    retraction: BundleId | None = None,
    limit: int = 1000,
) -> Sequence[Recall]:
    """Return the recalls that ``org``, this desk's organisation, has sent, the latest first."""
    rows = vault.connection.execute(
        _RECALLS, (org, MarkState.RETRACTED.value, original, retraction, limit)
    ).fetchall()
    return [_recall(vault, row, now) for row in rows]


def wait_for_all(
    vault: Vault, org: OrgId, retraction: BundleId, *, ask: Ask, pause: Pause, seconds: int
) -> None:
    """Ask for acknowledgements until everyone has confirmed, ``seconds`` are over, or told to stop.

    Raises:
        Unavailable: the hub cannot be reached; the recall stands all the same.
    """
    for _ in range(max(1, round(seconds / LOOK_SECONDS))):
        ask()
        if all(one.done for one in recalls(vault, org, now=0, retraction=retraction)):
            return
        if pause(LOOK_SECONDS):
            return


def _recall(vault: Vault, row: sqlite3.Row, now: int) -> Recall:
    retraction, deadline = BundleId(row[0]), int(row[3])
    return Recall(
        id=retraction,
        original=BundleId(row[1]),
        reason=row[2],
        deadline=deadline,
        sent=row[4],
        records=0 if row[6] == WHOLE else row[5],
        recipients=tuple(confirmations(vault, retraction, now=now, deadline=deadline)),
    )
