"""Our own numbers in the hub's audit trail, checked against what we did ourselves.

Numbered in the code: (1) the checkpoint has its quorum and is no other history than we have seen;
(2) each event stands in that log; (3) our numbers are gap-free, in order, and their chain is what
the events themselves commit; (4) every acceptance and every head of our journal that the hub told
us it logged, and every delivery that we took, is among them. What the hub left out, moved or
changed fails one of these.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accord.clock import Clock
from accord.desk.exchange.client import HubClient, query_of
from accord.desk.exchange.mirror import DirectoryMirror
from accord.desk.exchange.receipts import ACCEPTED
from accord.desk.storage import Vault
from accord.desk.storage.journal_heads import unlogged_heads
from accord.desk.storage.mirror import SeenCheckpoint, add_checkpoint, latest_checkpoint
from accord.desk.storage.own_events import (
    OwnEventRow,
    add_own_events,
    own_head,
    unlogged_acceptances,
    unlogged_deliveries,
)
from accord.kernel.directory.rootfile import LogName
from accord.kernel.errors import Unavailable, VerificationFailed
from accord.kernel.identifiers import OrgId
from accord.kernel.tlog.checkpoint import CosignedCheckpoint, open_cosigned
from accord.kernel.tlog.growing import ANCHORED
from accord.kernel.tlog.heads import OrgHead, OwnEvent, extend_head
from accord.kernel.tlog.journals import RESTARTED
from accord.kernel.tlog.leaf import parse_record
from accord.kernel.tlog.merkle import leaf_hash, verify_inclusion
from accord.protocol import paths
from accord.protocol.schemas.events import MAX_EVENTS, EventsPage

SLACK_SECONDS = 600
"""Clocks of desk and witnesses may differ so much; a delivery must be logged by then."""

_KEPT = frozenset({ACCEPTED, ANCHORED, RESTARTED})
"""Events of which evidence is made: the hub erases its own copy after its time."""

_SENDER = re.compile(r"(?:^| )sender=([^ ]+)(?: |$)")

_TELL = "Keep this vault as evidence; tell the hub's operator, the registrars and the witnesses."


def check_own_events(
    vault: Vault, client: HubClient, mirror: DirectoryMirror, *, org: OrgId, clock: Clock
) -> int:
    """Take in our events since the last check, verify and compare them; return how many.

    Raises:
        Malformed: the answer cannot be read.
        VerificationFailed: ``event_missing``, ``log_shrunk``, or a code of checkpoint, path, chain.
        Unavailable: the hub cannot be reached. Before its first quorum there is nothing to check.
    """
    count = 0
    cosigned = None
    for page in verified_pages(vault, client, mirror, own_head(vault, org), clock=clock):
        cosigned = page.cosigned
        with vault.transaction() as connection:
            add_checkpoint(connection, _seen(cosigned, page.note, now=clock()))
            rows = _rows(page)
            add_own_events(connection, page.head, rows, now=clock())
        count += len(page.events)
    if cosigned is not None:
        _compare(vault, org, cosigned)  # (4)
    return count


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedPage:
    """Events that stand in the log of ``cosigned`` (signed as ``note``) and lead to ``head``.

    ``items`` are the events as the hub told them, with their paths.
    """

    cosigned: CosignedCheckpoint
    note: bytes
    head: OrgHead
    events: Sequence[OwnEvent]
    items: Sequence[Mapping[str, Any]]


def verified_pages(
    vault: Vault, client: HubClient, mirror: DirectoryMirror, head: OrgHead, *, clock: Clock
) -> Iterator[VerifiedPage]:
    """Yield our events after ``head``, each page verified before it comes; keep nothing.

    Before the hub's first quorum there is none.

    Raises:
        Malformed: the answer cannot be read.
        VerificationFailed: ``log_shrunk``, or a code of checkpoint, path, chain.
        Unavailable: the hub cannot be reached.
    """
    while True:
        query = query_of({"after": head.seq, "limit": MAX_EVENTS})
        try:
            page = client.get_json(paths.EVENTS, EventsPage, query, signed=True)
        except Unavailable as error:
            if error.code == "checkpoint_missing":
                return
            raise
        cosigned = _checkpoint(vault, mirror, page["checkpoint"], now=clock())  # (1)
        events = [_event(item, cosigned) for item in page["items"]]  # (2)
        head = extend_head(head, events)  # (3)
        yield VerifiedPage(
            cosigned=cosigned,
            note=page["checkpoint"],
            head=head,
            events=events,
            items=page["items"],
        )
        if not (page["more"] and events):
            return


def _checkpoint(
    vault: Vault, mirror: DirectoryMirror, note: bytes, *, now: int
) -> CosignedCheckpoint:
    cosigned = open_cosigned(note, mirror.root.log_policy(LogName.AUDIT), now=now)
    found = cosigned.checkpoint
    seen = latest_checkpoint(vault, found.origin)
    if seen is not None and seen.size > found.size:
        raise VerificationFailed(
            "log_shrunk",
            "The hub shows a shorter audit log than before.",
            observed=f"{found.size} after {seen.size}",
            next_step=_TELL,
        )
    return cosigned


def _seen(cosigned: CosignedCheckpoint, note: bytes, *, now: int) -> SeenCheckpoint:
    found = cosigned.checkpoint
    return SeenCheckpoint(
        origin=found.origin, size=found.size, root=found.root, note=note, seen=now
    )


def _event(item: Mapping[str, Any], cosigned: CosignedCheckpoint) -> OwnEvent:
    record = parse_record(item["record"])
    verify_inclusion(
        index=item["number"],
        size=cosigned.checkpoint.size,
        leaf=leaf_hash(record.leaf()),
        path=item["path"],
        root=cosigned.checkpoint.root,
    )
    return OwnEvent(number=item["number"], record=record)


def _rows(page: VerifiedPage) -> list[OwnEventRow]:
    """Return the rows of a page's events; acceptances and heads of journals keep their proof."""
    events, items, size = page.events, page.items, page.cosigned.checkpoint.size
    first = page.head.seq - len(events) + 1
    rows = []
    for seq, (event, item) in enumerate(zip(events, items, strict=True), start=first):
        fields = event.record.opened()
        time = fields.get("time", "")
        kept = fields.get("what") in _KEPT
        rows.append(
            OwnEventRow(
                seq=seq,
                number=event.number,
                what=fields.get("what", ""),
                actor=fields.get("org", ""),
                subject=fields.get("subject", ""),
                outcome=fields.get("outcome", ""),
                sender=_sender(fields),
                at=int(time) if time.isascii() and time.isdigit() else 0,
                opened=item["record"] if kept else None,
                path=b"".join(item["path"]) if kept else None,
                size=size if kept else None,
            )
        )
    return rows


def _sender(fields: Mapping[str, str]) -> str:
    """Return whose bundle an event is about; empty where it does not say so."""
    told = _SENDER.search(fields.get("detail", ""))
    if told is not None:
        return told.group(1)
    return fields.get("org", "") if fields.get("what") == ACCEPTED else ""


def _compare(vault: Vault, org: OrgId, cosigned: CosignedCheckpoint) -> None:
    size = cosigned.checkpoint.size
    accepted = unlogged_acceptances(vault, org, size=size)
    if accepted:
        bundle, index = accepted[0]
        raise VerificationFailed(
            "event_missing",
            "The hub said that a bundle of ours is in its audit log, and it is not.",
            observed=f"{bundle} at {index}, {len(accepted)} in all",
            next_step=_TELL,
        )
    heads = unlogged_heads(vault, what=(ANCHORED, RESTARTED), size=size)
    if heads:
        raise VerificationFailed(
            "event_missing",
            "The hub said that a head of our journal is in its audit log, and it is not.",
            observed=f"{heads[0].head.size} rows at {heads[0].number}, {len(heads)} in all",
            next_step=_TELL,
        )
    before = min(cosigned.times.values(), default=0) - SLACK_SECONDS
    delivered = unlogged_deliveries(vault, org, before=before)
    if delivered:
        raise VerificationFailed(
            "event_missing",
            "We took a bundle from the hub, and its audit log does not say so.",
            observed=f"{delivered[0]}, {len(delivered)} in all",
            next_step=_TELL,
        )
