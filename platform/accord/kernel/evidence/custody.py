"""Which lines of custody the maker's journal proves, and which are the maker's word.

Numbered in the code: (1) each checkpoint has its signatures and the witness quorum under one of the
root files given; (2) each event of a head stands in that log and says how many rows the journal
had and which root; all heads are of one journal of the maker; (3) each row is a leaf of it; (4) it
says what the line says: the time, the person, the act, this record; (5) times can be: no row is
dated after the head that covers it, no head after the file was made, and the hub's times of heads
and acceptance do not run backwards in its log. So the hub and its witnesses vouch that the row was
there at that event and is unchanged since. They do not vouch that it is true, nor that no other row
or other journal is there. A line without a row is the maker's word.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from accord.kernel.directory.rootfile import LogName, RootFile
from accord.kernel.directory.transition import CLOCK_SKEW
from accord.kernel.errors import VerificationFailed
from accord.kernel.evidence.heads import ROW, LoggedHead, backwards, opened_as, read_head, refuse
from accord.kernel.evidence.journal import Head, Row
from accord.kernel.evidence.statement import Custody, Statement
from accord.kernel.tlog.checkpoint import open_cosigned
from accord.kernel.tlog.merkle import leaf_hash, verify_inclusion
from accord.kernel.tlog.policy import Policy
from accord.kernel.tlog.treehead import Checkpoint

LOOKED, MADE, EXPORTED = "looked at the bundle", "made a file of evidence", "exported it as "
"""What lines of custody say."""

_ACTS = {"bundle:view": LOOKED, "evidence:make": MADE}
_EXPORT = "export:make"
_EXPORTED = re.compile(
    r"[1-9][0-9]{0,17} ([a-z0-9-]{1,40}) [0-9]{1,18} records sha256=[0-9a-f]{64}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """A line whose row is under a head of ``rows`` rows: entry ``event`` of the hub's log.

    Attributes:
        rows: of the journal at that head.
        journal: its name in hex, empty of before journals had one.
        at: second of the event by the hub's clock.
        witnessed: by when a quorum had signed a checkpoint over it; ``None`` where none was read.
        event: number of the entry.
        whole: false of an export: the row shows the export, its form and the file's hash; that
            this record was in the file is the maker's word.
    """

    rows: int
    journal: str
    at: int
    witnessed: int | None
    event: int
    whole: bool

    def words(self, date: str, witnessed: str = "") -> str:
        """Return what a reader is told; the arguments are ``at`` and ``witnessed`` as text."""
        named = f"journal {self.journal[:8]}" if self.journal else "a journal without a name"
        seen = f" (seen by the witnesses by {witnessed})" if witnessed else ""
        under = (
            f"proved under the head of {self.rows} rows of {named}, dated {date} by the hub{seen},"
            f" event {self.event}"
        )
        return under if self.whole else f"{under}; that this record was in it: maker's word"


WORD = "maker's word"
"""What a reader is told of a line without a row."""


def verify_custody(
    statement: Statement, roots: Sequence[RootFile], accepted: tuple[int, int]
) -> tuple[Proved | None, ...]:
    """Verify the rows of a statement; return what each line of custody is proved by.

    Args:
        statement: what the maker says.
        roots: root files that vouch for the hub's log, oldest first.
        accepted: number and second of the entry that says that the bundle was accepted.

    Raises:
        Malformed: an event's head cannot be read.
        VerificationFailed: ``custody_wrong``, or a code of checkpoint and path.
    """
    journal = statement.journal
    if journal is None:
        return tuple(None for _ in statement.custody)
    seen = [_vouched(note, roots) for note in journal.checkpoints]  # (1)
    for event in journal.heads:
        _check_head(event, seen[event.checkpoint][0])  # (2)
    heads = _heads(statement)
    for line in statement.custody:
        if line.row is not None:
            _check_row(line.row, heads[line.row.head])  # (3)
    logged = zip((one.index for one in journal.heads), (one.at for one in heads), strict=True)
    if late := backwards([accepted, *logged]):  # (5)
        refuse("The hub's times run backwards in its log.", f"entry {min(late)}")
    return _claims(statement, heads, [seen[one.checkpoint][1] for one in journal.heads])


def claimed(statement: Statement) -> tuple[Proved | None, ...]:
    """Return what each line of custody is said to be proved by, without any signature or path.

    Raises:
        Malformed: an event's head cannot be read.
        VerificationFailed: ``custody_wrong``.
    """
    heads = _heads(statement)
    return _claims(statement, heads, [None for _ in heads])


def _heads(statement: Statement) -> Sequence[LoggedHead]:
    """Return what the heads say, all of one journal (2)."""
    events = () if statement.journal is None else statement.journal.heads
    heads = [read_head(one.record, statement.org) for one in events]
    names = {one.journal for one in heads}
    if len(names) > 1:
        refuse("Heads of several journals are shown as one.", f"{len(names)} names")
    late = max((one.at for one in heads), default=0)
    if late > statement.made + CLOCK_SKEW:  # (5)
        refuse("A head is dated after the file was made.", f"{late} after {statement.made}")
    return heads


def _claims(
    statement: Statement, heads: Sequence[LoggedHead], seen: Sequence[int | None]
) -> tuple[Proved | None, ...]:
    return tuple(
        None
        if line.row is None
        else _claim(statement, line, line.row, heads[line.row.head], seen[line.row.head])
        for line in statement.custody
    )


def says(fields: dict[str, str], line: Custody, about: Sequence[str]) -> bool:
    """Tell whether a row's open fields say what a line of custody says.

    Args:
        fields: of the row.
        line: the line.
        about: how the journal names the record, and the bundle as a whole.
    """
    said = (fields.get("kind"), fields.get("at"), fields.get("person"))
    act, subject = fields.get("act", ""), fields.get("object", "")
    if said != ("act", str(line.at), line.who):
        return False
    if act == _EXPORT:
        found = _EXPORTED.fullmatch(subject)
        return found is not None and line.what == EXPORTED + found[1]
    return _ACTS.get(act) == line.what and subject in about


def _claim(
    statement: Statement, line: Custody, row: Row, head: LoggedHead, seen: int | None
) -> Proved:
    fields = opened_as(row.record, ROW)
    bundle = f"{statement.sender} {statement.bundle}"
    about = (bundle, f"{bundle} record {statement.index}")
    if not says(fields, line, about):  # (4)
        refuse(
            "A row of the journal says something else than its line of custody.",
            f"second {line.at}",
        )
    if line.at > head.at + CLOCK_SKEW:  # (5)
        refuse(
            "A row of the journal is dated after the head that covers it.",
            f"second {line.at}, head of second {head.at}",
        )
    return Proved(
        rows=head.head.size,
        journal="" if head.journal is None else head.journal.hex(),
        at=head.at,
        witnessed=seen,
        event=0 if statement.journal is None else statement.journal.heads[row.head].index,
        whole=fields["act"] != _EXPORT,
    )


def _vouched(note: bytes, roots: Sequence[RootFile]) -> tuple[Checkpoint, int | None]:
    """Return a checkpoint under the newest root file that vouches for it, and when it was seen."""
    for root in reversed(roots[1:]):
        try:
            return _seen(note, root.log_policy(LogName.AUDIT))
        except VerificationFailed:
            continue
    return _seen(note, roots[0].log_policy(LogName.AUDIT))


def _seen(note: bytes, policy: Policy) -> tuple[Checkpoint, int | None]:
    """Return a checkpoint, and the first second by which a quorum of witnesses had signed it."""
    found = open_cosigned(note, policy)
    for second in sorted(set(found.times.values())):
        if policy.met_by([name for name, at in found.times.items() if at <= second]):
            return found.checkpoint, second
    return found.checkpoint, None


def _check_head(head: Head, checkpoint: Checkpoint) -> None:
    verify_inclusion(
        index=head.index,
        size=checkpoint.size,
        leaf=leaf_hash(head.record.leaf()),
        path=head.path,
        root=checkpoint.root,
    )


def _check_row(row: Row, logged: LoggedHead) -> None:
    verify_inclusion(
        index=row.place - 1,
        size=logged.head.size,
        leaf=leaf_hash(row.record.leaf()),
        path=row.path,
        root=logged.head.root,
    )
