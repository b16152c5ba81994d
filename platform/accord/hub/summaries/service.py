"""Taking tallies and giving out what disclosure control lets through.

Invariants: a tally is signed by the organisation that sends it and is about a closed month; a later
one of the same organisation and month replaces it; the signed bytes are kept.
"""

from sqlalchemy import Connection, Engine, select

from accord.hub.access import Action, Actor, require
from accord.hub.audit import Event, EventClass, Recorder
from accord.hub.directory import Directory, require_grant
from accord.hub.storage import Writer, replacing
from accord.hub.summaries.activity import Activity, recent_activity
from accord.hub.summaries.tables import TallyRow
from accord.kernel.errors import Conflict, Refused
from accord.kernel.policy.charter import Action as CharterAction
from accord.kernel.statements.tally import month_end, verify_tally

_KEEP = replacing(TallyRow, ["month", "org"], "created", "number", "statement")


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
                select(TallyRow.created, TallyRow.statement, TallyRow.number).where(
                    TallyRow.org == tally.org, TallyRow.month == month
                )
            ).one_or_none()
            if known is not None and known.statement == statement:
                return int(known.number)
            if known is not None and known.created >= tally.created:
                raise Conflict(
                    "tally_older",
                    "A tally for this month that is not older is here already.",
                    observed=month,
                )
            index = self._recorder.record(
                connection,
                Event(
                    what=EventClass.TALLY_RECEIVED,
                    org=tally.org,
                    subject=month,
                    concerns=(tally.org,),
                ),
                now=now,
            )
            connection.execute(
                _KEEP.on(connection),
                {
                    "month": month,
                    "org": tally.org,
                    "created": tally.created,
                    "number": index,
                    "statement": statement,
                },
            )
            return index

        return self._writer.run(act)

    def tallies(self, month: str) -> list[bytes]:
        """Return the signed tallies of a month, ordered by organisation."""
        with self._engine.connect() as connection:
            return list(
                connection.scalars(
                    select(TallyRow.statement).where(TallyRow.month == month).order_by(TallyRow.org)
                )
            )

    def activity(self, actor: Actor | None, *, now: int) -> Activity:
        """Return what the hub did of late, for someone who may see summaries."""
        return recent_activity(actor, engine=self._engine, directory=self._directory, now=now)

    def senders(self, month: str) -> frozenset[str]:
        """Return the organisations whose tally of ``month`` is here."""
        with self._engine.connect() as connection:
            return frozenset(
                connection.scalars(select(TallyRow.org).where(TallyRow.month == month))
            )

    def months(self) -> list[str]:
        """Return the months for which there are tallies, newest first."""
        with self._engine.connect() as connection:
            return list(
                connection.scalars(
                    select(TallyRow.month).distinct().order_by(TallyRow.month.desc())
                )
            )
