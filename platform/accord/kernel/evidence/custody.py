"""Which lines of custody the maker's journal proves, and which are the maker's word.

Numbered in the code: (1) each checkpoint has its signatures and the witness quorum under one of the
root files given; (2) each event of a head stands in that log and says whose journal, how many rows
and which root; (3) each row is a leaf of that journal; (4) it says what the line says: the time,
the person, the act, this record; (5) it is not dated after the head that covers it. So the hub and
its witnesses vouch that the row was there at the time of that event and is unchanged since. They do
not vouch that it is true, nor that no other row is there. A line without a row is the maker's word.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from accord.kernel.directory.rootfile import LogName, RootFile
from accord.kernel.directory.transition import CLOCK_SKEW
from accord.kernel.errors import VerificationFailed
from accord.kernel.evidence.journal import Head, Journal, Row
from accord.kernel.evidence.statement import Custody, Statement
from accord.kernel.tlog.checkpoint import verify_cosigned
from accord.kernel.tlog.growing import ANCHORED, GrownHead, parse_grown
from accord.kernel.tlog.journals import RESTARTED
from accord.kernel.tlog.leaf import UNDISCLOSED
from accord.kernel.tlog.merkle import leaf_hash, verify_inclusion
from accord.kernel.tlog.treehead import Checkpoint

LOOKED, MADE, EXPORTED = "looked at the bundle", "made a file of evidence", "exported it as "
"""What lines of custody say."""

_ACTS = {"bundle:view": LOOKED, "evidence:make": MADE}
_EXPORT = "export:make"
_EXPORTED = re.compile(
    r"[1-9][0-9]{0,17} ([a-z0-9-]{1,40}) [0-9]{1,18} records sha256=[0-9a-f]{64}"
)
_TIME = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """A line whose row is under a head of ``rows`` rows: entry ``event`` of the log, second ``at``.

    ``whole`` is false of an export: the row shows the export, its form and the file's hash; that
    this record was in the file is the maker's word.
    """

    rows: int
    at: int
    event: int
    whole: bool

    def words(self, date: str) -> str:
        """Return what a reader is told; ``date`` is ``at`` as text."""
        under = f"proved under the head of {self.rows} rows of {date}, event {self.event}"
        return under if self.whole else f"{under}; that this record was in it: maker's word"


WORD = "maker's word"
"""What a reader is told of a line without a row."""


def verify_custody(statement: Statement, roots: Sequence[RootFile]) -> tuple[Proved | None, ...]:
    """Verify the rows of a statement; return what each line of custody is proved by.

    Args:
        statement: what the maker says.
        roots: root files that vouch for the hub's log, oldest first.

    Raises:
        Malformed: an event's head cannot be read.
        VerificationFailed: ``custody_wrong``, or a code of checkpoint and path.
    """
    journal = statement.journal
    if journal is None:
        return tuple(None for _ in statement.custody)
    checkpoints = [_vouched(note, roots) for note in journal.checkpoints]  # (1)
    for head in journal.heads:
        _check_head(head, checkpoints[head.checkpoint])  # (2)
    for line in statement.custody:
        if line.row is not None:
            _check_row(line.row, journal)  # (3)
    return claimed(statement)


def claimed(statement: Statement) -> tuple[Proved | None, ...]:
    """Return what each line of custody is said to be proved by, without any signature or path.

    Raises:
        Malformed: an event's head cannot be read.
        VerificationFailed: ``custody_wrong``.
    """
    return tuple(
        None if line.row is None or statement.journal is None else _claim(statement, line, line.row)
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


def _claim(statement: Statement, line: Custody, row: Row) -> Proved:
    head, at = head_of(statement, row)
    fields = row.record.opened()
    bundle = f"{statement.sender} {statement.bundle}"
    about = (bundle, f"{bundle} record {statement.index}")
    if not says(fields, line, about):  # (4)
        raise VerificationFailed(
            "custody_wrong",
            "A row of the journal says something else than its line of custody.",
            observed=f"second {line.at}",
            next_step="Ask whoever made it for the file again, and keep this one.",
        )
    if line.at > at + CLOCK_SKEW:  # (5)
        raise VerificationFailed(
            "custody_wrong",
            "A row of the journal is dated after the head that covers it.",
            observed=f"second {line.at}, head of second {at}",
            next_step="Ask whoever made it for the file again, and keep this one.",
        )
    index = 0 if statement.journal is None else statement.journal.heads[row.head].index
    return Proved(rows=head.size, at=at, event=index, whole=fields.get("act") != _EXPORT)


def head_of(statement: Statement, row: Row) -> tuple[GrownHead, int]:
    """Return the head over a row, and the second of its event.

    Raises:
        Malformed: ``journal_head_invalid``.
        VerificationFailed: ``custody_wrong``.
    """
    heads = () if statement.journal is None else statement.journal.heads
    fields = heads[row.head].record.opened()
    said = (fields.get("outcome"), fields.get("org"))
    time = fields.get("time", "")
    if (
        fields.get("what") not in {ANCHORED, RESTARTED}
        or said != ("ok", statement.org)
        or not _TIME.fullmatch(time)
    ):
        raise VerificationFailed(
            "custody_wrong",
            "An event is no head of the maker's journal.",
            observed=f"{fields.get('what')} of {fields.get('org')}"[:120],
            next_step="Ask whoever made it for the file again, and keep this one.",
        )
    return parse_grown(fields.get("subject", "")), int(time)


def _vouched(note: bytes, roots: Sequence[RootFile]) -> Checkpoint:
    """Return a checkpoint under the newest root file that vouches for it."""
    for root in reversed(roots[1:]):
        try:
            return verify_cosigned(note, root.log_policy(LogName.AUDIT))
        except VerificationFailed:
            continue
    return verify_cosigned(note, roots[0].log_policy(LogName.AUDIT))


def _check_head(head: Head, checkpoint: Checkpoint) -> None:
    verify_inclusion(
        index=head.index,
        size=checkpoint.size,
        leaf=leaf_hash(head.record.leaf()),
        path=head.path,
        root=checkpoint.root,
    )


def _check_row(row: Row, journal: Journal) -> None:
    head = parse_grown(journal.heads[row.head].record.opened().get("subject", ""))
    record = row.record
    if record.leaf_class != UNDISCLOSED:
        raise VerificationFailed("custody_wrong", "A row of a journal has no class.")
    verify_inclusion(
        index=row.place - 1,
        size=head.size,
        leaf=leaf_hash(record.leaf()),
        path=row.path,
        root=head.root,
    )
