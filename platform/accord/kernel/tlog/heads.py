r"""An organisation's own chain through the audit log: what was left out or moved, shows.

Each event that concerns an organisation carries, as a committed field, that organisation's next
number and the hash of all that came before it:

    start   = SHA-256("hub-audit/v1/org\n" ‖ organisation)
    chain_n = SHA-256("hub-audit/v1/org-event\n" ‖ chain_n-1 ‖ u64 n ‖ u64 number in log ‖ leaf)
    field   = "<organisation> <n> <base64 of chain_n-1>"

Events from before the chain existed have fields without it; they count only at the beginning of
a chain, and the first that has one binds them too.

The field is inside the leaf, the leaf inside the log, the log under the hub's and the witnesses'
signatures: a proof of the newest event with this field opened is the organisation's signed head.
"""

import hashlib
import hmac
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from accord.kernel.encoding import b64decode, b64encode
from accord.kernel.errors import Malformed, VerificationFailed
from accord.kernel.identifiers import OrgId, parse_org_id
from accord.kernel.tlog.leaf import Leaf, RecordFields, parse_record
from accord.kernel.tlog.policy import Policy
from accord.kernel.tlog.proof import parse_proof, verify_proof

FIELD = "member."
"""Beginning of the names of these fields; a number follows."""
HASH_SIZE = 32

_START = b"hub-audit/v1/org\n"
_EVENT = b"hub-audit/v1/org-event\n"
_SEQ = re.compile(r"[1-9][0-9]{0,18}")
_MAX_SEQ = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """Event ``seq`` of ``org``; ``before`` is the chain over the events before it.

    ``before`` is ``None`` in an event from before the chain existed.
    """

    org: OrgId
    seq: int
    before: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnEvent:
    """One event as an organisation gets it: its number in the log, and what opens to it."""

    number: int
    record: RecordFields


@dataclass(frozen=True, slots=True, kw_only=True)
class OrgHead:
    """How far an organisation's chain goes: ``seq`` events, the last one ``number`` in the log.

    ``bound`` says that an event with a chain was among them: from then on each has one.
    """

    org: OrgId
    seq: int
    number: int
    chain: bytes
    bound: bool = False


def chain_start(org: OrgId) -> bytes:
    """Return the chain of an organisation without events."""
    return hashlib.sha256(_START + org.encode()).digest()


def chain_next(before: bytes, *, seq: int, number: int, leaf: Leaf) -> bytes:
    """Return the chain with one event more."""
    return hashlib.sha256(_EVENT + before + struct.pack(">QQ", seq, number) + leaf).digest()


def format_membership(membership: Membership) -> str:
    """Return the value of the field."""
    before = "" if membership.before is None else f" {b64encode(membership.before)}"
    return f"{membership.org} {membership.seq}{before}"


def parse_membership(value: str) -> Membership:
    """Parse the value of the field.

    Raises:
        Malformed: ``membership_invalid`` or a code of the parts.
    """
    parts = value.split(" ")
    if len(parts) not in {2, 3} or _SEQ.fullmatch(parts[1]) is None or int(parts[1]) > _MAX_SEQ:
        raise Malformed(
            "membership_invalid",
            "A member field is an organisation, its number and its chain.",
            observed=value[:80],
        )
    return Membership(
        org=parse_org_id(parts[0]),
        seq=int(parts[1]),
        before=b64decode(parts[2], length=HASH_SIZE) if parts[2:] else None,
    )


def membership_of(record: RecordFields, org: OrgId) -> Membership | None:
    """Return what an event says of ``org``; ``None`` when it opens nothing of the kind.

    Raises:
        Malformed: the field cannot be read.
    """
    for name, value in record.opened().items():
        if name.startswith(FIELD) and value.startswith(f"{org} "):
            return parse_membership(value)
    return None


def start_of(org: OrgId) -> OrgHead:
    """Return the head of an organisation that has no events."""
    return OrgHead(org=org, seq=0, number=-1, chain=chain_start(org))


def verify_head(data: bytes, org: OrgId, policy: Policy) -> OrgHead:
    """Verify an organisation's signed head: a proof of its newest event with the field open.

    Raises:
        Malformed: it is no proof with openings.
        VerificationFailed: ``event_not_ours``, or a code of opening and proof.
    """
    record = parse_record(parse_proof(data).extra)
    verified = verify_proof(data, record.leaf(), policy)
    membership = membership_of(record, org)
    if membership is None or membership.before is None:
        raise VerificationFailed("event_not_ours", "The hub shows a head that is not ours.")
    chain = chain_next(
        membership.before, seq=membership.seq, number=verified.index, leaf=record.leaf()
    )
    return OrgHead(org=org, seq=membership.seq, number=verified.index, chain=chain, bound=True)


def extend_head(head: OrgHead, events: Iterable[OwnEvent]) -> OrgHead:
    """Go on from ``head`` over the events that follow it and return the new head.

    Checked for each: (1) it opens the organisation's number, (2) which is the next one, (3) it
    stands later in the log, (4) its chain is ours. An event that was left out breaks (2), one
    that was put in, moved or changed breaks (2), (3) or (4).

    Raises:
        Malformed: a field cannot be read.
        VerificationFailed: ``event_not_ours``, ``event_gap``, ``event_order``, ``event_chain``.
    """
    for event in events:
        membership = membership_of(event.record, head.org)
        if membership is None:  # (1)
            raise VerificationFailed(
                "event_not_ours",
                "The hub shows an event that does not open our number.",
                observed=f"entry {event.number}",
            )
        if membership.seq != head.seq + 1:  # (2)
            raise VerificationFailed(
                "event_gap",
                "An event of ours is missing, or stands twice.",
                observed=f"number {membership.seq} after {head.seq}",
            )
        if event.number <= head.number:  # (3)
            raise VerificationFailed(
                "event_order",
                "Events of ours stand in another order in the log.",
                observed=f"entry {event.number} after {head.number}",
            )
        before = membership.before
        early = before is None and not head.bound
        if not early and not hmac.compare_digest(before or b"", head.chain):  # (4)
            raise VerificationFailed(
                "event_chain",
                "What the hub shows of our earlier events is not what it has logged.",
                observed=f"before our number {membership.seq}",
            )
        head = OrgHead(
            org=head.org,
            seq=membership.seq,
            number=event.number,
            chain=chain_next(
                head.chain,
                seq=membership.seq,
                number=event.number,
                leaf=event.record.leaf(),
            ),
            bound=not early,
        )
    return head
