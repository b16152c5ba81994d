"""Recall: what a retraction says, how one is sent, and how one is applied.

A retraction is itself a sealed, signed bundle (kind ``retraction``) of one line: which bundle of
the same organisation, which records (none named: all), why, and by when recipients should have
applied it. Only the signer of the original takes it back: the mark is kept under the signer's own
name, so that a retraction by somebody else touches nothing. Format: formats 5.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from accord.clock import Clock
from accord.desk.exchange.submission import Plan, SentBundle, Submissions
from accord.desk.storage import Mark, MarkState, StoredBundle, Vault, Way
from accord.desk.storage.bundles import WHOLE, add_mark
from accord.desk.storage.outbox import OutboxState, outbox_row
from accord.kernel.bundle.model import MAX_RECORDS, HandlingPolicy, Header
from accord.kernel.directory.organisation import Status
from accord.kernel.directory.state import DirectoryState
from accord.kernel.encoding import (
    JsonValue,
    dump_object,
    parse_object,
    require_int,
    require_keys,
    require_list,
    require_str,
)
from accord.kernel.envelope.payload import PayloadHead
from accord.kernel.errors import Malformed, Refused, VerificationFailed
from accord.kernel.identifiers import BundleId, OrgId, parse_bundle_id
from accord.kernel.markings import BundleKind, LegalBasis, Onward, Purpose, Tlp, parse_code

MAX_LINE = 4 * 1024 * 1024
MAX_NOTE = 500
DEADLINE = 24 * 3600
"""Seconds that recipients have to apply a recall, unless told otherwise."""

LIFETIME = 90 * 86_400
"""Seconds that a retraction stays valid at least."""


class Reason(StrEnum):
    """Why something is taken back."""

    ERROR = "error"
    FALSE_POSITIVE = "false-positive"
    OUTDATED = "outdated"
    LEGAL = "legal"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retraction:
    """The one line of a retraction; no ``records`` means the whole bundle."""

    id: BundleId
    reason: Reason
    deadline: int
    records: tuple[int, ...] = ()
    note: str | None = None


def format_retraction(retraction: Retraction) -> bytes:
    """Return the line, without LF; ``parse_retraction`` judges it."""
    obj: dict[str, JsonValue] = {"id": retraction.id}
    if retraction.records:
        obj["records"] = list(retraction.records)
    obj["reason"] = retraction.reason.value
    if retraction.note is not None:
        obj["note"] = retraction.note
    obj["deadline"] = retraction.deadline
    return dump_object(obj)


def parse_retraction(line: bytes) -> Retraction:
    """Parse the line strictly.

    Raises:
        Malformed: ``json_*``, ``key_*``, ``value_invalid``, ``bundle_id_invalid``,
            ``reason_unknown``.
    """
    obj = parse_object(line, limit=MAX_LINE)
    require_keys(
        obj,
        required=("id", "records", "reason", "note", "deadline"),
        optional=("records", "note"),
    )
    records: list[int] = []
    if "records" in obj:
        for record in require_list(obj, "records", minimum=1, maximum=MAX_RECORDS):
            if not isinstance(record, int) or isinstance(record, bool) or record < 0:
                raise Malformed("value_invalid", "A record is a number from 0.")
            records.append(record)
        if records != sorted(set(records)):
            raise Malformed("value_invalid", "'records' must rise, each number once.")
    note = require_str(obj, "note", limit=MAX_NOTE) if "note" in obj else None
    if note is not None and not note.isprintable():
        raise Malformed("value_invalid", "'note' holds characters that cannot be seen.")
    return Retraction(
        id=parse_bundle_id(obj["id"]),
        records=tuple(records),
        reason=parse_code(Reason, obj["reason"], code="reason_unknown"),
        note=note,
        deadline=require_int(obj, "deadline"),
    )


def read_retraction(header: Header, lines: Sequence[bytes]) -> Retraction:
    """Return the retraction that an opened bundle holds.

    Raises:
        Malformed: it has not exactly one line, or as ``parse_retraction``.
        VerificationFailed: ``retraction_other`` when header and line name different bundles.
    """
    if len(lines) != 1:
        raise Malformed(
            "retraction_lines", "A retraction has one line.", observed=f"{len(lines)} lines"
        )
    retraction = parse_retraction(lines[0])
    if header.refs != (retraction.id,):
        raise VerificationFailed(
            "retraction_other", "Header and content name different bundles.", observed=header.id
        )
    return retraction


def apply_retraction(
    connection: sqlite3.Connection, org: OrgId, by: BundleId, retraction: Retraction, *, now: int
) -> None:
    """Mark what ``org`` took back; also before the bundle itself has arrived."""
    for record in retraction.records or (WHOLE,):
        mark = Mark(
            record=record,
            state=MarkState.RETRACTED,
            by_org=org,
            by_id=by,
            code=retraction.reason.value,
            note=retraction.note,
            deadline=retraction.deadline,
            at=now,
        )
        add_mark(connection, org, retraction.id, mark)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """A retraction that was sent: how far it came, to whom, and who was left out as gone."""

    retraction: Retraction
    sent: SentBundle
    recipients: tuple[OrgId, ...]
    gone: tuple[OrgId, ...]


def send_retraction(
    submissions: Submissions,
    vault: Vault,
    state: DirectoryState,
    original: StoredBundle,
    *,
    retraction: Retraction,
    clock: Clock,
) -> Recall:
    """Take back a bundle of ours, or records of it, at every recipient that is still enrolled.

    Raises:
        Refused: ``retraction_not_ours``, ``retraction_not_sent``, ``retraction_nobody``,
            ``record_unknown``.
    """
    row = outbox_row(vault, original.id)
    if original.way is not Way.SENT or row is None:
        raise Refused(
            "retraction_not_ours",
            "Only the organisation that sent a bundle can take it back.",
            observed=f"sent by {original.org}",
        )
    if row.state in {OutboxState.REFUSED, OutboxState.SEALED}:
        raise Refused(
            "retraction_not_sent", "This bundle never reached anybody.", observed=row.state.value
        )
    if retraction.records and retraction.records[-1] >= original.n:
        raise Refused(
            "record_unknown",
            f"The bundle has {original.n} records, counted from 0.",
            observed=str(retraction.records[-1]),
        )
    active = tuple(org for org in row.recipients if _is_active(state, org))
    if not active:
        raise Refused("retraction_nobody", "No recipient of this bundle is enrolled any more.")
    now = clock()
    sent = submissions.send_lines(
        Plan(
            recipients=active,
            policy=_policy(original),
            expires=max(original.expires, now + LIFETIME),
            head=PayloadHead(title="Retraction"),
            kind=BundleKind.RETRACTION,
            refs=(original.id,),
            recalls=True,
        ),
        [format_retraction(retraction)],
    )
    if sent.state is not OutboxState.REFUSED:
        with vault.transaction() as connection:
            apply_retraction(connection, original.org, sent.id, retraction, now=now)
    return Recall(
        retraction=retraction,
        sent=sent,
        recipients=active,
        gone=tuple(org for org in row.recipients if org not in active),
    )


def _is_active(state: DirectoryState, org: OrgId) -> bool:
    found = state.find_organisation(org)
    return found is not None and found.status is Status.ACTIVE


def _policy(original: StoredBundle) -> HandlingPolicy:
    return HandlingPolicy(
        tlp=Tlp(original.tlp),
        purpose=Purpose(original.purpose),
        legal_basis=LegalBasis(original.legal_basis),
        onward=Onward(original.onward),
    )
