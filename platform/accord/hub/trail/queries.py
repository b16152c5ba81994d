"""Finding events: numbers first, by indexes alone, newest first; rows only of what is shown.

A filter becomes one or several plain walks down an index, each in the order of the log; a person
who acted or to whom it was done are two walks, and so is each class. The walks are merged. A walk
over a column that others share (outcome, person) looks at ``EXAMINED`` events at most before it
gives back what it has and where it stopped, so no filter keeps the hub busy for long.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from sqlalchemy import ColumnElement, Connection, Select, exists, func, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from accord.hub.audit.queries import first_since
from accord.hub.audit.tables import NOBODY, OK, AuditEvent, AuditOrg, AuditSequence
from accord.hub.trail.filters import Wanted

EXAMINED = 100_000
"""Events that one walk looks at before it stops and says where."""

_Number = InstrumentedAttribute[int]
_Numbers = Select[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which events a reader may find at all: those of ``org``, or all when ``whole``."""

    org: str
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Numbers of events, newest first; ``after`` is where to go on, ``None`` at the end."""

    numbers: tuple[int, ...]
    after: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Range:
    """Numbers from ``low`` up to ``high`` - 1."""

    low: int
    high: int

    def holds(self, column: _Number) -> tuple[ColumnElement[bool], ...]:
        """Return the conditions that ``column`` lies in it."""
        return (column >= self.low, column < self.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Walk:
    """One walk down one index: of one class (or all), over one column of names (or none)."""

    scope: Scope
    wanted: Wanted
    what: str
    name: str
    span: _Range
    limit: int

    @property
    def subject(self) -> str:
        """What the events must be about."""
        return self.wanted.subject or self.wanted.seen_subject

    @property
    def orgs(self) -> list[str]:
        """The organisations that an event must concern, all of them."""
        asked = [org for org in (self.wanted.org, self.wanted.seen_org) if org]
        return list(dict.fromkeys([*([] if self.scope.whole else [self.scope.org]), *asked]))


def find(connection: Connection, scope: Scope, wanted: Wanted, *, below: int, limit: int) -> Found:
    """Return up to ``limit`` numbers of events before ``below`` that fit."""
    since, until = wanted.period
    low = 0 if since is None else first_since(connection, since)
    high = below if until is None else min(below, first_since(connection, until))
    if low >= high:
        return Found(numbers=(), after=None)
    span = _Range(low=low, high=high)
    walks = [
        _walked(
            connection,
            _Walk(scope=scope, wanted=wanted, what=what, name=name, span=span, limit=limit),
        )
        for what, name in product(wanted.classes or ("",), _name_columns(wanted))
    ]
    # Below the place at which one walk stopped, what the others found is not the whole.
    floor = max(stopped for _, stopped in walks)
    fitting = {number for numbers, _ in walks for number in numbers if number >= floor}
    numbers = tuple(sorted(fitting, reverse=True)[:limit])
    if len(fitting) > limit:
        return Found(numbers=numbers, after=numbers[-1])
    return Found(numbers=numbers, after=floor if floor > low else None)


def _name_columns(wanted: Wanted) -> tuple[str, ...]:
    if wanted.person:
        return ("person", "about")
    return ("about",) if wanted.seen_person else ("",)


def _walked(connection: Connection, walk: _Walk) -> tuple[list[int], int]:
    """Return the numbers that a walk found and down to which number they are all."""
    wanted = walk.wanted
    if walk.subject or walk.name or wanted.outcome not in {"", "ok"}:
        return _by_event(connection, walk)
    if walk.orgs:
        statement = _by_org(connection, walk)
        if wanted.outcome:
            statement = statement.where(
                exists().where(AuditEvent.number == AuditOrg.number, AuditEvent.outcome == "ok")
            )
        return _limited(connection, statement, walk)
    statement = select(AuditEvent.number).where(*walk.span.holds(AuditEvent.number))
    if walk.what:
        statement = statement.where(AuditEvent.what == walk.what)
    if wanted.outcome:
        statement = statement.where(AuditEvent.outcome == "ok")
    return _limited(connection, statement.order_by(AuditEvent.number.desc()), walk)


def _limited(connection: Connection, statement: _Numbers, walk: _Walk) -> tuple[list[int], int]:
    numbers = list(connection.scalars(statement.limit(walk.limit + 1)))
    return numbers, numbers[-1] if len(numbers) > walk.limit else walk.span.low


def _by_org(connection: Connection, walk: _Walk) -> _Numbers:
    """Walk down the shortest of the organisations' own lists; the others must be concerned too."""
    counts = {org: _count(connection, org) for org in walk.orgs}
    first = min(walk.orgs, key=lambda org: counts[org])
    statement = select(AuditOrg.number).where(AuditOrg.org == first)
    if walk.what:
        statement = statement.where(AuditOrg.what == walk.what, *walk.span.holds(AuditOrg.number))
        statement = statement.order_by(AuditOrg.number.desc())
    else:
        seqs = _Range(
            low=_seq_from(connection, first, counts[first], walk.span.low),
            high=_seq_from(connection, first, counts[first], walk.span.high),
        )
        statement = statement.where(*seqs.holds(AuditOrg.seq)).order_by(AuditOrg.seq.desc())
    other = aliased(AuditOrg)
    return statement.where(
        *(
            exists().where(
                other.org == org, other.what == AuditOrg.what, other.number == AuditOrg.number
            )
            for org in walk.orgs
            if org != first
        )
    )


def _count(connection: Connection, org: str) -> int:
    found = connection.scalar(select(AuditSequence.last).where(AuditSequence.org == org))
    return found or 0


def _seq_from(connection: Connection, org: str, last: int, number: int) -> int:
    """Return the first sequence number whose event stands at ``number`` or later."""
    low, high = 1, last + 1
    while low < high:
        middle = (low + high) // 2
        found = connection.scalar(
            select(AuditOrg.number).where(AuditOrg.org == org, AuditOrg.seq == middle)
        )
        if found is None or found < number:
            low = middle + 1
        else:
            high = middle
    return low


def _by_event(connection: Connection, walk: _Walk) -> tuple[list[int], int]:
    """Walk down one index of the events; the rest is asked of each event that it gives."""
    driven = (
        select(AuditEvent.number)
        .where(*_driving(walk), *walk.span.holds(AuditEvent.number))
        .order_by(AuditEvent.number.desc())
        .limit(EXAMINED)
        .subquery()
    )
    statement = (
        select(AuditEvent.number)
        .join(driven, driven.c.number == AuditEvent.number)
        .where(*_rest(walk))
        .order_by(AuditEvent.number.desc())
    )
    numbers, complete = _limited(connection, statement, walk)
    if complete == walk.span.low:
        seen = connection.execute(select(func.count(), func.min(driven.c.number))).one()
        complete = seen[1] if seen[0] == EXAMINED else complete
    return numbers, complete


def _driving(walk: _Walk) -> list[ColumnElement[bool]]:
    """Return the condition whose index is walked down.

    The indexes of names and outcomes cover only rows that have one; the constant says so.
    """
    if walk.name:
        column = getattr(AuditEvent, walk.name)
        return [column == walk.wanted.named, column != NOBODY]
    if walk.subject:
        return [AuditEvent.subject == walk.subject]
    refused = [AuditEvent.outcome != OK, AuditEvent.outcome != NOBODY]
    if walk.wanted.outcome != "refused":
        refused.append(AuditEvent.outcome == walk.wanted.outcome)
    return refused


def _rest(walk: _Walk) -> list[ColumnElement[bool]]:
    wanted = walk.wanted
    found: list[ColumnElement[bool]] = [
        exists().where(
            AuditOrg.org == org,
            AuditOrg.what == AuditEvent.what,
            AuditOrg.number == AuditEvent.number,
        )
        for org in walk.orgs
    ]
    if wanted.named:
        # Whoever reads the whole trail still finds names of their own people only.
        found.append(AuditEvent.org == walk.scope.org)
    if walk.what:
        found.append(AuditEvent.what == walk.what)
    if walk.subject:
        found.append(AuditEvent.subject == walk.subject)
    if wanted.outcome == "refused":
        found.append(AuditEvent.outcome != OK)
    elif wanted.outcome:
        found.append(AuditEvent.outcome == wanted.outcome)
    return found


def read_events(connection: Connection, numbers: Sequence[int]) -> dict[int, bytes]:
    """Return what is kept of each of these events."""
    rows = connection.execute(
        select(AuditEvent.number, AuditEvent.opened).where(AuditEvent.number.in_(numbers))
    )
    return {row.number: row.opened for row in rows}
