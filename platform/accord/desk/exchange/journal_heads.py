"""The journal's head in the hub's witnessed log, and the journal compared with every head there.

The desk sends size and root, never a row; a head is written down before it is sent, so that one
that we never sent is known for what it is. Nothing here runs while somebody searches: heads go in
the desk's rounds, and what could not be sent goes in the next.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from accord.clock import Clock
from accord.desk.exchange.client import HubClient
from accord.desk.exchange.mirror import DirectoryMirror
from accord.desk.exchange.own_events import verified_pages
from accord.desk.storage import Vault
from accord.desk.storage.journal_heads import (
    begin_head,
    finish_head,
    last_sent,
    leaf_count,
    sent_heads,
)
from accord.desk.storage.journal_leaves import journal_head, journal_leaves, rows_without_leaf
from accord.kernel.encoding import b64encode
from accord.kernel.errors import Conflict, NotFound, Refused, Unavailable, VerificationFailed
from accord.kernel.identifiers import OrgId
from accord.kernel.tlog.growing import ANCHORED, GrowingTree, GrownHead, parse_grown
from accord.kernel.tlog.heads import OwnEvent, start_of
from accord.protocol import paths
from accord.protocol.schemas.journal import JournalAnchored

PAUSE_SECONDS = 60
"""Time that a desk lets pass between two heads."""

_TELL = (
    "Keep this vault as evidence. Was an older vault put back, or does another desk have the same "
    "keys? If neither, somebody changed the journal; or the hub wrote what it was not sent."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchoredHead:
    """A head as the hub's log has it: event ``number``, and the second that the event says."""

    head: GrownHead
    number: int
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalReport:
    """A journal that holds: its rows, heads in the log, and how many rows the largest covers.

    ``erased`` heads cannot be compared any more: the hub erased them with their time.
    """

    rows: int
    heads: int
    covered: int
    erased: int

    def words(self) -> str:
        """Return the report in one line."""
        erased = f", {self.erased} erased with their time" if self.erased else ""
        return (
            f"{self.rows} rows; all {self.heads} heads of it in the hub's log fit{erased}; "
            f"{self.rows - self.covered} rows came after the last head"
        )


def send_head(vault: Vault, client: HubClient, *, clock: Clock) -> int | None:
    """Send the newest head if it is new and the last one is a while ago.

    Returns the number of its event, or ``None`` when nothing was sent or it must wait. A head that
    the hub refuses (an older vault that was put back) stops no round: the check tells of it.
    """
    now = clock()
    last = last_sent(vault)
    if last is not None:
        known = last.number is not None and leaf_count(vault) == last.head.size
        if known or 0 <= now - last.at < PAUSE_SECONDS:
            return None
    with vault.transaction() as connection:
        head = journal_head(connection)
        if not head.size:
            return None
        begin_head(connection, head, now=now)
    body = json.dumps({"size": head.size, "root": b64encode(head.root)}).encode()
    try:
        answer = client.put(paths.JOURNAL_HEAD, body, paths.JSON_TYPE, JournalAnchored)
    except (Conflict, NotFound, Refused, Unavailable):
        return None
    number = int(answer["index"])
    finish_head(vault, head, number=number)
    return number


def check_journal(
    vault: Vault, client: HubClient, mirror: DirectoryMirror, *, org: OrgId, clock: Clock
) -> JournalReport:
    """Hash every row of the journal again and compare it with every head in the hub's log.

    Numbered in the code: (1) all our events are fetched anew and verified, because the vault's own
    copy is the vault's word; (2) each row still makes its leaf, and each row is one; (3) the tree
    has the root of every head at its size. The first head that does not fit is told.

    Raises:
        VerificationFailed: ``journal_cut``, ``journal_changed``, ``journal_head_unknown``, or what
            ``verified_pages`` raises.
        Unavailable: the hub cannot be reached.
    """
    # Before the journal is read: a head that is sent meanwhile is not in this answer.
    anchored, erased = _anchored(
        [
            event
            for page in verified_pages(vault, client, mirror, start_of(org), clock=clock)
            for event in page.events
        ]
    )  # (1)
    wanted = {one.head.size for one in anchored}
    roots: dict[int, bytes] = {}
    tree = GrowingTree()
    flaws: list[str] = []
    for leaf in journal_leaves(vault.connection):  # (2)
        if leaf.flaw:
            flaws.append(leaf.flaw)
        tree.add(leaf.hash)
        if tree.size in wanted:
            roots[tree.size] = tree.root()
    flaws += [f"{row} is in no leaf" for row in rows_without_leaf(vault.connection)]
    _compare(vault, anchored, roots, flaws, rows=tree.size)  # (3)
    return JournalReport(
        rows=tree.size, heads=len(anchored), covered=max(wanted, default=0), erased=erased
    )


def _anchored(events: Sequence[OwnEvent]) -> tuple[list[AnchoredHead], int]:
    """Return the heads among our events, and how many were erased with their time."""
    found, erased = [], 0
    for event in events:
        fields = event.record.opened()
        if fields.get("what") != ANCHORED:
            continue
        subject = fields.get("subject")
        if subject is None:
            erased += 1
            continue
        head = parse_grown(subject)
        found.append(AnchoredHead(head=head, number=event.number, at=fields.get("time", "?")))
    return found, erased


def _compare(
    vault: Vault,
    anchored: Sequence[AnchoredHead],
    roots: dict[int, bytes],
    flaws: Sequence[str],
    *,
    rows: int,
) -> None:
    sent = {one.head for one in sent_heads(vault)}
    named = "; ".join(flaws[:3])
    for one in anchored:
        if roots.get(one.head.size) == one.head.root:
            continue
        where = f"head of {one.head.size} rows, second {one.at}, event {one.number}"
        if one.head.size > rows:
            known = "which we sent" if one.head in sent else "which we do not remember sending"
            raise VerificationFailed(
                "journal_cut",
                "The hub's log has a head of more rows than this journal has.",
                observed=f"{where}, {known}; {rows} rows here",
                next_step=_TELL,
            )
        if one.head not in sent:
            raise VerificationFailed(
                "journal_head_unknown",
                "The hub's log has a head of our journal that this desk does not remember sending.",
                observed="; ".join(filter(None, [where, named])),
                next_step=_TELL,
            )
        raise VerificationFailed(
            "journal_changed",
            "A row of this desk's journal was changed, taken out or put in.",
            observed="; ".join(filter(None, [where, named])),
            next_step=_TELL,
        )
    if flaws:
        raise VerificationFailed(
            "journal_changed",
            "A row of this desk's journal was changed, taken out or put in.",
            observed=f"{named}; {len(flaws)} in all; every head fits",
            next_step=_TELL,
        )
