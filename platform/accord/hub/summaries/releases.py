"""Releasing closed months, and giving releases to those who may see them.

Invariants: a month is released once for each audience and stays as it was; each release and each
view is logged in its own transaction.
"""

from sqlalchemy import Connection, Engine, insert, select

from accord.hub.access import Actor
from accord.hub.audit import Event, EventClass, Recorder
from accord.hub.directory import Directory
from accord.hub.storage import Writer
from accord.hub.summaries.disclosure import Audience
from accord.hub.summaries.release import (
    MAX_RELEASE,
    Release,
    format_release,
    make_release,
    parse_release,
)
from accord.hub.summaries.tables import ReleaseRow, TallyRow
from accord.hub.summaries.viewers import require_viewer
from accord.kernel import dsse
from accord.kernel.errors import Malformed, NotFound
from accord.kernel.statements.tally import MAX_TALLY, TALLY_TYPE, Tally, parse_tally


class Releases:
    """The verbs on releases."""

    def __init__(
        self, *, engine: Engine, writer: Writer, recorder: Recorder, directory: Directory
    ) -> None:
        """Work with the rooms that are handed down."""
        self._directory = directory
        self._engine = engine
        self._writer = writer
        self._recorder = recorder

    def release(self, month: str, *, now: int, audience: Audience = Audience.MEMBERS) -> Release:
        """Make the release of a closed month, or return the one that was made before.

        Raises:
            Malformed: ``month_open``.
            NotFound: ``tallies_missing`` when nobody has sent a tally of this month.
            Refused: ``summary_unsafe``.
        """

        def act(connection: Connection) -> Release:
            known = _document(connection, month, audience)
            if known is not None:
                return known
            made = make_release(
                _tallies(connection, month), month=month, audience=audience, now=now
            )
            document = format_release(made)
            if len(document) > MAX_RELEASE:
                raise Malformed("too_long", "The release is larger than a release may be.")
            number = self._recorder.record(
                connection,
                Event(
                    what=EventClass.SUMMARY_RELEASED,
                    subject=month,
                    detail=f"{audience} shown={made.shown} hidden={made.hidden}",
                ),
                now=now,
            )
            connection.execute(
                insert(ReleaseRow).values(
                    month=month, audience=audience.value, number=number, document=document
                )
            )
            return made

        return self._writer.run(act)

    def months(self, actor: Actor | None) -> list[str]:
        """Return the months that were released to members, newest first."""
        require_viewer(actor, self._directory)
        with self._engine.connect() as connection:
            return list(
                connection.scalars(
                    select(ReleaseRow.month)
                    .where(ReleaseRow.audience == Audience.MEMBERS.value)
                    .order_by(ReleaseRow.month.desc())
                )
            )

    def view(self, actor: Actor | None, month: str, *, form: str, now: int) -> Release:
        """Return a month's release to a member and log that they saw it.

        Args:
            actor: who asks.
            month: ``YYYY-MM``.
            form: how it is shown, ``page`` or ``csv``.
            now: present unix second.

        Raises:
            NotFound: ``summary_missing``.
        """
        actor = require_viewer(actor, self._directory)
        with self._engine.connect() as connection:
            found = _document(connection, month, Audience.MEMBERS)
        if found is None:
            raise NotFound(
                "summary_missing",
                "This month has no summary yet.",
                next_step="Choose a month from the list.",
            )
        event = Event(
            what=EventClass.SUMMARY_VIEWED,
            org=actor.org,
            person=actor.person,
            subject=month,
            detail=form,
            concerns=(actor.org,),
        )
        self._writer.run(lambda connection: self._recorder.record(connection, event, now=now))
        return found


def _document(connection: Connection, month: str, audience: Audience) -> Release | None:
    document = connection.scalar(
        select(ReleaseRow.document).where(
            ReleaseRow.month == month, ReleaseRow.audience == audience.value
        )
    )
    return None if document is None else parse_release(document)


def _tallies(connection: Connection, month: str) -> list[Tally]:
    """Return the tallies of ``month``; their signatures were verified when they came."""
    statements = connection.scalars(
        select(TallyRow.statement).where(TallyRow.month == month).order_by(TallyRow.org)
    ).all()
    if not statements:
        raise NotFound(
            "tallies_missing",
            "No organisation has sent a tally of this month.",
            observed=month,
            next_step="Desks send it by themselves on the first day of the next month.",
        )
    return [
        parse_tally(dsse.parse(raw, payload_type=TALLY_TYPE, limit=MAX_TALLY).payload)
        for raw in statements
    ]
