"""Claiming shared work: one process at a time does a job, and a crashed one's lease runs out.

Invariants: a job is claimed, and given back, in transactions of the writer; what a job does is in
others, of its own verbs. A process that took longer than its lease gives back nothing: the job
may be another's by then.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, bindparam, func, select, update

from accord.hub.jobs.tables import JobRow
from accord.hub.storage import Writer, adding

_ADD = adding(JobRow, ["name"])
_ALL = select(JobRow.name, JobRow.run_at, JobRow.lease_until)
_FREE = (
    update(JobRow)
    .where(JobRow.name == bindparam("job"))
    .values(lease_until=None, holder=None, run_at=bindparam("due"))
)


SKEW_SECONDS = 5
"""By how much another process's clock, or a look that began earlier, may lie behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How often a job is due, and how long a process may have it; both in seconds."""

    every: int
    lease: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The job ``name`` is this process's."""

    name: str
    holder: str


class JobTable:
    """The shared jobs of one hub."""

    def __init__(self, *, engine: Engine, writer: Writer) -> None:
        """Look through ``engine``, claim through ``writer``."""
        self._engine = engine
        self._writer = writer

    def overdue(self, *, now: int) -> dict[str, int]:
        """Return each job with the seconds for which it has been due, 0 when it is not."""
        with self._engine.connect() as connection:
            return {row.name: max(0, now - row.run_at) for row in connection.execute(_ALL)}

    def failing(self) -> int:
        """Return how many jobs did not go well the last time."""
        statement = select(func.count()).select_from(JobRow).where(JobRow.last_error.is_not(None))
        with self._engine.connect() as connection:
            return connection.scalar(statement) or 0

    def claim(self, timings: Mapping[str, Timing], *, now: int) -> Lease | None:
        """Take the job that has been due for longest, if one is; the look alone writes nothing."""
        with self._engine.connect() as connection:
            if not _waiting(connection, timings, now):
                return None
        return self._writer.run(lambda connection: _claim(connection, timings, now))

    def finish(self, lease: Lease, timing: Timing, *, error: str | None, now: int) -> bool:
        """Give a job back, due again after its time; say whether it was still ours."""
        values: dict[str, object] = {"run_at": now + timing.every}
        values |= {"lease_until": None, "holder": None, "last_error": error}
        if error is None:
            values["attempts"] = 0
        statement = (
            update(JobRow)
            .where(JobRow.name == lease.name, JobRow.holder == lease.holder)
            .values(**values)
        )
        return self._writer.run(lambda connection: connection.execute(statement).rowcount == 1)


def _waiting(connection: Connection, timings: Mapping[str, Timing], now: int) -> bool:
    """Return whether any job is new, due, or held by a process that is gone."""
    known = {row.name: row for row in connection.execute(_ALL)}
    for name, timing in timings.items():
        row = known.get(name)
        if row is None or _is_stale(row.run_at, row.lease_until, timing, now):
            return True
        if row.lease_until is None and row.run_at <= now:
            return True
    return False


def _is_stale(run_at: int, lease_until: int | None, timing: Timing, now: int) -> bool:
    """Return whether a lease ran out, or the clock went back behind what it had set."""
    if lease_until is None:
        return run_at > now + timing.every + SKEW_SECONDS
    return lease_until <= now or lease_until > now + timing.lease + SKEW_SECONDS


def _claim(connection: Connection, timings: Mapping[str, Timing], now: int) -> Lease | None:
    connection.execute(
        _ADD.on(connection), [{"name": name, "run_at": now, "attempts": 0} for name in timings]
    )
    for row in connection.execute(_ALL.with_for_update(skip_locked=True)).all():
        timing = timings.get(row.name)
        if timing is not None and _is_stale(row.run_at, row.lease_until, timing, now):
            connection.execute(_FREE, {"job": row.name, "due": min(row.run_at, now)})
    name = connection.scalar(
        select(JobRow.name)
        .where(JobRow.lease_until.is_(None), JobRow.run_at <= now, JobRow.name.in_(timings))
        .order_by(JobRow.run_at, JobRow.name)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if name is None:
        return None
    lease = Lease(name=name, holder=secrets.token_hex(8))
    connection.execute(
        update(JobRow)
        .where(JobRow.name == name)
        .values(
            lease_until=now + timings[name].lease,
            holder=lease.holder,
            attempts=JobRow.attempts + 1,
        )
    )
    return lease
