"""Custody as this desk's journal proves it: rows of acts, each under the earliest head over it.

A row is shown with its time, person, act and object; the stated reason and the act's number stay
closed. A head counts when a verifier would take it: it names this journal, and its time can be.
What is under none, or does not say just what its line says, stays the maker's word: an event that
is no such head, whoever had it logged, keeps no file from being made. Nothing here is verified: the
whole file is, before it is handed out.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from accord.desk.storage import Vault
from accord.desk.storage.evidence import KeptEvent, heads_kept, kept_event
from accord.desk.storage.journal_leaves import act_leaf, leaf_hashes
from accord.desk.storage.journal_names import journal_name
from accord.kernel.directory.transition import CLOCK_SKEW
from accord.kernel.errors import AccordError
from accord.kernel.evidence.custody import says
from accord.kernel.evidence.heads import backwards, read_head
from accord.kernel.evidence.journal import MAX_HEADS, Head, Journal, Row
from accord.kernel.evidence.statement import Custody, Statement
from accord.kernel.tlog.growing import GrownHead, GrownTree, parse_grown
from accord.kernel.tlog.leaf import RecordFields, parse_record

_KEPT_BACK = frozenset({"no", "reason"})
_EVENT_SAYS = frozenset({"time", "what", "org", "subject", "basis", "outcome", "detail"})
"""What stays open of a head's event: not how many events the organisation has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A line of custody, and the act of the journal that says so, if there is one."""

    line: Custody
    act: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Lines of custody with their rows, and the heads over them."""

    custody: tuple[Custody, ...]
    journal: Journal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Over:
    """A head over rows: its entry of the hub's log, and the second of that."""

    head: GrownHead
    kept: KeptEvent
    at: int

    @property
    def entry(self) -> tuple[int, int]:
        """Number and second of the event."""
        return self.kept.number, self.at


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What heads have to fit: the statement, the log, its entry that accepted the bundle."""

    said: Statement
    origin: str
    accepted: tuple[int, int]


def shown(
    vault: Vault, done: Sequence[Done], said: Statement, *, origin: str, accepted: tuple[int, int]
) -> Shown:
    """Return the lines with what the journal proves of them.

    Args:
        vault: the open vault.
        done: oldest first.
        said: what the maker says, without custody.
        origin: of the hub's audit log.
        accepted: number and second of its entry that says that the bundle was accepted.
    """
    asked = _Asked(said=said, origin=origin, accepted=accepted)
    leaves = _leaves(vault, done, said)
    sizes = _sizes(vault)
    largest = max((head.size for head, _ in sizes), default=0)
    tree = GrownTree(leaf_hashes(vault.connection, largest) if leaves else [])
    chosen = _in_time(_few(_earliest(vault, leaves, sizes, tree, asked)), accepted)
    rows = _rows(done, leaves, chosen, tree)
    used = sorted({one.kept.number for one, _ in rows.values()})
    custody = tuple(
        replace(one.line, row=replace(rows[at][1], head=used.index(rows[at][0].kept.number)))
        if at in rows
        else one.line
        for at, one in enumerate(done)
    )
    kept = {one.kept.number: one.kept for one, _ in rows.values()}
    return Shown(custody=custody, journal=_journal([kept[number] for number in used]))


def _leaves(
    vault: Vault, done: Sequence[Done], said: Statement
) -> Mapping[int, tuple[int, RecordFields]]:
    """Return line -> place and fields of the row that says just what the line says."""
    bundle = f"{said.sender} {said.bundle}"
    about = (bundle, f"{bundle} record {said.index}")
    found = {}
    for at, one in enumerate(done):
        leaf = None if one.act is None else act_leaf(vault.connection, one.act)
        if leaf is not None and says(leaf[1].opened(), one.line, about):
            found[at] = (leaf[0], leaf[1].close(_KEPT_BACK))
    return found


def _sizes(vault: Vault) -> list[tuple[GrownHead, int]]:
    """Return the heads whose proof is here with their numbers, but for what is no head."""
    found = []
    for number, subject in heads_kept(vault):
        try:
            found.append((parse_grown(subject), number))
        except AccordError:
            continue
    return found


def _earliest(
    vault: Vault,
    leaves: Mapping[int, tuple[int, RecordFields]],
    heads: Sequence[tuple[GrownHead, int]],
    tree: GrownTree,
    asked: _Asked,
) -> Mapping[int, _Over]:
    """Return line -> the earliest head over its row; heads that do not fit are another journal's.

    Heads of a journal grow, so that the smallest over a row is the earliest.
    """
    ordered = sorted(heads, key=lambda one: (one[0].size, one[1]))
    sizes = [head.size for head, _ in ordered]
    count, found, known = tree.size, {}, dict[int, _Over | None]()
    for at, (place, _) in leaves.items():
        for head, number in ordered[bisect_left(sizes, place) :]:
            if head.size > count:
                break
            if tree.root(head.size) != head.root:
                continue
            if number not in known:
                known[number] = _over(vault, number, asked)
            one = known[number]
            if one is not None:
                found[at] = one
                break
    return found


def _over(vault: Vault, number: int, asked: _Asked) -> _Over | None:
    """Return a head of this journal that a verifier would take, or ``None``."""
    kept = kept_event(vault, origin=asked.origin, number=number)
    if kept is None:
        return None
    try:
        found = read_head(_event(kept), asked.said.org)
    except AccordError:
        return None
    if (
        found.journal != journal_name(vault.connection)
        or found.at > asked.said.made + CLOCK_SKEW
        or backwards([asked.accepted, (number, found.at)])
    ):
        return None
    return _Over(head=found.head, kept=kept, at=found.at)


def _in_time(over: Mapping[int, _Over], accepted: tuple[int, int]) -> Mapping[int, _Over]:
    """Return the same without heads that are dated before an earlier one."""
    late = backwards([accepted, *{one.entry for one in over.values()}])
    return {at: one for at, one in over.items() if one.kept.number not in late}


def _few(over: Mapping[int, _Over]) -> Mapping[int, _Over]:
    """Return the same with ``MAX_HEADS`` heads at most: others go under the next that is kept."""
    every = sorted({one.head.size: one for one in over.values()}.items())
    step = -(-len(every) // MAX_HEADS) or 1
    kept = every[::-step][::-1]
    sizes = [size for size, _ in kept]
    return {at: kept[bisect_left(sizes, one.head.size)][1] for at, one in over.items()}


def _rows(
    done: Sequence[Done],
    leaves: Mapping[int, tuple[int, RecordFields]],
    over: Mapping[int, _Over],
    tree: GrownTree,
) -> dict[int, tuple[_Over, Row]]:
    """Return line -> its head and row; the row's ``head`` is not numbered yet."""
    found, places = {}, set[int]()
    for at, head in over.items():
        place, record = leaves[at]
        if done[at].line.at > head.at + CLOCK_SKEW or place in places:
            continue
        places.add(place)
        path = tuple(tree.path(place - 1, head.head.size))
        found[at] = (head, Row(place=place, head=0, record=record, path=path))
    return found


def _journal(kept: Sequence[KeptEvent]) -> Journal | None:
    if not kept:
        return None
    notes = list(dict.fromkeys(one.note for one in kept))
    return Journal(
        checkpoints=tuple(notes),
        heads=tuple(
            Head(
                index=one.number,
                checkpoint=notes.index(one.note),
                record=_event(one),
                path=one.path,
            )
            for one in kept
        ),
    )


def _event(kept: KeptEvent) -> RecordFields:
    record = parse_record(kept.opened)
    return record.close(record.opened().keys() - _EVENT_SAYS)
