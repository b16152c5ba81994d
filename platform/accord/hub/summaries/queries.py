"""Reads of tallies and releases: which tallies stood behind a release, what was published."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from accord.hub.summaries.release import Release, parse_release
from accord.hub.summaries.tables import ReleaseRow, TallyRow
from accord.kernel import dsse
from accord.kernel.errors import NotFound
from accord.kernel.statements.tally import MAX_TALLY, TALLY_TYPE, Tally, parse_tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A stored release and the number of its event; tallies with lower numbers stood behind it."""

    release: Release
    number: int


def versions(connection: Connection, period: str) -> list[Published]:
    """Return the versions of ``period``, oldest first; none when it was not released."""
    rows = connection.execute(
        select(ReleaseRow.document, ReleaseRow.number)
        .where(ReleaseRow.period == period)
        .order_by(ReleaseRow.version)
    )
    return [Published(release=parse_release(row.document), number=row.number) for row in rows]


def newest_tallies(
    connection: Connection, month: str, *, before: int | None = None
) -> tuple[Tally, ...]:
    """Return the tally that counts of each organisation, ordered by organisation.

    Their signatures were verified when they came.

    Args:
        connection: a reading or writing connection.
        month: ``YYYY-MM``.
        before: look only at what had come before this event.

    Raises:
        NotFound: ``tallies_missing`` when there is none.
    """
    newest = select(TallyRow.org, func.max(TallyRow.number).label("number")).where(
        TallyRow.month == month
    )
    if before is not None:
        newest = newest.where(TallyRow.number < before)
    chosen = newest.group_by(TallyRow.org).subquery()
    statements = connection.scalars(
        select(TallyRow.statement)
        .join(chosen, (chosen.c.org == TallyRow.org) & (chosen.c.number == TallyRow.number))
        .where(TallyRow.month == month)
        .order_by(TallyRow.org)
    ).all()
    if not statements:
        raise NotFound(
            "tallies_missing",
            "No organisation has sent a tally of this month.",
            observed=month,
            next_step="Desks send it by themselves on the first day of the next month.",
        )
    return tuple(
        parse_tally(dsse.parse(raw, payload_type=TALLY_TYPE, limit=MAX_TALLY).payload)
        for raw in statements
    )


def senders(connection: Connection, month: str, *, since: int | None = None) -> frozenset[str]:
    """Return whose tally of ``month`` is here; with ``since`` only those that came after it."""
    query = select(TallyRow.org).where(TallyRow.month == month)
    if since is not None:
        query = query.where(TallyRow.number > since)
    return frozenset(connection.scalars(query))
