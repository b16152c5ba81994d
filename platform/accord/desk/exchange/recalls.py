"""Recalls: who has applied ours, who has not, who is late; who took from here what others recall.

A recipient counts as confirmed by its own signed word ``recall-applied`` alone: that it received or
opened the retraction is not enough. What a hub holds back stays pending, and past the deadline
overdue; what it invents is refused before it comes here (``confirmations.collect``).
"""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from accord.desk.exchange.confirmations import Confirmation, Standing, confirmations
from accord.desk.exchange.receipts import Pause
from accord.desk.storage import MarkState, StoredBundle, Vault, Way
from accord.desk.storage.bundles import WHOLE, find_bundle, has_bundle
from accord.desk.storage.exports import ExportEntry, who_took
from accord.kernel.identifiers import BundleId, OrgId
from accord.kernel.markings import BundleKind

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


_ARRIVED = (
    "SELECT org, id, by_id, code, note, deadline, max(at), group_concat(record) FROM marks"
    " WHERE org <> ?1 AND by_org = org AND state = ?2 AND (?3 IS NULL OR (org = ?3 AND id = ?4))"
    " AND (?5 IS NULL OR by_id = ?5) GROUP BY org, id, by_id, code, note, deadline"
    " ORDER BY max(at) DESC, by_id DESC LIMIT ?6"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallHere:
    """A recall that arrived: ``org`` took back ``records`` of ``original``, or all of it.

    Attributes:
        sent: when its sender made it.
        here: whether the bundle that it names has arrived.
        exports: those of this desk that hold what it takes back, the oldest first.
    """

    id: BundleId
    org: OrgId
    original: BundleId
    reason: str
    note: str | None
    deadline: int | None
    sent: int
    records: tuple[int, ...]
    here: bool
    exports: tuple[ExportEntry, ...]

    @property
    def files(self) -> tuple[ExportEntry, ...]:
        """The exports that somebody took away: a feed tells its tools by itself."""
        return tuple(one for one in self.exports if one.sha256 is not None)


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


def recalls_here(
    vault: Vault,
    org: OrgId,
    *,
    original: tuple[OrgId, BundleId] | None = None,
    retraction: BundleId | None = None,
    limit: int = 1000,
) -> list[RecallHere]:
    """Return the recalls that arrived at ``org``, this desk's organisation, the latest first."""
    sender, bundle = original or (None, None)
    rows = vault.connection.execute(
        _ARRIVED, (org, MarkState.RETRACTED.value, sender, bundle, retraction, limit)
    ).fetchall()
    return [_arrived(vault, row) for row in rows]


def recalls_of(vault: Vault, org: OrgId, bundle: StoredBundle) -> list[RecallHere]:
    """Return the recalls that arrived of ``bundle``, or the one that it is itself."""
    if bundle.way is Way.SENT:
        return []
    if bundle.kind == BundleKind.RETRACTION.value:
        return recalls_here(vault, org, retraction=bundle.id)
    return recalls_here(vault, org, original=(bundle.org, bundle.id))


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


def _arrived(vault: Vault, row: sqlite3.Row) -> RecallHere:
    org, original = OrgId(row[0]), BundleId(row[1])
    numbers = sorted(int(number) for number in str(row[7]).split(","))
    records = () if WHOLE in numbers else tuple(numbers)
    here = has_bundle(vault, org, original)
    taken = who_took(vault, find_bundle(vault, original, org).no, records or None) if here else []
    return RecallHere(
        id=BundleId(row[2]),
        org=org,
        original=original,
        reason=row[3],
        note=row[4],
        deadline=row[5],
        sent=row[6],
        records=records,
        here=here,
        exports=tuple(taken),
    )
