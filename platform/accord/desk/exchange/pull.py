"""Receiving: stream deliveries, open and check each, import or quarantine it, acknowledge.

One delivery is one transaction: bundle, records, what it does to others, its row and the cursor.
A broken transfer goes on after the last whole delivery. What cannot be opened is kept with its
code and acknowledged as refused, so that its sender learns of it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from accord.clock import Clock
from accord.desk.exchange.client import HubClient
from accord.desk.exchange.correspondence import read_arrival
from accord.desk.exchange.mirror import DirectoryMirror
from accord.desk.exchange.news import STALE, News, Resync
from accord.desk.exchange.ours import require_ours
from accord.desk.exchange.retraction import apply_retraction, read_retraction
from accord.desk.exchange.signers import note_drained
from accord.desk.indicators import import_opened, import_other
from accord.desk.keyring import Keyring
from accord.desk.storage import Vault
from accord.desk.storage.bundles import purge_expired
from accord.desk.storage.deliveries import (
    DeliveryRow,
    DeliveryState,
    add_delivery,
    delivery_cursor,
    mark_acknowledged,
    unacknowledged,
)
from accord.desk.storage.hints import missing, settle_deliveries
from accord.desk.storage.holds import HeldBundles
from accord.desk.storage.journal import Act, record_act
from accord.kernel.bundle.framing import TrimmedBundle, parse_trimmed
from accord.kernel.bundle.manifest import MAX_BODY
from accord.kernel.envelope.opening import OpenedBundle, open_trimmed
from accord.kernel.errors import (
    AccordError,
    Conflict,
    Malformed,
    NotFound,
    Refused,
    Unavailable,
    VerificationFailed,
)
from accord.kernel.identifiers import BundleId, OrgId, parse_bundle_id
from accord.kernel.indicators import IndicatorRecord, parse_lines
from accord.kernel.markings import BundleKind
from accord.kernel.statements.acknowledgement import (
    MAX_ITEMS,
    Acknowledgement,
    Item,
    Outcome,
    sign_acknowledgement,
)
from accord.protocol import paths
from accord.protocol.schemas.acknowledgements import AcknowledgementsStored
from accord.protocol.schemas.bundles import MAX_WAIT
from accord.protocol.schemas.fields import MAX_U63

PAGE = 1000
"""Deliveries asked for in one stream."""

MAX_DELIVERY = MAX_BODY + 1024 * 1024
"""Largest trimmed bundle: the largest body with its header, manifest, entry and path."""

DAY = 86_400
_PREFIX = 16
_INDICATORS = (BundleKind.INDICATORS, BundleKind.LIST)


@dataclass(slots=True, kw_only=True)
class PullReport:
    """What one pull brought; ``refused`` holds (sequence number, code).

    ``missing`` counts what the feed ever announced and what never came.
    """

    bundles: int = 0
    records: int = 0
    quarantined: int = 0
    recalls: int = 0
    repeated: int = 0
    acknowledged: int = 0
    purged: int = 0
    missing: int = 0
    resync: Resync | None = None
    refused: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One delivery as it was dealt with, for a progress line or a stream of results."""

    seq: int
    state: DeliveryState
    bundle: BundleId | None
    org: OrgId | None
    kind: str | None
    records: int
    quarantined: int
    code: str | None


OnReceived = Callable[[Received], None]


class Pull:
    """Receives for one organisation."""

    def __init__(
        self,
        *,
        vault: Vault,
        client: HubClient,
        mirror: DirectoryMirror,
        keyring: Keyring,
        org: OrgId,
        clock: Clock,
    ) -> None:
        """Work with what is handed down."""
        self._vault = vault
        self._client = client
        self._mirror = mirror
        self._keyring = keyring
        self._org = org
        self._clock = clock
        self._news = News(vault, client, largest=MAX_DELIVERY)

    def pull(
        self,
        *,
        retention_days: int,
        on_received: OnReceived = lambda _received: None,
        resync: bool = False,
    ) -> PullReport:
        """Receive all that is new, acknowledge it, and delete what is past its retention.

        Args:
            retention_days: days that plaintext is kept after its ``expires``.
            on_received: told of each delivery.
            resync: somebody wants the whole feed read again.

        Raises:
            Unavailable: the hub cannot be reached; what arrived is kept.
            VerificationFailed: the directory does not hold; nothing is opened. Or
                ``keys_not_ours``.
            Refused: ``standing_lost``.
            Conflict: ``cursor_other``, ``cursor_future``: somebody has to look first.
        """
        state = self._mirror.refresh()
        require_ours(state, self._org, self._keyring)
        size = state.size
        report = PullReport()
        if resync:
            self._resync("asked for", report, on_received)
        try:
            self._news.read()
        except (Conflict, Malformed) as error:
            if error.code not in STALE:
                raise
            self._resync(error.code, report, on_received)
        while self._one_stream(report, on_received):
            continue
        with self._vault.transaction() as connection:
            settle_deliveries(connection)
        report.missing = len(missing(self._vault))
        note_drained(self._vault, size=size, now=self._clock())
        report.acknowledged = self.acknowledge()
        report.purged = self.purge(retention_days)
        return report

    def wait_for_news(self, seconds: int = MAX_WAIT) -> bool:
        """Long-poll the feed; tell whether there is anything new. Items are hints only.

        Raises:
            Unavailable: the hub cannot be reached or is too busy to let us wait.
            Conflict, Malformed: the hub refuses the cursor; the next pull mends what can be.
        """
        return self._news.read(wait=seconds) > 0

    def _resync(self, reason: str, report: PullReport, on_received: OnReceived) -> None:
        """Read the whole feed again, and write down that and why."""
        record_act(
            self._vault,
            person="desk",
            act=Act.FEED_RESYNC,
            subject=self._org,
            reason=reason,
            now=self._clock(),
        )

        def fetch(seq: int, raw: bytes) -> None:
            received = self.receive(seq, raw)
            _count(report, received)
            on_received(received)

        report.resync = self._news.resync(reason, fetch)

    def acknowledge(self) -> int:
        """Send signed acknowledgements of all that was dealt with; return how many."""
        done = 0
        while rows := unacknowledged(self._vault, limit=MAX_ITEMS):
            # The hub hands a statement on as it was signed: no sender learns of another's bundles.
            for sender in dict.fromkeys(row.org for row in rows):
                self._acknowledge([row for row in rows if row.org == sender])
            done += len(rows)
        return done

    def purge(self, retention_days: int) -> int:
        """Delete plaintext past its ``expires`` and our retention, unless held; write it down."""
        now = self._clock()
        gone = purge_expired(
            self._vault,
            before=now - retention_days * DAY,
            now=now,
            held=HeldBundles(self._vault).covers,
        )
        for bundle in gone:
            record_act(
                self._vault,
                person="desk",
                act=Act.BUNDLE_PURGE,
                subject=bundle.subject,
                reason=f"expired {bundle.expires}, kept {retention_days} days",
                now=now,
            )
        return len(gone)

    def _one_stream(self, report: PullReport, on_received: OnReceived) -> int:
        """Deal with one stream of deliveries; return how many there were."""
        cursor = delivery_cursor(self._vault)
        query = self._news.query(cursor, limit=PAGE)
        count = 0
        with self._client.stream(paths.DELIVERIES, query) as pieces:
            for seq, raw in read_deliveries(pieces):
                if seq <= cursor:
                    raise VerificationFailed(
                        "feed_backwards",
                        "The hub's deliveries are out of order.",
                        observed=f"{seq} after {cursor}",
                    )
                cursor = seq
                received = self.receive(seq, raw)
                _count(report, received)
                on_received(received)
                count += 1
        return count

    def receive(self, seq: int, raw: bytes) -> Received:
        """Check, open and store one delivery; what fails is kept with its code.

        Raises:
            Unavailable: the directory or the vault cannot be used now; the delivery comes again.
        """
        trimmed: TrimmedBundle | None = None
        try:
            trimmed = parse_trimmed(raw)
            if trimmed.entry.org != self._org:
                raise VerificationFailed(
                    "entry_other", "The delivery is for somebody else.", observed=trimmed.entry.org
                )
            if trimmed.header.kind in _INDICATORS:
                return self._keep(seq, self._open(raw, trimmed))
            return self._keep_other(seq, self._open_lines(raw, trimmed))
        except Unavailable:
            raise
        except AccordError as error:
            return self._refuse(seq, raw, trimmed, error)

    def _open(self, raw: bytes, trimmed: TrimmedBundle) -> OpenedBundle[IndicatorRecord]:
        return open_trimmed(
            raw,
            signer_lookup=lambda kid: self._mirror.signer_of(trimmed.header, kid),
            kem_keys=self._keyring.opening_keys,
            now=self._clock(),
            parse_records=parse_lines,
        )

    def _open_lines(self, raw: bytes, trimmed: TrimmedBundle) -> OpenedBundle[bytes]:
        return open_trimmed(
            raw,
            signer_lookup=lambda kid: self._mirror.signer_of(trimmed.header, kid),
            kem_keys=self._keyring.opening_keys,
            now=self._clock(),
            parse_records=lambda lines: lines,
        )

    def _keep(self, seq: int, opened: OpenedBundle[IndicatorRecord]) -> Received:
        now = self._clock()
        with self._vault.transaction() as connection:
            new = import_opened(self._vault, connection, opened, now=now)
            state = DeliveryState.OPENED if new else DeliveryState.REPEATED
            add_delivery(connection, _row(seq, opened.trimmed, state, now), None)
        quarantined = len(opened.quarantined)
        return _received(
            seq,
            opened.trimmed,
            state,
            records=len(opened.lines) - quarantined,
            quarantined=quarantined,
        )

    def _keep_other(self, seq: int, opened: OpenedBundle[bytes]) -> Received:
        now = self._clock()
        header = opened.header
        retraction = None
        if header.kind is BundleKind.RETRACTION:
            retraction = read_retraction(header, opened.lines)
        arrival = read_arrival(self._vault, header, opened.lines, own=self._org, now=now)
        with self._vault.transaction() as connection:
            new = import_other(
                self._vault,
                connection,
                opened,
                now=now,
                records=arrival.records,
                quarantined=arrival.quarantined,
            )
            if new:
                arrival.note(connection)
            state = DeliveryState.OPENED if new else DeliveryState.REPEATED
            if retraction is not None and new:
                apply_retraction(connection, header.org, header.id, retraction, now=now)
                state = DeliveryState.RECALL_APPLIED
            add_delivery(connection, _row(seq, opened.trimmed, state, now), None)
        quarantined = len(arrival.quarantined)
        return _received(
            seq,
            opened.trimmed,
            state,
            records=len(opened.lines) - quarantined,
            quarantined=quarantined,
        )

    def _refuse(
        self, seq: int, raw: bytes, trimmed: TrimmedBundle | None, error: AccordError
    ) -> Received:
        now = self._clock()
        state = DeliveryState.REFUSED
        if trimmed is None:
            row = DeliveryRow(
                seq=seq, org=None, id=None, manifest=None, state=state, at=now, code=error.code
            )
        else:
            row = _row(seq, trimmed, state, now, error=error)
        with self._vault.transaction() as connection:
            add_delivery(connection, row, raw)
        return _received(seq, trimmed, state, code=error.code)

    def _acknowledge(self, rows: list[DeliveryRow]) -> None:
        """Sign and send one statement about bundles of one sender."""
        now = self._clock()
        # An acknowledgement names an id and outcome once; the same bundle again is covered by it.
        items = {(row.id, row.state): _item(row) for row in rows}
        statement = sign_acknowledgement(
            Acknowledgement(org=self._org, created=now, items=tuple(items.values())),
            self._keyring.signing,
        )
        try:
            self._client.post(
                paths.ACKNOWLEDGEMENTS, statement, paths.STATEMENT_TYPE, AcknowledgementsStored
            )
        except (NotFound, Refused) as error:
            if isinstance(error, Refused) and error.code != "acknowledgement_mixed":
                raise
            # The hub knows one of them under another manifest, or of another sender: it changed
            # what it delivered. Each is then told by itself, and the one in question stays in the
            # vault as refused.
            if len(rows) > 1:
                for row in rows:
                    self._acknowledge([row])
                return
        mark_acknowledged(self._vault, [row.seq for row in rows], now=now)


def read_deliveries(pieces: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield (sequence number, trimmed bundle) from a stream of u64 seq, u64 length, bytes.

    A stream that ends inside a delivery simply ends: the rest comes with the next one.

    Raises:
        Malformed: ``delivery_too_long``, ``answer_invalid``.
    """
    buffer = bytearray()
    for piece in pieces:
        buffer += piece
        while len(buffer) >= _PREFIX:
            size = int.from_bytes(buffer[8:_PREFIX], "big")
            if size > MAX_DELIVERY:
                raise Malformed(
                    "delivery_too_long",
                    f"A delivery has at most {MAX_DELIVERY} bytes.",
                    observed=f"{size} bytes",
                )
            if len(buffer) < _PREFIX + size:
                break
            seq = int.from_bytes(buffer[:8], "big")
            if seq > MAX_U63:
                raise Malformed(
                    "answer_invalid", "A delivery has an impossible number.", observed=str(seq)
                )
            raw = bytes(buffer[_PREFIX : _PREFIX + size])
            del buffer[: _PREFIX + size]
            yield seq, raw


def _item(row: DeliveryRow) -> Item:
    outcome = {
        DeliveryState.OPENED: Outcome.OPENED,
        DeliveryState.REPEATED: Outcome.RECEIVED,
        DeliveryState.RECALL_APPLIED: Outcome.RECALL_APPLIED,
        DeliveryState.REFUSED: Outcome.REFUSED,
    }[row.state]
    return Item(
        bundle=parse_bundle_id(row.id),
        manifest=row.manifest or b"",
        state=outcome,
        time=row.at,
        code=row.code if outcome is Outcome.REFUSED else None,
    )


def _row(
    seq: int,
    trimmed: TrimmedBundle,
    state: DeliveryState,
    now: int,
    *,
    error: AccordError | None = None,
) -> DeliveryRow:
    return DeliveryRow(
        seq=seq,
        org=trimmed.header.org,
        id=trimmed.header.id,
        manifest=trimmed.manifest_sha256,
        state=state,
        at=now,
        code=None if error is None else error.code,
        message=None if error is None else error.message,
    )


def _received(
    seq: int,
    trimmed: TrimmedBundle | None,
    state: DeliveryState,
    *,
    records: int = 0,
    quarantined: int = 0,
    code: str | None = None,
) -> Received:
    return Received(
        seq=seq,
        state=state,
        bundle=trimmed.header.id if trimmed else None,
        org=trimmed.header.org if trimmed else None,
        kind=trimmed.header.kind.value if trimmed else None,
        records=records,
        quarantined=quarantined,
        code=code,
    )


def _count(report: PullReport, received: Received) -> None:
    if received.state is DeliveryState.REFUSED:
        report.refused.append((received.seq, received.code or "unknown"))
        return
    if received.state is DeliveryState.REPEATED:
        report.repeated += 1
        return
    report.bundles += 1
    report.records += received.records
    report.quarantined += received.quarantined
    report.recalls += received.state is DeliveryState.RECALL_APPLIED
