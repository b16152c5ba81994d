"""Releasing closed periods, correcting a month once, and giving releases to those who may see them.

Invariants: a version is written once and stays as it was; a month has at most two; a quarter is
made from its three months and makes them final; each release and each member's view is logged in
its own transaction, a release with the hash of its document.
"""

import hashlib
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, insert, select

from accord.hub.access import Actor
from accord.hub.audit import Event, EventClass, Recorder
from accord.hub.directory import Directory
from accord.hub.storage import Writer
from accord.hub.summaries.amendment import make_amendment
from accord.hub.summaries.disclosure import Audience
from accord.hub.summaries.periods import audience_of, months_of, quarter_of, require_closed
from accord.hub.summaries.quarter import Month, make_quarter
from accord.hub.summaries.queries import Published, newest_tallies, senders, versions
from accord.hub.summaries.release import MAX_RELEASE, Release, format_release, make_release
from accord.hub.summaries.tables import ReleaseRow
from accord.hub.summaries.viewers import require_viewer
from accord.kernel.directory.organisation import Status
from accord.kernel.errors import Conflict, Malformed, NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How far a period is.

    Attributes:
        period: month or quarter.
        sent: organisations whose tally is here, of a month.
        missing: active members whose tally is not.
        late: those whose tally came or was corrected after the newest version.
        version: newest released version, 0 for none.
        final: no further version can be made.
        next_step: who acts next, in words.
    """

    period: str
    sent: tuple[str, ...]
    missing: tuple[str, ...]
    late: tuple[str, ...]
    version: int
    final: bool
    next_step: str


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

    def preview(self, period: str, *, now: int, amended: bool = False) -> Release:
        """Return what ``release`` (or ``amend``) would publish; nothing is stored or logged.

        Raises:
            AccordError: as ``release`` and ``amend``.
        """
        with self._engine.connect() as connection:
            known = versions(connection, period)
            if amended:
                return _amended(connection, known, period, now)
            return known[0].release if known else _made(connection, period, now)

    def release(self, period: str, *, now: int) -> Release:
        """Make the release of a closed month or quarter, or return the one that was made before.

        Raises:
            Malformed: ``month_invalid``, ``month_open``.
            NotFound: ``tallies_missing`` when nobody has sent a tally of this month;
                ``months_missing`` when a month of the quarter was not released.
            Refused: ``summary_unsafe``.
        """

        def act(connection: Connection) -> Release:
            known = versions(connection, period)
            return (
                known[0].release
                if known
                else self._publish(connection, _made(connection, period, now), now)
            )

        return self._writer.run(act)

    def amend(self, month: str, *, now: int) -> Release:
        """Publish the one correction of a month from late and corrected tallies.

        Raises:
            Malformed: ``month_invalid``.
            NotFound: ``summary_missing`` when the month was not released.
            Conflict: ``summary_final`` when it was corrected before, or its quarter is published;
                ``amendment_empty`` when nothing came after the release.
            Refused: ``amendment_too_few``.
        """

        def act(connection: Connection) -> Release:
            known = versions(connection, month)
            return self._publish(connection, _amended(connection, known, month, now), now)

        return self._writer.run(act)

    def _publish(self, connection: Connection, made: Release, now: int) -> Release:
        document = format_release(made)
        if len(document) > MAX_RELEASE:
            raise Malformed("too_long", "The release is larger than a release may be.")
        number = self._recorder.record(
            connection,
            Event(
                what=EventClass.SUMMARY_RELEASED,
                subject=made.period,
                detail=f"{made.audience} version={made.version} shown={made.shown} "
                f"hidden={made.hidden} sha256={hashlib.sha256(document).hexdigest()}",
            ),
            now=now,
        )
        connection.execute(
            insert(ReleaseRow).values(
                period=made.period,
                audience=made.audience.value,
                version=made.version,
                number=number,
                document=document,
            )
        )
        return made

    def state(self, period: str) -> State:
        """Return who has sent what of a month, and what can be done next."""
        months = months_of(period)
        with self._engine.connect() as connection:
            known = versions(connection, period)
            if len(months) > 1:
                return _quarter_state(connection, period, known)
            sent = senders(connection, period)
            late = senders(connection, period, since=known[-1].number) if known else frozenset()
            final = bool(known) and _is_final(connection, period, known)
        missing = [
            one.org
            for one in self._directory.refresh().organisations()
            if one.status is Status.ACTIVE and one.org not in sent
        ]
        return State(
            period=period,
            sent=tuple(sorted(sent)),
            missing=tuple(sorted(missing)),
            late=tuple(sorted(late)),
            version=known[-1].release.version if known else 0,
            final=final,
            next_step=_next_step(released=bool(known), final=final, late=bool(late)),
        )

    def periods(self, actor: Actor | None) -> list[str]:
        """Return the months that were released to members, newest first."""
        require_viewer(actor, self._directory)
        return self._periods(Audience.MEMBERS)

    def public_periods(self) -> list[str]:
        """Return the quarters that were published, newest first."""
        return self._periods(Audience.PUBLIC)

    def _periods(self, audience: Audience) -> list[str]:
        query = select(ReleaseRow.period).where(
            ReleaseRow.audience == audience.value, ReleaseRow.version == 1
        )
        with self._engine.connect() as connection:
            return list(connection.scalars(query.order_by(ReleaseRow.period.desc())))

    def view(self, actor: Actor | None, period: str, *, form: str, now: int) -> Release:
        """Return the newest version of a month to a member and log that they saw it.

        Args:
            actor: who asks.
            period: ``YYYY-MM``.
            form: how it is shown, for example ``page`` or ``csv``.
            now: present unix second.

        Raises:
            NotFound: ``summary_missing``.
        """
        actor = require_viewer(actor, self._directory)
        found = self._newest(period, Audience.MEMBERS)
        event = Event(
            what=EventClass.SUMMARY_VIEWED,
            org=actor.org,
            person=actor.person,
            subject=period,
            detail=f"{form} version={found.version}",
            concerns=(actor.org,),
        )
        self._writer.run(lambda connection: self._recorder.record(connection, event, now=now))
        return found

    def public(self, period: str) -> Release:
        """Return a published quarter to anybody; nobody is known, so nobody is noted.

        Raises:
            NotFound: ``summary_missing``.
        """
        return self._newest(period, Audience.PUBLIC)

    def _newest(self, period: str, audience: Audience) -> Release:
        with self._engine.connect() as connection:
            known = versions(connection, period)
        if not known or known[-1].release.audience is not audience:
            raise NotFound(
                "summary_missing",
                "This period has no summary yet.",
                next_step="Choose one from the list.",
            )
        return known[-1].release


def _made(connection: Connection, period: str, now: int) -> Release:
    require_closed(period, now=now)
    months = months_of(period)
    if len(months) == 1:
        tallies = newest_tallies(connection, period)
        return make_release(tallies, month=period, audience=audience_of(period), now=now)
    released = {month: versions(connection, month) for month in months}
    absent = [month for month, known in released.items() if not known]
    if absent:
        raise NotFound(
            "months_missing",
            "A quarter is made from its three released months.",
            observed=", ".join(absent),
            next_step=f"First: accord hub summary release {absent[0]}.",
        )
    parts = [
        Month(
            release=known[-1].release,
            first=newest_tallies(connection, month, before=known[0].number),
            newest=newest_tallies(connection, month, before=known[-1].number),
        )
        for month, known in released.items()
    ]
    return make_quarter(period, parts, now=now)


def _amended(connection: Connection, known: list[Published], month: str, now: int) -> Release:
    if not known or known[0].release.audience is not Audience.MEMBERS:
        raise NotFound("summary_missing", "Only a released month can be corrected.", observed=month)
    if _is_final(connection, month, known):
        raise Conflict(
            "summary_final",
            "This month is final: it was corrected once, or its quarter is published.",
            observed=month,
        )
    (first,) = known
    if not senders(connection, month, since=first.number):
        raise Conflict(
            "amendment_empty", "No tally came or was corrected since the release.", observed=month
        )
    return make_amendment(
        first.release,
        before=newest_tallies(connection, month, before=first.number),
        after=newest_tallies(connection, month),
        now=now,
    )


def _is_final(connection: Connection, month: str, known: list[Published]) -> bool:
    return len(known) > 1 or bool(versions(connection, quarter_of(month)))


def _quarter_state(connection: Connection, period: str, known: list[Published]) -> State:
    absent = [month for month in months_of(period) if not versions(connection, month)]
    if known:
        step = "Nothing: a quarter is published once."
    elif absent:
        step = f"The operator releases {absent[0]} first."
    else:
        step = f"The operator publishes it: accord hub summary release {period}."
    return State(
        period=period,
        sent=(),
        missing=(),
        late=(),
        version=1 if known else 0,
        final=bool(known),
        next_step=step,
    )


def _next_step(*, released: bool, final: bool, late: bool) -> str:
    if not released:
        return "Members who are missing send their tally; then the operator releases the month."
    if final:
        return "Nothing: the month is final."
    if late:
        return "The operator may correct the month once: accord hub summary amend."
    return "Nothing, until a late or corrected tally comes."
