"""The judge: what the senders hold against what the hub has; code of its own, apart from the load.

A sender's acknowledgement names a place in the audit log. At that place there must be, for good,
the entry of that bundle; the log must be whole by a verifier that we did not write; each bundle must
be delivered once; and no witness may hold proof of two histories.
"""

import http.client
import json
from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import Engine, func, select
from tests.assurance.place import HubProcess, Place
from tests.assurance.senders import Ledger, get
from tlog_scales import signing
from tlog_scales.reader import TilesReader

from accord.hub.audit.tables import AuditEvent
from accord.hub.bundles.tables import BundleRow
from accord.hub.storage.engine import Place as DatabasePlace
from accord.hub.storage.examination import database_state, looking_at
from accord.hub.transparency.tables import LogEntry, LogHead
from accord.kernel.directory.rootfile import LogName
from accord.kernel.identifiers import BundleId
from accord.kernel.tlog.proof import parse_proof, verify_proof

FEED_PAGE = 100
"""Items asked for at a time: few, so that the short forms turn pages too."""


@dataclass(kw_only=True)
class Verdict:
    """What was found; everything but ``checked`` must be empty or zero."""

    checked: int = 0
    lost: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether every promise was kept."""
        return not (self.lost or self.moved or self.doubled or self.faults)

    def add(self, other: "Verdict") -> None:
        """Take in what another look found."""
        self.checked += other.checked
        self.lost += other.lost
        self.moved += other.moved
        self.doubled += other.doubled
        self.faults += other.faults


def examine_rows(place: DatabasePlace, ledger: Ledger) -> Verdict:
    """Compare the acknowledgements with the rows, beside the hub or after its death."""
    verdict = Verdict(moved=[*ledger.moved])
    with looking_at(place) as engine:
        state = database_state(engine)
        if state.damage is not None:
            verdict.faults.append(f"database damaged: {state.damage}")
            return verdict
        with engine.connect() as connection:
            rows = connection.execute(select(BundleRow.bundle_id, BundleRow.audit_number)).all()
        stored = {BundleId(row.bundle_id): int(row.audit_number) for row in rows}
        if len(stored) != len(rows):
            verdict.doubled.append("a bundle has two rows")
        for bundle_id, index in ledger.acknowledged.items():
            verdict.checked += 1
            if bundle_id not in stored:
                verdict.lost.append(bundle_id)
            elif stored[bundle_id] != index:
                verdict.moved.append(bundle_id)
        verdict.faults += _gaps(engine)
    return verdict


def _gaps(engine: Engine) -> list[str]:
    """Return what is wrong with the counts: each event has its entry, each entry its event."""
    faults = []
    with engine.connect() as connection:
        heads = {
            row.log: int(row.size) for row in connection.execute(select(LogHead.log, LogHead.size))
        }
        for name in LogName:
            entries = connection.execute(
                select(func.count(), func.max(LogEntry.number)).where(LogEntry.log == name.value)
            ).one()
            size = heads.get(name.value, 0)
            if entries[0] != size or (size and entries[1] != size - 1):
                faults.append(f"log {name}: head {size}, entries {entries[0]}")
        events = connection.scalar(select(func.count()).select_from(AuditEvent))
        if events != heads.get(LogName.AUDIT.value, 0):
            faults.append(f"{events} events, {heads.get(LogName.AUDIT.value, 0)} entries")
    return faults


def examine_served(place: Place, hub: HubProcess, ledger: Ledger) -> Verdict:
    """Compare with what the serving hub shows: logs by a foreign verifier, receipts, the feed."""
    verdict = Verdict()
    authority = hub.url.removeprefix("http://")
    connection = http.client.HTTPConnection(authority, timeout=60)
    try:
        receipts: dict[BundleId, bytes] = {}
        for parcel in ledger.parcels:
            if parcel.bundle_id in ledger.acknowledged:
                path = f"/v1/bundles/{parcel.bundle_id}/receipt?wait=10"
                status, body = get(connection, authority, parcel.sender, path)
                if status == http.client.OK:
                    receipts[parcel.bundle_id] = body
                else:
                    verdict.lost.append(f"{parcel.bundle_id}: receipt {status}")
        # Read after the receipts, so that the witnessed log is as long as any of them.
        readers = {name: _foreign(place, authority, name, verdict) for name in LogName}
        policy = place.root.log_policy(LogName.AUDIT)
        for bundle_id, receipt in receipts.items():
            verdict.checked += 1
            index = ledger.acknowledged[bundle_id]
            if parse_proof(receipt).index != index:
                verdict.moved.append(bundle_id)
            else:
                # The leaf comes from the log itself, as the foreign verifier read it.
                verify_proof(receipt, readers[LogName.AUDIT].get_entry(index), policy)
        _examine_feed(place, connection, authority, ledger, verdict)
    finally:
        connection.close()
    listed = place.processes.run("witness", "witness", "log", "list").data["logs"]
    forks = sum(int(one["forks"]) for one in listed)
    if forks:
        verdict.faults.append(f"the witness holds proof of {forks} forks")
    return verdict


class _Served:
    """Gives a log's files to the foreign reader."""

    def __init__(self, authority: str, name: LogName) -> None:
        """Read below the log's path."""
        self._authority, self._name = authority, name

    def get(self, *path: str) -> bytes | None:
        """Return a file, or ``None``."""
        connection = http.client.HTTPConnection(self._authority, timeout=60)
        try:
            connection.request("GET", f"/log/{self._name}/{'/'.join(path)}")
            answer = connection.getresponse()
            data = answer.read()
            return data if answer.status == http.client.OK else None
        finally:
            connection.close()


def _foreign(place: Place, authority: str, name: LogName, verdict: Verdict) -> TilesReader:
    """Let a verifier that we did not write recompute the root and check every signature."""
    reader = TilesReader(_Served(authority, name))
    checkpoint = reader.get_checkpoint()
    if reader.calculate_root_hash() != checkpoint.root_hash:
        verdict.faults.append(f"log {name}: the foreign verifier finds another root")
    vkeys = [*place.root.log_vkeys(name), *place.root.witnesses[0].vkeys]
    known = signing.VkeySet(*(signing.Vkey.from_string(vkey) for vkey in vkeys))
    if len(known.verify(checkpoint.signatures, checkpoint)) != len(vkeys):
        verdict.faults.append(f"log {name}: signatures are missing")
    return reader


def _examine_feed(
    place: Place,
    connection: http.client.HTTPConnection,
    authority: str,
    ledger: Ledger,
    verdict: Verdict,
) -> None:
    delivered: list[str] = []
    place_in_feed, more = "after=0", True
    while more:
        path = f"/v1/feed?{place_in_feed}&limit={FEED_PAGE}"
        status, body = get(connection, authority, place.police, path)
        if status != http.client.OK:
            verdict.faults.append(f"feed {status}: {body[:200]!r}")
            return
        page = json.loads(body)
        delivered += [item["bundle"] for item in page["items"] if item["event"] == "delivered"]
        place_in_feed, more = f"after={page['next']}&feed={page['feed']}", page["more"]
    verdict.doubled += sorted(one for one, times in Counter(delivered).items() if times > 1)
    verdict.lost += sorted(set(ledger.acknowledged) - set(delivered))
