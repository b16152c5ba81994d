"""Who has confirmed what we sent: recipients' signed acknowledgements, and the recall ledger.

Each acknowledgement is verified with the directory before it counts, so that a hub cannot invent
one; holding one back shows as pending, and past the deadline as overdue.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from accord.desk.exchange.client import HubClient, query_of
from accord.desk.exchange.mirror import DirectoryMirror
from accord.desk.storage import Vault
from accord.desk.storage.outbox import outbox_row
from accord.kernel.errors import AccordError, Unavailable
from accord.kernel.identifiers import BundleId, OrgId
from accord.kernel.statements.acknowledgement import Outcome, verify_acknowledgement
from accord.protocol import paths
from accord.protocol.schemas.acknowledgements import AcknowledgementPage

PAGE = 100
_CURSOR = "acknowledgement_cursor"


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

    Raises:
        Unavailable: the hub cannot be reached.
    """
    kept = refused = 0
    more = True
    while more:
        stored = vault.setting(_CURSOR)
        cursor = int(stored) if stored else 0
        query = query_of({"after": cursor, "limit": PAGE})
        page = client.get_json(paths.ACKNOWLEDGEMENTS, AcknowledgementPage, query, signed=True)
        for item in page["items"]:
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
        deadline: for a retraction, when it should have been applied.
    """
    row = outbox_row(vault, bundle)
    said = _said(vault, bundle)
    waiting = Standing.OVERDUE if deadline is not None and now > deadline else Standing.PENDING
    answers = []
    for org in row.recipients if row else ():
        found = said.get(org)
        if found is None:
            answers.append(
                Confirmation(org=org, standing=waiting, outcome=None, code=None, at=None)
            )
            continue
        outcome, code, at = found
        refused = outcome == Outcome.REFUSED.value
        answers.append(
            Confirmation(
                org=org,
                standing=Standing.REFUSED if refused else Standing.CONFIRMED,
                outcome=outcome,
                code=code,
                at=at,
            )
        )
    return answers


def _keep(vault: Vault, mirror: DirectoryMirror, org: OrgId, statement: bytes) -> int:
    said = verify_acknowledgement(statement, mirror.state.signer_at)
    rows: list[Sequence[object]] = []
    for item in said.items:
        sent = vault.connection.execute(
            "SELECT manifest FROM bundles WHERE id = ? AND way = 'sent'", (item.bundle,)
        ).fetchone()
        recipient = outbox_row(vault, item.bundle)
        ours = sent is not None and bytes(sent[0]) == item.manifest
        if ours and recipient is not None and said.org == org and org in recipient.recipients:
            rows.append((item.bundle, org, item.state.value, item.code, item.time, statement))
    with vault.transaction() as connection:
        connection.executemany(
            "INSERT INTO acknowledgements VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", rows
        )
    return len(rows)


def _said(vault: Vault, bundle: BundleId) -> dict[OrgId, tuple[str, str | None, int]]:
    """Return the last word of each recipient."""
    rows = vault.connection.execute(
        "SELECT org, state, code, at FROM acknowledgements WHERE id = ? ORDER BY at, state",
        (bundle,),
    )
    return {OrgId(row[0]): (row[1], row[2], row[3]) for row in rows}
