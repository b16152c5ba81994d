"""Who has confirmed what we sent: recipients' signed acknowledgements, and the recall ledger.

Each acknowledgement is verified with the directory before it counts, so that a hub cannot invent
one; holding one back shows as pending, and past the deadline as overdue.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from accord.desk.exchange.client import HubClient, query_of
from accord.desk.exchange.mirror import DirectoryMirror
from accord.desk.exchange.signers import statement_signer
from accord.desk.storage import Vault
from accord.desk.storage.acknowledgements import Said, add_said, said_of
from accord.desk.storage.bundles import sent_manifest
from accord.desk.storage.outbox import outbox_row
from accord.kernel import dsse
from accord.kernel.errors import AccordError, Malformed, Unavailable
from accord.kernel.identifiers import BundleId, OrgId
from accord.kernel.statements.acknowledgement import (
    ACKNOWLEDGEMENT_TYPE,
    MAX_ACKNOWLEDGEMENT,
    Outcome,
    parse_acknowledgement,
    verify_acknowledgement,
)
from accord.protocol import paths
from accord.protocol.schemas.acknowledgements import AcknowledgementPage

PAGE = 100
_CURSOR = "acknowledgement_cursor"


_APPLIED = (Outcome.RECALL_APPLIED.value,)
_RECEIVED = (Outcome.RECALL_APPLIED.value, Outcome.OPENED.value, Outcome.RECEIVED.value)


class Standing(StrEnum):
    """How far one recipient is with a bundle or a recall."""

    CONFIRMED = "confirmed"
    REFUSED = "refused"
    PENDING = "pending"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """One recipient's standing; ``at`` is when it said so."""

    org: OrgId
    standing: Standing
    outcome: str | None
    code: str | None
    at: int | None


def collect(vault: Vault, client: HubClient, mirror: DirectoryMirror) -> tuple[int, int]:
    """Fetch new acknowledgements of our bundles; return (kept, refused) counts.

    A recipient that rotated signs with a key that our copy of the directory may lack: it is brought
    up to date once before such a statement is refused for good.

    Raises:
        Unavailable: the hub cannot be reached.
        VerificationFailed: the directory does not hold.
    """
    kept = refused = 0
    more, fresh = True, False
    while more:
        stored = vault.setting(_CURSOR)
        cursor = int(stored) if stored else 0
        query = query_of({"after": cursor, "limit": PAGE})
        page = client.get_json(paths.ACKNOWLEDGEMENTS, AcknowledgementPage, query, signed=True)
        for item in page["items"]:
            if not fresh and _unknown(mirror, item["statement"]):
                mirror.refresh()
                fresh = True
            try:
                kept += _keep(vault, mirror, OrgId(item["org"]), item["statement"])
            except Unavailable:
                raise
            except AccordError:
                refused += 1
        following = int(page["next"])
        vault.put_setting(_CURSOR, str(max(following, cursor)).encode())
        more = bool(page["more"]) and following > cursor
    return kept, refused


def confirmations(
    vault: Vault, bundle: BundleId, *, now: int, deadline: int | None = None
) -> list[Confirmation]:
    """Return where each recipient of a bundle of ours stands, in the order of sending.

    Args:
        vault: the open vault.
        bundle: a bundle (or retraction) that was sent from here.
        now: unix seconds.
        deadline: for a retraction, when it should have been applied; only ``recall-applied``
            confirms one.
    """
    row = outbox_row(vault, bundle)
    said = said_of(vault, bundle)
    waiting = Standing.OVERDUE if deadline is not None and now > deadline else Standing.PENDING
    enough = _RECEIVED if deadline is None else _APPLIED
    return [
        _standing(org, said.get(org, ()), waiting, enough)
        for org in (row.recipients if row else ())
    ]


def _standing(
    org: OrgId, words: Sequence[Said], waiting: Standing, enough: Sequence[str]
) -> Confirmation:
    """Judge all that a recipient ever said: what was done once stays done, in whatever order."""
    by_state = {word.state: word for word in words}
    found = next((by_state[state] for state in enough if state in by_state), None)
    standing = Standing.CONFIRMED
    if found is None:
        found = by_state.get(Outcome.REFUSED.value)
        standing = Standing.REFUSED
    if found is None:
        found = next(iter(words), None)
        standing = waiting
    if found is None:
        return Confirmation(org=org, standing=waiting, outcome=None, code=None, at=None)
    return Confirmation(
        org=org,
        standing=standing,
        outcome=found.state,
        code=found.code,
        at=found.at,
    )


def _unknown(mirror: DirectoryMirror, statement: bytes) -> bool:
    """Tell whether a key that our copy of the directory lacks signed ``statement``."""
    try:
        envelope = dsse.parse(
            statement, payload_type=ACKNOWLEDGEMENT_TYPE, limit=MAX_ACKNOWLEDGEMENT
        )
    except Malformed:
        return False
    return not all(mirror.state.has_key(pair.kid) for pair in envelope.signatures)


def _keep(vault: Vault, mirror: DirectoryMirror, org: OrgId, statement: bytes) -> int:
    """Keep what of a verified acknowledgement speaks of bundles of ours, sent to that recipient.

    A recipient may have rotated its key since it signed: judged is the time of signing.
    """
    envelope = dsse.parse(statement, payload_type=ACKNOWLEDGEMENT_TYPE, limit=MAX_ACKNOWLEDGEMENT)
    at = parse_acknowledgement(envelope.payload).created
    said = verify_acknowledgement(statement, lambda kid: statement_signer(mirror.state, kid, at=at))
    words = []
    for item in said.items:
        manifest = sent_manifest(vault, item.bundle)
        row = outbox_row(vault, item.bundle)
        named = row is not None and said.org == org and org in row.recipients
        if named and manifest == item.manifest:
            words.append(
                Said(
                    id=item.bundle,
                    org=org,
                    state=item.state.value,
                    code=item.code,
                    at=item.time,
                    dsse=statement,
                )
            )
    add_said(vault, words)
    return len(words)
