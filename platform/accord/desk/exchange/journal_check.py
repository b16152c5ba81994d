"""The journal compared with every head of it in the hub's witnessed log, and what else is there.

Other journals of the organisation and every restart are told for ever, as information; what does
not fit, and what nobody declared, is a problem. Which heads must fit: ``journal_standing``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from accord.clock import Clock
from accord.desk.exchange.client import HubClient
from accord.desk.exchange.journal_standing import (
    Line,
    LoggedHead,
    LoggedJournals,
    LoggedRestart,
    Tree,
    line_of,
    logged_journals,
    undeclared,
)
from accord.desk.exchange.mirror import DirectoryMirror
from accord.desk.exchange.own_events import verified_pages
from accord.desk.storage import Vault
from accord.desk.storage.journal import Act
from accord.desk.storage.journal_heads import sent_heads
from accord.desk.storage.journal_leaves import journal_leaves, rows_without_leaf
from accord.desk.storage.journal_names import journal_name, restart_rows
from accord.kernel.errors import VerificationFailed
from accord.kernel.identifiers import OrgId
from accord.kernel.tlog.growing import GrowingTree
from accord.kernel.tlog.heads import start_of
from accord.kernel.tlog.journals import Cause

_TELL = (
    "Keep this vault as evidence: somebody changed the journal, or the hub wrote what it was not "
    "sent. If an older vault was put back on purpose: accord journal restart --because restored "
    "--reason WHY."
)
_NO_MEND = (
    "Keep this vault as evidence: no restart mends a row that was changed. If a copy of the vault "
    "from before it was changed is put back: accord journal restart --because restored --reason "
    "WHY."
)
_SAY = (
    "If the vault was made anew, put back or is a second desk's, say so at that desk: accord "
    "journal restart --because CAUSE --reason WHY; if that desk is gone, here: --because lost-desk "
    "--ended NAME. If not, somebody else has this organisation's keys, or changed a vault: keep it "
    "as evidence."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherJournal:
    """Another journal of the organisation: rows at its largest head, first and last second."""

    journal: bytes
    rows: int
    since: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldRestart:
    """A restart in the log; the journals before it had ``rows`` rows; ``person`` if done here."""

    logged: LoggedRestart
    rows: int
    person: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalReport:
    """The journal of this vault: its rows, heads in the log, and how many rows the largest covers.

    ``erased`` events cannot be compared any more: a hub of an earlier release erased them, up
    to second ``erased_until``; of ``untold`` journals it can then not be said whether it was told
    why they began. ``problem`` is the first thing that is wrong, or ``None``.
    """

    rows: int
    heads: int
    covered: int
    erased: int
    erased_until: int
    untold: Sequence[bytes]
    others: Sequence[OtherJournal]
    restarts: Sequence[ToldRestart]
    problem: VerificationFailed | None

    def words(self) -> str:
        """Return a report without a problem in one line."""
        until = f", {self.erased} erased with their time, up to second {self.erased_until}"
        erased = until if self.erased else ""
        return (
            f"{self.rows} rows; all {self.heads} heads of it in the hub's log fit{erased}; "
            f"{self.rows - self.covered} rows came after the last head"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What was compared: the log, the journal here, those that it goes on from; and the report."""

    log: LoggedJournals
    tree: Tree
    line: Line
    report: JournalReport


def check_journal(
    vault: Vault, client: HubClient, mirror: DirectoryMirror, *, org: OrgId, clock: Clock
) -> JournalReport:
    """Compare the journal and return the report of one without a problem.

    Raises:
        VerificationFailed: the report's problem, or as ``compare_journal``.
        Malformed, Unavailable: as ``compare_journal``.
    """
    report = compare_journal(vault, client, mirror, org=org, clock=clock).report
    if report.problem is not None:
        raise report.problem
    return report


def compare_journal(
    vault: Vault, client: HubClient, mirror: DirectoryMirror, *, org: OrgId, clock: Clock
) -> Compared:
    """Hash every row of the journal again and compare it with every head in the hub's log.

    Numbered in the code: (1) all our events are fetched anew and verified, because the vault's own
    copy is the vault's word, and none of them is closed before its time; (2) each row still makes
    its leaf, and each row is one; (3) the journal was not ended by another; (4) the tree has the
    root of every head that must fit; (5) of each journal but the first somebody said why it began:
    where something was erased that is a doubt of the report and no problem.

    Raises:
        VerificationFailed: what ``verified_pages`` raises.
        Malformed: an event cannot be read.
        Unavailable: the hub cannot be reached.
    """
    # Before the journal is read: a head that is sent meanwhile is not in this answer.
    pages = verified_pages(vault, client, mirror, start_of(org), clock=clock)
    events = [event for page in pages for event in page.events]
    log = logged_journals(events, now=clock())  # (1)
    tree = _tree(vault, {one.head.size for one in log.heads})  # (2)
    line = line_of(log, tree, tree.name)
    problem = _hidden(log) or _with_flaws(
        _ended(log, tree)  # (3)
        or _first_misfit(log, tree, line)  # (4)
        or flawed(tree)
        or (None if log.erased else _undeclared(log, tree)),  # (5)
        tree,
    )
    asked = list(line.asks(log))
    report = JournalReport(
        rows=tree.rows,
        heads=len(asked),
        covered=max((one.head.size for one in asked), default=0),
        erased=log.erased,
        erased_until=log.erased_until,
        untold=undeclared(log, tree.name) if log.erased else [],
        others=[_other(log, name) for name in log.open_besides(tree.name)],
        restarts=[_told(log, tree, one) for one in log.restarts],
        problem=problem,
    )
    return Compared(log=log, tree=tree, line=line, report=report)


def _tree(vault: Vault, wanted: set[int]) -> Tree:
    roots: dict[int, bytes] = {}
    tree = GrowingTree()
    flaws: list[str] = []
    for leaf in journal_leaves(vault.connection):
        if leaf.flaw:
            flaws.append(leaf.flaw)
        tree.add(leaf.hash)
        if tree.size in wanted:
            roots[tree.size] = tree.root()
    flaws += [f"{row} is in no leaf" for row in rows_without_leaf(vault.connection)]
    return Tree(
        name=journal_name(vault.connection),
        rows=tree.size,
        roots=roots,
        flaws=flaws,
        acts=restart_rows(vault.connection, act=Act.JOURNAL_RESTART.value),
        sent=frozenset(one.head for one in sent_heads(vault)),
    )


def _hidden(log: LoggedJournals) -> VerificationFailed | None:
    """Find an event that a hub in league with a thief closed, so that nothing is compared."""
    if log.hidden is None:
        return None
    return VerificationFailed(
        "journal_head_hidden",
        "The hub does not say what an event of ours was, which may be a head of our journal.",
        observed=f"event {log.hidden}",
        next_step="Keep this vault as evidence; tell the registrars and the witnesses.",
    )


def _ended(log: LoggedJournals, tree: Tree) -> VerificationFailed | None:
    """Find that another journal goes on for this one, or that a restart of it has no row here."""
    ender = log.ender(tree.name)
    if ender is not None:
        return VerificationFailed(
            "journal_ended",
            "This journal ended, and another goes on for it: an older vault was put back, or the "
            "desk goes on elsewhere.",
            observed=f"event {ender.number}, {short(ender.restart.journal)} goes on",
            next_step=_TELL,
        )
    for one in log.restarts:
        if one.restart.journal == tree.name and tree.row_of(one) is None:
            return VerificationFailed(
                "journal_restart_unknown",
                "The hub's log says that this journal began anew, and no row here says so.",
                observed=f"event {one.number}",
                next_step=_TELL,
            )
    return None


def _first_misfit(log: LoggedJournals, tree: Tree, line: Line) -> VerificationFailed | None:
    one = next((one for one in line.asks(log) if not tree.fits(one.head)), None)
    if one is None:
        return None
    where = f"head of {one.head.size} rows, second {one.at}, event {one.number}"
    if one.head.size > tree.rows:
        return _cut(one, tree, where)
    if one.head not in tree.sent:
        return VerificationFailed(
            "journal_head_unknown",
            "The hub's log has a head of our journal that this desk does not remember sending.",
            observed=where,
            next_step=_TELL,
        )
    return VerificationFailed(
        "journal_changed",
        "A row of this desk's journal was changed, taken out or put in.",
        observed=where,
        next_step=_TELL,
    )


def _cut(one: LoggedHead, tree: Tree, where: str) -> VerificationFailed:
    known = "which we sent" if one.head in tree.sent else "which we do not remember sending"
    return VerificationFailed(
        "journal_cut",
        "The hub's log has a head of more rows than this journal has.",
        observed=f"{where}, {known}; {tree.rows} rows here",
        next_step=_TELL,
    )


def flawed(tree: Tree) -> VerificationFailed | None:
    """Return that rows are not what their leaves say, whatever heads say; or ``None``."""
    if not tree.flaws:
        return None
    return VerificationFailed(
        "journal_changed",
        "A row of this desk's journal was changed, taken out or put in.",
        observed=f"{_named(tree)}; {len(tree.flaws)} in all",
        next_step=_NO_MEND,
    )


def _with_flaws(problem: VerificationFailed | None, tree: Tree) -> VerificationFailed | None:
    """Name the rows that no restart mends with whatever was found first."""
    if problem is None or not tree.flaws:
        return problem
    seen, named = problem.observed or "", _named(tree)
    return VerificationFailed(
        problem.code,
        problem.message,
        observed=seen if named in seen else f"{seen}; {named}",
        next_step=_NO_MEND,
    )


def _named(tree: Tree) -> str:
    return "; ".join(tree.flaws[:3])


def _undeclared(log: LoggedJournals, tree: Tree) -> VerificationFailed | None:
    found = undeclared(log, tree.name)
    if not found:
        return None
    named = ", ".join(
        f"{short(one)} (this one)" if one == tree.name else short(one) for one in found[:3]
    )
    return VerificationFailed(
        "journal_undeclared",
        "This organisation has another journal, and nobody said why it began.",
        observed=f"{named}; the first one is {short(log.names[0])}",
        next_step=_SAY,
    )


def _other(log: LoggedJournals, name: bytes) -> OtherJournal:
    heads = log.of(name)
    return OtherJournal(
        journal=name,
        rows=max(one.head.size for one in heads),
        since=heads[0].at,
        last=heads[-1].at,
    )


def _told(log: LoggedJournals, tree: Tree, one: LoggedRestart) -> ToldRestart:
    of: set[bytes | None] = {one.restart.ended}
    if one.restart.cause is not Cause.LOST_DESK:
        of.add(None)
    before = [
        head.head.size for head in log.heads if head.number < one.number and head.journal in of
    ]
    row = tree.row_of(one)
    return ToldRestart(
        logged=one, rows=max(before, default=0), person=None if row is None else row.person
    )


def short(journal: bytes) -> str:
    """Return the part of a journal's name that people compare."""
    return journal.hex()[:8]
