"""What the hub's log says of an organisation's journals, compared with the journal of this vault.

Pure: verified events and the hashed rows come in. Names part the journals of one organisation:

- heads of this one must fit, whenever they were logged;
- heads of the journals that it goes on from (``Line``), and those of before names, must fit as far
  as each restart since then says that rows were kept. A restart counts only with its own row here,
  so that a hub that invents one excuses nothing;
- any other journal is told as what it is. Of all but the first named one somebody must have said
  in the log why it began (``journal.restarted``): a vault that was put back or edited under a new
  name in silence is found, and an act that hides nothing stands there for ever.

No hub of this release erases a head or a restart. One that is closed is taken only for what a hub
of an earlier one can have erased, and is told: it may hide what would not fit.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from accord.desk.storage.journal_names import RestartRow
from accord.kernel.tlog.growing import ANCHORED, GrownHead, parse_grown
from accord.kernel.tlog.heads import OwnEvent
from accord.kernel.tlog.journals import (
    RESTARTED,
    Cause,
    Restart,
    parse_journal,
    parse_restart,
    restart_row,
)

SOONEST_SECONDS = 30 * 86_400
"""No hub erased what an event says before so long (``keep_governance_days`` was 30 at least)."""

_SAYS = frozenset({"subject", "basis", "detail"})
"""Fields that are erased together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedHead:
    """A head as the hub's log has it: event ``number``, its second, and whose head it is."""

    head: GrownHead
    journal: bytes | None
    number: int
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRestart:
    """A restart as the hub's log has it."""

    restart: Restart
    number: int
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedJournals:
    """Every head and restart of an organisation in the log, in its order.

    ``erased`` events, the last of second ``erased_until``, cannot be compared any more: a hub of an
    earlier release erased them with their time. ``hidden`` is the number of the first event that it
    closed although no time can be over for it, or ``None``.
    """

    heads: Sequence[LoggedHead]
    restarts: Sequence[LoggedRestart]
    erased: int
    erased_until: int
    hidden: int | None

    @property
    def begun(self) -> list[LoggedRestart]:
        """Return the restarts that say why a journal began: not those that end one from afar."""
        return [one for one in self.restarts if one.restart.cause is not Cause.LOST_DESK]

    @property
    def names(self) -> list[bytes]:
        """Every journal that has a name, in the order of its first event."""
        return [name for name in dict.fromkeys(one.journal for one in self.heads) if name]

    def of(self, journal: bytes | None) -> list[LoggedHead]:
        """Return the heads of one journal."""
        return [one for one in self.heads if one.journal == journal]

    def ender(self, journal: bytes) -> LoggedRestart | None:
        """Return the restart with which ``journal`` ended, or ``None``."""
        return next((one for one in self.restarts if one.restart.ended == journal), None)

    def open_besides(self, journal: bytes) -> list[bytes]:
        """Return the other named journals that did not end."""
        return [name for name in self.names if name != journal and self.ender(name) is None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """The journal of this vault as its rows make it now.

    Attributes:
        name: the journal's.
        rows: how many.
        roots: the root at each size at which the log has a head.
        flaws: what is wrong with single rows.
        acts: rows of restarts by place.
        sent: every head that this desk wrote down before it sent it.
    """

    name: bytes
    rows: int
    roots: Mapping[int, bytes]
    flaws: Sequence[str]
    acts: Mapping[int, RestartRow]
    sent: frozenset[GrownHead]

    def fits(self, head: GrownHead) -> bool:
        """Return whether the tree had this root at this size."""
        return self.roots.get(head.size) == head.root

    def row_of(self, one: LoggedRestart) -> RestartRow | None:
        """Return the row of a restart when it stands here, at its place, in the same words."""
        row = self.acts.get(one.restart.head.size)
        return row if row is not None and row.said == restart_row(one.restart) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A journal and those that it goes on from, as far as rows here say so; newest first."""

    names: frozenset[bytes | None]
    restarts: Sequence[LoggedRestart]

    def bound(self, one: LoggedHead) -> int | None:
        """Return up to which size a head must fit; ``None`` at any size."""
        kept = [
            later.restart.kept
            for later in self.restarts
            if later.number > one.number and later.restart.journal != one.journal
        ]
        return min(kept, default=None)

    def asks(self, log: LoggedJournals) -> Iterator[LoggedHead]:
        """Yield the heads that must fit, in the log's order."""
        for one in log.heads:
            bound = self.bound(one)
            if one.journal in self.names and (bound is None or one.head.size <= bound):
                yield one


def logged_journals(events: Sequence[OwnEvent], *, now: int) -> LoggedJournals:
    """Return what an organisation's events say of its journals at second ``now``.

    Raises:
        Malformed: an event cannot be read.
    """
    heads: list[LoggedHead] = []
    restarts: list[LoggedRestart] = []
    erased: list[int] = []
    hidden: list[int] = []
    for event in events:
        fields = event.record.opened()
        what, at = fields.get("what"), _second(fields.get("time", ""))
        if what is not None and what not in {ANCHORED, RESTARTED}:
            continue
        if what is None or not fields.keys() >= _SAYS:
            # A hub erased by the log's order, said what it was and when, and not so soon.
            ripe = what is not None and 0 < at <= now - SOONEST_SECONDS and not heads
            (erased if ripe else hidden).append(at if ripe else event.number)
            continue
        subject, detail = fields["subject"], fields["detail"]
        if what == RESTARTED:
            found = parse_restart(subject, fields["basis"], detail)
            restarts.append(LoggedRestart(restart=found, number=event.number, at=at))
            journal: bytes | None = found.journal
        else:
            journal = parse_journal(detail)
        head = parse_grown(subject)
        heads.append(LoggedHead(head=head, journal=journal, number=event.number, at=at))
    return LoggedJournals(
        heads=heads,
        restarts=restarts,
        erased=len(erased),
        erased_until=max(erased, default=0),
        hidden=min(hidden, default=None),
    )


def line_of(log: LoggedJournals, tree: Tree, name: bytes | None) -> Line:
    """Return the journal ``name`` with those that it goes on from."""
    names: set[bytes | None] = {None}
    held: list[LoggedRestart] = []
    while name is not None and name not in names:
        names.add(name)
        begun = [one for one in log.begun if one.restart.journal == name]
        found = next((one for one in begun if tree.row_of(one) is not None), None)
        if found is None:
            break
        held.append(found)
        name = found.restart.ended
    return Line(names=frozenset(names), restarts=held)


def kept_rows(log: LoggedJournals, tree: Tree, ended: bytes | None) -> int:
    """Return how many rows here the heads of ``ended``, and of what it goes on from, tell of."""
    asked = [one.head for one in line_of(log, tree, ended).asks(log)]
    wrong = min((head.size for head in asked if not tree.fits(head)), default=None)
    return max(
        (head.size for head in asked if tree.fits(head) and (wrong is None or head.size < wrong)),
        default=0,
    )


def undeclared(log: LoggedJournals, name: bytes) -> list[bytes]:
    """Return the journals of which nobody said why they began, this one (``name``) included.

    The first that the log names needs no word. Where a hub erased something, it may be that one of
    these was declared, or that another one was not.
    """
    told = {one.restart.journal for one in log.begun}
    told |= {one.restart.ended for one in log.restarts if one.restart.ended is not None}
    if not log.names:
        return []
    return [
        one for one in dict.fromkeys([*log.names[1:], name]) if one not in told | {log.names[0]}
    ]


def _second(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0
