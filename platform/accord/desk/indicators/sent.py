"""What this desk has sent already, so that a value is not sent twice without notice."""

import itertools
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import msgspec

from accord.desk.storage import MarkState, Vault
from accord.desk.storage.bundles import WHOLE, find_sent, known_values, marks_of
from accord.desk.storage.outbox import OutboxState, outbox_row, recipients_served
from accord.kernel.identifiers import BundleId, OrgId
from accord.kernel.indicators import IndicatorRecord

_BLOCK = 8_192
_decode = msgspec.json.Decoder(IndicatorRecord).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """A value that is about to be sent, as rows and bundles tell values apart."""

    kind: str
    network: str
    value: str
    memo: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SentBefore:
    """The bundle and record in which a value went out, and when (unix seconds)."""

    bundle: BundleId
    record: int
    created: int


def anything_sent(vault: Vault, recipients: Collection[OrgId]) -> bool:
    """Tell whether any bundle went to all of ``recipients`` and was not refused."""
    return any(set(recipients) <= set(named) for named in recipients_served(vault))


def already_sent(
    vault: Vault,
    sought: Sequence[Sought],
    recipients: Collection[OrgId],
    *,
    but: Collection[bytes] = (),
) -> list[SentBefore | None]:
    """Return for each value where it was last sent to all of ``recipients``, if it was.

    Bundles that the hub refused and records that were taken back do not count: a value may go
    again after a recall, and to somebody who has not got it. Nor do the submissions ``but``.
    """
    found = find_sent(vault, [one.value for one in sought])
    standing: dict[BundleId, set[int] | None] = {}
    answers: list[SentBefore | None] = []
    for one, candidates in zip(sought, found, strict=True):
        answer = None
        for candidate in candidates:
            bundle = candidate.bundle
            if bundle.submission in but:
                continue
            if bundle.id not in standing:
                standing[bundle.id] = _taken_back(vault, bundle.org, bundle.id, recipients)
            gone = standing[bundle.id]
            if gone is None or candidate.record in gone or not _same(one, candidate.line):
                continue
            answer = SentBefore(bundle=bundle.id, record=candidate.record, created=bundle.created)
        answers.append(answer)
    return answers


def sent_again(
    vault: Vault, lines: Iterable[bytes], recipients: Collection[OrgId], *, but: Collection[bytes]
) -> tuple[int, SentBefore | None]:
    """Return how many of the record lines hold a value that was sent before, and the first of them.

    As ``already_sent``, for lines that were encoded long ago.
    """
    count, first = 0, None
    left = iter(lines if anything_sent(vault, recipients) else ())
    while block := [_sought(line) for line in itertools.islice(left, _BLOCK)]:
        was = known_values(vault, [one.value for one in block])
        known = [one for one, known in zip(block, was, strict=True) if known]
        found = [one for one in already_sent(vault, known, recipients, but=but) if one is not None]
        count += len(found)
        first = first or next(iter(found), None)
    return count, first


def sealed_in(vault: Vault, submission: bytes, lines: Sequence[bytes]) -> list[bool]:
    """Tell for each line whether this submission has sealed exactly it, and was not refused."""
    refused: dict[BundleId, bool] = {}

    def counts(bundle: BundleId) -> bool:
        if bundle not in refused:
            row = outbox_row(vault, bundle)
            refused[bundle] = row is not None and row.state is OutboxState.REFUSED
        return not refused[bundle]

    texts = [_decode(line).value for line in lines]
    found = find_sent(vault, texts)
    return [
        any(
            one.bundle.submission == submission and one.line == line and counts(one.bundle.id)
            for one in candidates
        )
        for line, candidates in zip(lines, found, strict=True)
    ]


def _taken_back(
    vault: Vault, org: str, id_: BundleId, recipients: Collection[OrgId]
) -> set[int] | None:
    """Return the records that were taken back, or ``None`` when the whole bundle does not count."""
    row = outbox_row(vault, id_)
    if (
        row is None
        or row.state is OutboxState.REFUSED
        or not set(recipients) <= set(row.recipients)
    ):
        return None
    marks = [mark for mark in marks_of(vault, org, id_) if mark.state is MarkState.RETRACTED]
    gone = {mark.record for mark in marks}
    return None if WHOLE in gone else gone


def _same(one: Sought, line: bytes) -> bool:
    return one == _sought(line)


def _sought(line: bytes) -> Sought:
    record = _decode(line)
    return Sought(
        kind=record.kind.value,
        network="" if record.network is None else record.network.value,
        value=record.value,
        memo=record.memo or "",
    )
