"""Custody as this desk's journal proves it: rows of acts, each under the earliest head over it.

A row is shown with its time, person, act and object; the stated reason and the act's number stay
closed. What is under no head whose proof is here, or does not say just what its line says, stays
the maker's word. Nothing here is verified: the whole file is, before it is handed out.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from accord.desk.storage import Vault
from accord.desk.storage.evidence import KeptEvent, heads_kept, kept_event
from accord.desk.storage.journal_leaves import act_leaf, leaf_hashes
from accord.kernel.directory.transition import CLOCK_SKEW
from accord.kernel.evidence.custody import says
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


def shown(vault: Vault, done: Sequence[Done], said: Statement, *, origin: str) -> Shown:
    """Return the lines with what the journal proves of them.

    Args:
        vault: the open vault.
        done: oldest first.
        said: what the maker says, without custody.
        origin: of the hub's audit log.
    """
    leaves = _leaves(vault, done, said)
    heads = heads_kept(vault)
    sizes = [(parse_grown(subject), number) for number, subject in heads]
    largest = max((head.size for head, _ in sizes), default=0)
    tree = GrownTree(leaf_hashes(vault.connection, largest) if leaves else [])
    over = _earliest(vault, leaves, sizes, tree, origin=origin)
    chosen = _few(over)
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


def _earliest(
    vault: Vault,
    leaves: Mapping[int, tuple[int, RecordFields]],
    heads: Sequence[tuple[GrownHead, int]],
    tree: GrownTree,
    *,
    origin: str,
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
                known[number] = _over(vault, head, number, origin=origin)
            one = known[number]
            if one is not None:
                found[at] = one
                break
    return found


def _over(vault: Vault, head: GrownHead, number: int, *, origin: str) -> _Over | None:
    kept = kept_event(vault, origin=origin, number=number)
    if kept is None:
        return None
    return _Over(head=head, kept=kept, at=int(parse_record(kept.opened).opened()["time"]))


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
