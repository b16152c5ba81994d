"""How much a member may send: bundles an hour, bytes a day, open requests; and what is a flood.

Counted by the hour, day and minute of the clock, in the transaction that stores the bundle, so that
several processes count as one. Above a quota the hub says 429 and when to come back; above the
burst of a minute a bundle is stored and logged but held aside undelivered (``quarantine``). Recalls
are never held and have an allowance of their own: a member that sent too much can still take back.
Refusals are counted, and become one event a minute, so that a flood of them fills no log.
"""

import threading
from collections import Counter
from dataclasses import dataclass, replace

from sqlalchemy import Connection, bindparam, insert, select, update

from accord.hub.audit import Event, EventClass, Recorder
from accord.hub.bundles.correspondence import open_requests
from accord.hub.bundles.tables import MemberUseRow
from accord.hub.storage import Writer
from accord.hub.transparency import LogName, LogSequencer
from accord.kernel.errors import Unavailable
from accord.kernel.identifiers import OrgId
from accord.kernel.markings import BundleKind

MINUTE, HOUR, DAY = 60, 3600, 86_400
HELD_BURST = "burst"
"""Why a bundle is held: its sender sent more in this minute than the burst allows."""

_FIND = select(MemberUseRow.__table__)
_COUNTS = ("minute", "hour", "day", "minute_bundles", "hour_bundles", "hour_recalls", "day_bytes")
_CHANGE = (
    update(MemberUseRow)
    .where(MemberUseRow.org == bindparam("member"))
    .values({name: bindparam(name) for name in _COUNTS})
)
_ADD = insert(MemberUseRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one member may send; the hub's settings."""

    bundles_per_minute: int
    bundles_per_hour: int
    bytes_per_day: int
    open_requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What one member has sent in the minute, hour and day that began then."""

    minute: int = 0
    hour: int = 0
    day: int = 0
    minute_bundles: int = 0
    hour_bundles: int = 0
    hour_recalls: int = 0
    day_bytes: int = 0

    def at(self, now: int) -> "Use":
        """Return what counts at ``now``: a new minute, hour or day begins with nothing."""
        use = self
        if now - now % MINUTE != use.minute:
            use = replace(use, minute=now - now % MINUTE, minute_bundles=0)
        if now - now % HOUR != use.hour:
            use = replace(use, hour=now - now % HOUR, hour_bundles=0, hour_recalls=0)
        if now - now % DAY != use.day:
            use = replace(use, day=now - now % DAY, day_bytes=0)
        return use


class Quotas:
    """Counts for all members; a participant of the writer's transactions."""

    def __init__(self, limits: Limits, logs: LogSequencer) -> None:
        """Begin with what the database says of each member, read when it is needed.

        Args:
            limits: the hub's settings.
            logs: tells whether another process has written anything since our last commit.
        """
        self.limits = limits
        self._logs = logs
        self._size = self._known_size = -1
        self._known: dict[OrgId, Use] = {}
        self._staged: dict[OrgId, Use] = {}
        self._rows: set[OrgId] = set()
        self._refused: Counter[OrgId] = Counter()
        self._lock = threading.Lock()

    def check(self, org: OrgId, size: int, *, recall: bool, now: int) -> None:
        """Refuse before the costly checks, from what this process knows; ``take`` decides.

        Raises:
            Unavailable: ``quota_exceeded``.
        """
        use = self._known.get(org)
        if use is not None:
            self._require(use.at(now), size, recall=recall, now=now)

    def take(
        self,
        connection: Connection,
        org: OrgId,
        *,
        kind: BundleKind,
        closing: bool,
        size: int,
        now: int,
    ) -> str | None:
        """Count one new bundle of ``size`` bytes; return why it is held aside, if it is.

        Raises:
            Unavailable: ``quota_exceeded``; nothing is counted.
        """
        use = self._staged.get(org) or self._durable(connection, org)
        use = use.at(now)
        recall = kind is BundleKind.RETRACTION
        self._require(use, size, recall=recall, now=now)
        if kind is BundleKind.REQUEST and not closing:
            self._require_few_open(connection, org, now=now)
        if recall:
            self._staged[org] = replace(use, hour_recalls=use.hour_recalls + 1)
            return None
        use = replace(
            use,
            minute_bundles=use.minute_bundles + 1,
            hour_bundles=use.hour_bundles + 1,
            day_bytes=use.day_bytes + size,
        )
        self._staged[org] = use
        return HELD_BURST if use.minute_bundles > self.limits.bundles_per_minute else None

    def _durable(self, connection: Connection, org: OrgId) -> Use:
        if org in self._rows:
            return self._known[org]
        row = connection.execute(_FIND.where(MemberUseRow.org == org)).one_or_none()
        if row is None:
            return Use()
        use = Use(**{name: getattr(row, name) for name in Use.__dataclass_fields__})
        self._rows.add(org)
        self._known[org] = use
        return use

    def _require(self, use: Use, size: int, *, recall: bool, now: int) -> None:
        sent = use.hour_recalls if recall else use.hour_bundles
        if sent >= self.limits.bundles_per_hour:
            raise _exceeded(HOUR - now % HOUR, observed=f"{sent} bundles this hour")
        if not recall and use.day_bytes + size > self.limits.bytes_per_day:
            observed = f"{use.day_bytes} bytes today, {size} more"
            raise _exceeded(DAY - now % DAY, observed=observed)

    def _require_few_open(self, connection: Connection, org: OrgId, *, now: int) -> None:
        count = open_requests(connection, org, now=now)
        if count >= self.limits.open_requests:
            raise Unavailable(
                "quota_exceeded",
                "Your organisation has as many open requests as it may have.",
                retry_after=HOUR,
                observed=f"{count} open requests",
                next_step="Close the ones that are answered: accord requests",
            )

    def count_refusal(self, org: OrgId) -> None:
        """Count a refusal of ``org``; ``record_refusals`` tells of it."""
        with self._lock:
            self._refused[org] += 1

    def take_refusals(self) -> dict[OrgId, int]:
        """Return the refusals since the last call, and begin anew."""
        with self._lock:
            counted, self._refused = self._refused, Counter()
        return dict(counted)

    def begin(self, connection: Connection) -> None:  # noqa: ARG002 - a participant's signature
        """Begin with nothing staged; what is known holds while nobody else has logged anything."""
        self._staged = {}
        if self._logs.size(LogName.AUDIT) != self._known_size:
            self._rows.clear()

    def mark(self) -> object:
        """Return what is staged."""
        return dict(self._staged)

    def rewind(self, mark: object) -> None:
        """Drop what a failed act counted."""
        if isinstance(mark, dict):
            self._staged = dict(mark)

    def before_commit(self, connection: Connection) -> None:
        """Write the counts of all acts of the transaction at once."""
        self._size = self._logs.size(LogName.AUDIT)
        rows = [
            {"member": org, **{name: getattr(use, name) for name in _COUNTS}}
            for org, use in self._staged.items()
        ]
        changed = [row for row in rows if row["member"] in self._rows]
        new = [row for row in rows if row["member"] not in self._rows]
        if changed:
            connection.execute(_CHANGE, changed)
        if new:
            connection.execute(_ADD, [{"org": row.pop("member"), **row} for row in new])

    def after_commit(self) -> None:
        """Know what is durable."""
        self._known.update(self._staged)
        self._rows.update(self._staged)
        self._known_size = self._size
        self._staged = {}

    def after_rollback(self) -> None:
        """Forget what was not, and what is not sure."""
        self._staged = {}
        self._rows.clear()


class QuotaRecords:
    """Tells the audit trail of refusals that were only counted."""

    def __init__(self, *, writer: Writer, recorder: Recorder, quotas: Quotas) -> None:
        """Work with the rooms that are handed down."""
        self._writer = writer
        self._recorder = recorder
        self._quotas = quotas

    def record_refusals(self, *, now: int) -> int:
        """Record one event for each member that was refused since the last time."""
        counted = self._quotas.take_refusals()

        def act(connection: Connection) -> None:
            for org, count in sorted(counted.items()):
                self._recorder.record(
                    connection,
                    Event(
                        what=EventClass.QUOTA_EXCEEDED,
                        org=org,
                        outcome="quota_exceeded",
                        detail=f"n={count}",
                        concerns=(org,),
                    ),
                    now=now,
                )

        if counted:
            self._writer.run(act)
        return sum(counted.values())


def _exceeded(seconds: int, *, observed: str) -> Unavailable:
    return Unavailable(
        "quota_exceeded",
        "Your organisation has sent as much as it may for now.",
        retry_after=seconds,
        observed=observed,
        next_step="Nothing is lost: send it again later, or ask the operator for more.",
    )
