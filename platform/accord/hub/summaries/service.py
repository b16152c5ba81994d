"""Taking tallies and giving out what disclosure control lets through.

Invariants: a tally is signed by the organisation that sends it and is about a closed month; a later
one of the same organisation and month counts instead of it; the signed bytes of all are kept, since
a release is corrected by what changed after it.
"""

from sqlalchemy import Connection, Engine, insert, select

from accord.hub.access import Action, Actor, require
from accord.hub.audit import Event, EventClass, Recorder
from accord.hub.directory import Directory, require_grant
from accord.hub.storage import Writer
from accord.hub.summaries.activity import Activity, recent_activity
from accord.hub.summaries.queries import versions
from accord.hub.summaries.tables import TallyRow
from accord.kernel.errors import Conflict, Refused
from accord.kernel.policy.charter import Action as CharterAction
from accord.kernel.statements.tally import month_end, verify_tally


class Summaries:
    """The verbs on tallies and summaries."""

    def __init__(
        self, *, engine: Engine, writer: Writer, recorder: Recorder, directory: Directory
    ) -> None:
        """Work with the rooms that are handed down."""
        self._engine = engine
        self._writer = writer
        self._recorder = recorder
        self._directory = directory

    def take(self, actor: Actor | None, month: str, statement: bytes, *, now: int) -> int:
        """Check and store a tally; return its number in the audit log.

        Raises:
            Refused: ``tally_other`` for another organisation or month, ``month_open`` before the
                month is over, or the charter's code.
            Conflict: ``tally_older`` when a newer one is here already.
        """
        actor = require(actor, Action.TALLY_WRITE)
        state = self._directory.state()
        tally = verify_tally(statement, lambda kid: state.signer_at(kid, at=now))
        if (tally.org, tally.month) != (actor.org, month):
            raise Refused(
                "tally_other",
                "The tally is about another organisation or month.",
                observed=f"{tally.org} {tally.month}",
            )
        if month_end(month) > now:
            raise Refused("month_open", "A tally is for a month that is over.", observed=month)
        require_grant(actor, CharterAction.TALLY_SEND, self._directory)

        def act(connection: Connection) -> int:
            known = connection.execute(
                select(TallyRow.created, TallyRow.statement, TallyRow.number)
                .where(TallyRow.org == tally.org, TallyRow.month == month)
                .order_by(TallyRow.number.desc())
                .limit(1)
            ).one_or_none()
            if known is not None and known.statement == statement:
                return int(known.number)
            if known is not None and known.created >= tally.created:
                raise Conflict(
                    "tally_older",
                    "A tally for this month that is not older is here already.",
                    observed=month,
                )
            released = versions(connection, month)
            late = f" after release {released[-1].release.version}" if released else ""
            index = self._recorder.record(
                connection,
                Event(
                    what=EventClass.TALLY_RECEIVED,
                    org=tally.org,
                    subject=month,
                    detail=("corrected" if known is not None else "first") + late,
                    concerns=(tally.org,),
                ),
                now=now,
            )
            connection.execute(
                insert(TallyRow).values(
                    month=month,
                    org=tally.org,
                    number=index,
                    created=tally.created,
                    statement=statement,
                )
            )
            return index

        return self._writer.run(act)

    def activity(self, actor: Actor | None, *, now: int) -> Activity:
        """Return what the hub did of late, for someone who may see summaries."""
        return recent_activity(actor, engine=self._engine, directory=self._directory, now=now)
