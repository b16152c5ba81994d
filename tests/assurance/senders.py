"""Senders that remember: each bundle they sent, and what the hub acknowledged, on their side alone."""

import http.client
import json
import secrets
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.bench.load import Member, Running

from accord.clock import system_clock
from accord.kernel.bundle.framing import parse_bundle
from accord.kernel.bundle.model import DirectoryPoint
from accord.kernel.identifiers import BundleId
from accord.kernel.indicators import Basis, encode_line, normalise, record_of
from accord.protocol.paths import BUNDLE_TYPE
from accord.protocol.signatures import sign_request

ADDRESS = "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"
LARGE_LINES = 900
"""So many records with a long address make a body of more than 256 KiB, which becomes a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A sealed bundle that its sender keeps until it is acknowledged, and after."""

    sender: Member
    bundle_id: BundleId
    raw: bytes


@dataclass
class Ledger:
    """What the senders know."""

    parcels: list[Parcel] = field(default_factory=list)
    acknowledged: dict[BundleId, int] = field(default_factory=dict)
    moved: list[BundleId] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, parcel: Parcel, status: int, body: bytes) -> bool:
        """Keep what the hub said; a second acknowledgement must name the same place."""
        with self.lock:
            if status != http.client.ACCEPTED:
                self.answers[_code(status, body)] += 1
                return False
            index = int(json.loads(body)["index"])
            self.answers["202"] += 1
            before = self.acknowledged.setdefault(parcel.bundle_id, index)
            if before != index:
                self.moved.append(parcel.bundle_id)
            return True

    def open(self) -> list[Parcel]:
        """Return the parcels that were not acknowledged yet."""
        with self.lock:
            return [one for one in self.parcels if one.bundle_id not in self.acknowledged]


def seal_parcels(
    running: Running, members: Sequence[Member], count: int, *, large: int = 0
) -> list[Parcel]:
    """Seal ``count`` bundles of the members in turn; the first ``large`` of them are large."""
    point = running.point()
    made = []
    for at in range(count):
        sender = members[at % len(members)]
        lines = _large() if at < large else [_line(ADDRESS)]
        made.append(_parcel(running, sender, lines, point))
    return made


def _parcel(
    running: Running, sender: Member, lines: Sequence[bytes], point: DirectoryPoint
) -> Parcel:
    raw = running.sealed(sender, lines, point)
    return Parcel(sender=sender, bundle_id=parse_bundle(raw).header.id, raw=raw)


def _large() -> list[bytes]:
    return [
        _line(f"https://x{secrets.token_hex(24)}.example.org/{secrets.token_hex(360)}")
        for _ in range(LARGE_LINES)
    ]


def _line(value: str) -> bytes:
    return encode_line(record_of(normalise(value), confidence=80, basis=Basis.OBSERVED))


class Load:
    """Threads that send what is open until all of it is acknowledged or the hub is gone."""

    def __init__(self, ledger: Ledger, url: str, *, threads: int = 4) -> None:
        """Prepare ``threads`` senders to the hub at ``url``."""
        self._ledger = ledger
        self._authority = url.removeprefix("http://")
        waiting = ledger.open()
        self._threads = [
            threading.Thread(target=self._send_all, args=(waiting[at::threads],), daemon=True)
            for at in range(threads)
        ]
        self._stop = threading.Event()

    def start(self) -> None:
        """Begin to send."""
        for thread in self._threads:
            thread.start()

    def finish(self, seconds: float | None = None) -> None:
        """Wait for the senders; with ``seconds`` tell them to stop after that."""
        if seconds is None:
            for thread in self._threads:
                thread.join()
            return
        end = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _send_all(self, parcels: Sequence[Parcel]) -> None:
        connection = http.client.HTTPConnection(self._authority, timeout=15)
        try:
            for parcel in parcels:
                if self._stop.is_set():
                    return
                status, body = put(connection, self._authority, parcel)
                self._ledger.note(parcel, status, body)
        except (OSError, http.client.HTTPException) as error:
            with self._ledger.lock:
                self._ledger.answers[type(error).__name__] += 1
        finally:
            connection.close()


def put(
    connection: http.client.HTTPConnection, authority: str, parcel: Parcel
) -> tuple[int, bytes]:
    """Send one parcel and return status and body."""
    path = f"/v1/bundles/{parcel.bundle_id}"
    headers = signed(parcel.sender, "PUT", authority, path, body=parcel.raw)
    connection.request("PUT", path, body=parcel.raw, headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.read()


def get(
    connection: http.client.HTTPConnection, authority: str, member: Member, path: str
) -> tuple[int, bytes]:
    """Ask for ``path`` as ``member``."""
    bare, _, query = path.partition("?")
    headers = signed(member, "GET", authority, bare, query=query)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.read()


def signed(
    member: Member,
    method: str,
    authority: str,
    path: str,
    *,
    query: str = "",
    body: bytes | None = None,
) -> dict[str, str]:
    """Return the header fields of a signed request."""
    return sign_request(
        method=method,
        authority=authority,
        path=path,
        query=query,
        body=body,
        content_type=None if body is None else BUNDLE_TYPE,
        key=member.request_key,
        now=system_clock(),
        nonce=secrets.token_bytes(16),
    )


def _code(status: int, body: bytes) -> str:
    try:
        return f"{status} {json.loads(body)['code']}"
    except (ValueError, KeyError, TypeError):
        return str(status)
