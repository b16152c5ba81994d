"""What this desk has sent already, so that a value is not sent twice without notice."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from accord.desk.storage import MarkState, Vault, Way
from accord.desk.storage.bundles import WHOLE, find_records, marks_of
from accord.desk.storage.outbox import OutboxState, outbox_row
from accord.kernel.identifiers import BundleId
from accord.kernel.indicators import IndicatorRecord

_LIMIT = 16
_decode = msgspec.json.Decoder(IndicatorRecord).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class SentBefore:
    """The bundle and record in which a value went out, and when (unix seconds)."""

    bundle: BundleId
    record: int
    created: int
    submission: bytes | None


def already_sent(vault: Vault, records: Sequence[IndicatorRecord]) -> list[SentBefore | None]:
    """Return for each record where its value (kind, network and text) was last sent, if it was.

    Bundles that the hub refused and records that were taken back do not count.
    """
    found = find_records(vault, [record.value for record in records], limit=_LIMIT, way=Way.SENT)
    live: dict[BundleId, set[int] | None] = {}
    answers: list[SentBefore | None] = []
    for record, (_, candidates) in zip(records, found, strict=True):
        answer = None
        for one in candidates:
            if one.bundle.id not in live:
                live[one.bundle.id] = _taken_back(vault, one.bundle.org, one.bundle.id)
            gone = live[one.bundle.id]
            if gone is None or one.record in gone or not _same(record, _decode(one.line)):
                continue
            answer = SentBefore(
                bundle=one.bundle.id,
                record=one.record,
                created=one.bundle.created,
                submission=one.bundle.submission,
            )
        answers.append(answer)
    return answers


def sealed_in(vault: Vault, submission: bytes, lines: Sequence[bytes]) -> list[bool]:
    """Tell for each line whether this submission has sealed exactly it, and was not refused."""
    refused: dict[BundleId, bool] = {}

    def counts(bundle: BundleId) -> bool:
        if bundle not in refused:
            row = outbox_row(vault, bundle)
            refused[bundle] = row is not None and row.state is OutboxState.REFUSED
        return not refused[bundle]

    texts = [_decode(line).value for line in lines]
    found = find_records(vault, texts, limit=_LIMIT, way=Way.SENT)
    return [
        any(
            one.bundle.submission == submission and one.line == line and counts(one.bundle.id)
            for one in candidates
        )
        for line, (_, candidates) in zip(lines, found, strict=True)
    ]


def _taken_back(vault: Vault, org: str, id_: BundleId) -> set[int] | None:
    """Return the records that were taken back, or ``None`` when the whole bundle does not count."""
    row = outbox_row(vault, id_)
    if row is not None and row.state is OutboxState.REFUSED:
        return None
    marks = [mark for mark in marks_of(vault, org, id_) if mark.state is MarkState.RETRACTED]
    gone = {mark.record for mark in marks}
    return None if WHOLE in gone else gone


def _same(one: IndicatorRecord, other: IndicatorRecord) -> bool:
    return (one.kind, one.network, one.value) == (other.kind, other.network, other.value)
