"""Who sends and reads in the ASB/1 vectors, and honest bundles whose parts a case replaces."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.support.asb_reference import (
    SUITE,
    Body,
    Coins,
    Reader,
    Sealed,
    Writer,
    b64,
    compact,
    content_root,
    entry,
    header_digest,
    inner,
    stored_frame,
)

NOW = 1_795_540_000
HUB = "hub.example"
ALICE = Writer("first-bank@hub.example", (b"\x01" * 32, b"\x02" * 32))
MALLORY = Writer("mallory@hub.example", (b"\x03" * 32, b"\x04" * 32))
STRANGER = Writer("nobody@hub.example", (b"\x05" * 32, b"\x06" * 32))
READERS = sorted(
    (
        Reader("police@hub.example", b"\x11" * 32),
        Reader("hotline@hub.example", b"\x12" * 32),
        Reader("exchange@two.hub.example:8443", b"\x13" * 32),
    ),
    key=lambda reader: reader.kid,
)
OUTSIDER = Reader("outsider@hub.example", b"\x14" * 32)
SALT = bytes(range(32))
HEAD: dict[str, object] = {"v": 1, "salt": b64(SALT), "title": "Two storefronts"}
LINES = [
    b'{"kind":"domain","value":"shop.example","canon":1,"confidence":80,"basis":"observed"}',
    b'{"kind":"domain","value":"mirror.example","canon":1,"confidence":60,"basis":"reported"}',
    b'{"kind":"domain","value":"pay.example","canon":1,"confidence":70,"basis":"inferred"}',
]


def payload(head: dict[str, object] | bytes = b"", lines: Sequence[bytes] = LINES) -> bytes:
    first = head if isinstance(head, bytes) and head else compact(head or HEAD)
    return b"".join(line + b"\n" for line in [first, *lines])


def header_of(lines: Sequence[bytes] = LINES, /, **changes: object) -> dict[str, object]:
    """Return the honest header; ``changes`` replace or (None) remove keys, nothing moves."""
    header: dict[str, object] = {
        "v": 1,
        "suite": SUITE,
        "id": "019aa000-0000-7000-8000-000000000001",
        "kind": "indicators",
        "from": {"org": ALICE.org, "sig": b64(ALICE.kid)},
        "created": NOW - 60,
        "expires": NOW + 30 * 86_400,
        "policy": {
            "tlp": "amber",
            "purpose": "suspicion-report",
            "legal_basis": "legal-obligation",
            "onward": "none",
        },
        "content": {"n": len(lines), "root": b64(content_root(SALT, lines))},
        "dir": [{"origin": f"{HUB}/directory", "size": 12, "root": b64(b"\x21" * 32)}],
    }
    header.update(changes)
    return {key: value for key, value in header.items() if value is not None}


@dataclass(kw_only=True)
class Recipe:
    """An honest bundle whose parts a case replaces before it is made."""

    name: str
    header: dict[str, object] | bytes = field(default_factory=header_of)
    plain: bytes = field(default_factory=payload)
    message: bytes | None = None
    ceks: Sequence[bytes] = ()
    signer: Writer = ALICE
    readers: Sequence[Reader] = field(default_factory=lambda: READERS)
    shape: Callable[[Body], bytes] = Body.join
    context_of: bytes | None = None
    start: int = 0

    def make(self) -> Sealed:
        coins = Coins(self.name)
        header = self.header if isinstance(self.header, bytes) else compact(self.header)
        digest = header_digest(header)
        ceks = self.ceks or [coins(32)]
        message = inner(stored_frame(self.plain), len(self.plain))
        body = Body.make(
            ceks[0],
            self.context_of or digest,
            message if self.message is None else self.message,
            coins(24),
            start=self.start,
        )
        entries = [
            entry(reader, digest, ceks[i % len(ceks)], coins)
            for i, reader in enumerate(self.readers)
        ]
        made = Sealed(header=header, entries=entries, body=self.shape(body))
        return made.sign(self.signer)


def honest(name: str = "honest") -> Sealed:
    return Recipe(name=name).make()


def flipped(data: bytes, at: int) -> bytes:
    out = bytearray(data)
    out[at] ^= 1
    return bytes(out)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One vector: bytes, who reads them, and the answer.

    ``entry`` is the position whose trimmed delivery the recipient gets; ``delivery`` and
    ``disclosure`` stand where they themselves are the subject, ``line`` is what is disclosed.
    """

    name: str
    expect: dict[str, str]
    bundle: bytes = b""
    delivery: bytes = b""
    disclosure: bytes = b""
    line: bytes = b""
    recipient: str = READERS[0].org
    entry: int | None = None
    quarantined: list[int] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        """Return the case as it is published; what says nothing is left out."""
        out: dict[str, object] = {"name": self.name}
        if "open" in self.expect:
            out["recipient"] = self.recipient
        if self.entry is not None:
            out["entry"] = self.entry
        if "verify" in self.expect:
            out["bundle"] = b64(self.bundle)
        if "disclose" in self.expect:
            out["disclosure"] = b64(self.disclosure)
            if self.line:
                out["line"] = self.line.decode()
        elif self.delivery or "verify" not in self.expect:
            out["delivery"] = b64(self.delivery)
        if self.quarantined:
            out["quarantined"] = self.quarantined
        return out | {"expect": self.expect}
