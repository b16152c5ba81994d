"""The nightly self-audit: does what the hub holds still fit what it has logged?

It reads one snapshot while the hub serves, recomputes everything from the bytes below, and records
what came of it as an event. It mends nothing: whoever finds something looks at the runbook on log
disagreement. A row that was changed, added or taken away by another hand than the hub's is found.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection, Engine, select

from accord.hub.audit import Event, EventClass, Recorder
from accord.hub.audit.tables import AuditEvent
from accord.hub.storage import BodyStore, Writer, snapshot
from accord.hub.trail.examine_log import examine_events, examine_logs
from accord.hub.trail.examine_rows import Events, examine_rows
from accord.hub.trail.findings import Finding, Findings
from accord.kernel.directory.rootfile import RootFile

FAILED = "self_audit_failed"
"""The outcome of an event in which something did not fit."""

HOUR = 3600
DAY = 24 * HOUR

NIGHT = range(1, 5)
"""Hours, UTC, in which it runs."""

LOOK_SECONDS = 600
"""Time between two looks whether it is due."""

log = structlog.get_logger("accord.hub.trail")


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfAuditReport:
    """What one self-audit compared and found; ``count`` findings in all."""

    at: int
    number: int
    findings: Sequence[Finding]
    count: int
    looked: dict[str, int]

    @property
    def ok(self) -> bool:
        """Whether everything fits."""
        return self.count == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LastSelfAudit:
    """How the newest self-audit ended, as the trail has it."""

    at: int
    ok: bool


class SelfAudit:
    """Runs the self-audit and says how the last one ended."""

    def __init__(
        self,
        *,
        engine: Engine,
        writer: Writer,
        recorder: Recorder,
        bodies: BodyStore,
        root: RootFile,
    ) -> None:
        """Read through ``engine``; nothing is changed but that the run is recorded."""
        self._engine = engine
        self._writer = writer
        self._recorder = recorder
        self._bodies = bodies
        self._root = root

    def run(self, *, now: int) -> SelfAuditReport:
        """Compare everything, record the result, log each finding."""
        with snapshot(self._engine) as connection:
            findings = compare(connection, root=self._root, bodies=self._bodies)
        looked = " ".join(f"{name}={count}" for name, count in sorted(findings.looked.items()))
        event = Event(
            what=EventClass.AUDIT_CHECKED,
            outcome=FAILED if findings.count else "ok",
            detail=f"findings={findings.count} {findings.words() or looked}",
        )
        number = self._writer.run(
            lambda connection: self._recorder.record(connection, event, now=now)
        )
        for one in findings.all:
            log.error("self_audit.finding", check=one.check, observed=one.observed)
        log.info("self_audit.done", findings=findings.count, **findings.looked)
        return SelfAuditReport(
            at=now,
            number=number,
            findings=findings.all,
            count=findings.count,
            looked=dict(findings.looked),
        )

    def due(self, *, now: int) -> SelfAuditReport | None:
        """Run in the night (UTC), or at any hour when none ran for two days."""
        last = self.last()
        since = now - last.at if last is not None else None
        night = now // HOUR % 24 in NIGHT and (since is None or since >= DAY // 2)
        late = since is not None and since >= 2 * DAY
        return self.run(now=now) if night or late or (since is not None and since < 0) else None

    def last(self) -> LastSelfAudit | None:
        """Return how the newest self-audit ended, ``None`` before the first."""
        with self._engine.connect() as connection:
            row = connection.execute(
                select(AuditEvent.time, AuditEvent.outcome)
                .where(AuditEvent.what == EventClass.AUDIT_CHECKED.value)
                .order_by(AuditEvent.number.desc())
                .limit(1)
            ).one_or_none()
        return None if row is None else LastSelfAudit(at=row.time, ok=row.outcome == "ok")


def compare(connection: Connection, *, root: RootFile, bodies: BodyStore) -> Findings:
    """Compare everything as ``connection`` sees it; nothing is written."""
    findings, events = Findings(), Events()
    examine_logs(connection, root, findings)
    for seen in examine_events(connection, findings):
        events.take(seen)
    examine_rows(connection, bodies, events, findings)
    return findings
