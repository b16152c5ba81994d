"""The month's tally: counts of what this organisation sent, and nothing of any bundle.

Counted from our own records: accepted indicator bundles of the month, without what was taken back.
A record counts once, under its first role and its first country. Source: formats 5.
"""

import datetime as dt
from collections import Counter

import msgspec

from accord.desk.exchange.client import HubClient
from accord.desk.keyring import Keyring
from accord.desk.storage import MarkState, StoredBundle, Vault, Way
from accord.desk.storage.bundles import WHOLE, lines_of, list_bundles, marks_of
from accord.desk.storage.outbox import OutboxState, outbox_row
from accord.kernel.identifiers import OrgId
from accord.kernel.indicators import IndicatorRecord, Kind, Network, Role
from accord.kernel.markings import BundleKind
from accord.kernel.statements.tally import Cell, Tally, month_end, sign_tally
from accord.protocol import paths
from accord.protocol.schemas.tallies import TallyStored

_PAGE = 500
_ACCEPTED = (OutboxState.STORED, OutboxState.RECEIPTED)
_decode = msgspec.json.Decoder(IndicatorRecord).decode

Place = tuple[Kind, Network | None, Role, str | None]


def last_closed_month(now: int) -> str:
    """Return the month before the one of ``now``, as ``YYYY-MM`` (UTC)."""
    day = dt.datetime.fromtimestamp(now, tz=dt.UTC).replace(day=1)
    return (day - dt.timedelta(days=1)).strftime("%Y-%m")


def make_tally(vault: Vault, org: OrgId, month: str, *, now: int) -> Tally:
    """Count what was sent in ``month``.

    Raises:
        Malformed: ``month_invalid``.
    """
    start, end = _month_start(month), month_end(month)
    counts: Counter[Place] = Counter()
    before: int | None = None
    while bundles := list_bundles(
        vault, way=Way.SENT, kind=BundleKind.INDICATORS.value, before=before, limit=_PAGE
    ):
        before = bundles[-1].no
        for bundle in bundles:
            if start <= bundle.created < end and _was_accepted(vault, bundle):
                _count(vault, bundle, counts)
    cells = [
        Cell(kind=kind, network=network, role=role, country=country, records=records)
        for (kind, network, role, country), records in counts.items()
    ]
    return Tally(
        org=org,
        month=month,
        created=now,
        cells=tuple(sorted(cells, key=lambda cell: cell.place)),
    )


def send_tally(client: HubClient, keyring: Keyring, tally: Tally) -> int:
    """Sign and send a tally; return its number in the audit log.

    Raises:
        Malformed: ``month_open`` when the month is not over.
    """
    signed = sign_tally(tally, keyring.signing)
    answer = client.put(paths.tally(tally.month), signed, paths.STATEMENT_TYPE, TallyStored)
    return int(answer["index"])


def _month_start(month: str) -> int:
    month_end(month)
    year, number = int(month[:4]), int(month[5:])
    return int(dt.datetime(year, number, 1, tzinfo=dt.UTC).timestamp())


def _was_accepted(vault: Vault, bundle: StoredBundle) -> bool:
    row = outbox_row(vault, bundle.id)
    return row is not None and row.state in _ACCEPTED


def _count(vault: Vault, bundle: StoredBundle, counts: Counter[Place]) -> None:
    gone = {
        mark.record
        for mark in marks_of(vault, bundle.org, bundle.id)
        if mark.state is MarkState.RETRACTED
    }
    if WHOLE in gone:
        return
    for number, line in enumerate(lines_of(vault, bundle)):
        if number in gone:
            continue
        record = _decode(line)
        role = record.roles[0] if record.roles else Role.UNKNOWN
        country = record.countries[0] if record.countries else None
        counts[record.kind, record.network, role, country] += 1
