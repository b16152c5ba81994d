"""Where journals of an organisation began anew, for every person of it.

The page of the logs shows it: that somebody put a vault back is no secret among those whose records
it held. It names no person and no bundle, and reading it is no event.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, select

from accord.hub.access import Action, Actor, require
from accord.hub.audit.events import EventClass
from accord.hub.audit.tables import AuditEvent, AuditOrg
from accord.kernel.tlog.journals import Restart, parse_restart
from accord.kernel.tlog.leaf import parse_record

MAX_SHOWN = 50
"""So many of the newest are shown; the audit trail has all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRestart:
    """A restart, as entry ``number`` of the audit log at second ``time``."""

    number: int
    time: int
    restart: Restart


def restarts_of(engine: Engine, actor: Actor | None) -> Sequence[ShownRestart]:
    """Return the restarts of the actor's organisation, the newest first.

    Those whose fields a hub of an earlier release erased with their time are left out.

    Raises:
        AuthenticationNeeded, Refused: as ``require``.
    """
    org = require(actor, Action.LOG_VIEW).org
    with engine.connect() as connection:
        rows = connection.execute(
            select(AuditEvent.number, AuditEvent.time, AuditEvent.opened)
            .join(AuditOrg, AuditOrg.number == AuditEvent.number)
            .where(AuditOrg.org == org, AuditOrg.what == EventClass.JOURNAL_RESTARTED.value)
            .order_by(AuditOrg.number.desc())
            .limit(MAX_SHOWN)
        ).all()
    found = []
    for row in rows:
        fields = parse_record(row.opened).opened()
        if "subject" not in fields:
            continue
        said = parse_restart(fields["subject"], fields.get("basis", ""), fields.get("detail", ""))
        found.append(ShownRestart(number=row.number, time=row.time, restart=said))
    return found
