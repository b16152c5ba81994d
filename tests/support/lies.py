"""Means of the adversaries: a wire that lies, bundles made part by part, deliveries cut out."""

import secrets
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx2
from tests.desk.wire import Change, DeskAt
from tests.support.hub_world import Desk, World

from accord.desk.app import Desk as OpenDesk
from accord.desk.indicators import Hit, search
from accord.kernel.bundle.content import content_root
from accord.kernel.bundle.entries import format_entry
from accord.kernel.bundle.framing import format_bundle, parse_bundle, trim
from accord.kernel.bundle.manifest import manifest_of, sign_manifest
from accord.kernel.bundle.model import HandlingPolicy, Header, format_header, header_hash
from accord.kernel.envelope.packing import pack
from accord.kernel.envelope.payload import PayloadHead, format_head
from accord.kernel.envelope.suites import encrypt_body, wrap_key
from accord.kernel.identifiers import BundleId, OrgId, make_bundle_id
from accord.kernel.keys import KemPublicKey, SigningKeyPair
from accord.kernel.markings import BundleKind, LegalBasis, Onward, OrgKind, Purpose, Tlp

POLICY = HandlingPolicy(
    tlp=Tlp.AMBER,
    purpose=Purpose.SUSPICION_REPORT,
    legal_basis=LegalBasis.LEGAL_OBLIGATION,
    onward=Onward.NONE,
)


@contextmanager
def lying(at: DeskAt, change: Change) -> Iterator[None]:
    """Let the hub change its answers to one desk."""
    at.wire.change = change
    try:
        yield
    finally:
        at.wire.change = None


def answering(path: str, content: bytes | Callable[[bytes], bytes]) -> Change:
    """Return a change of every answer whose path ends in ``path``."""

    def change(request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
        if not request.url.path.endswith(path):
            return response
        data = content(response.read()) if callable(content) else content
        return httpx2.Response(200, content=data)

    return change


def stream(*deliveries: tuple[int, bytes]) -> bytes:
    """Return deliveries as the hub streams them."""
    return b"".join(
        seq.to_bytes(8, "big") + len(raw).to_bytes(8, "big") + raw for seq, raw in deliveries
    )


def gzipped_zeros(mebibytes: int) -> bytes:
    """Return so many MiB of zeros, compressed without ever holding them."""
    maker = zlib.compressobj(level=1, wbits=31)
    pieces = [maker.compress(bytes(1024 * 1024)) for _ in range(mebibytes)]
    return b"".join(pieces) + maker.flush()


def twin(world: World, at: DeskAt, kind: OrgKind) -> Desk:
    """Return a simulated desk with the keys of a real one."""
    return Desk(
        name=at.org.split("@")[0],
        kind=kind,
        world=world,
        kem=at.keyring.kem[-1],
        sig=at.keyring.signing,
        request_key=at.keyring.request,
    )


def cut_out(raw: bytes, org: OrgId) -> bytes:
    """Return the delivery of ``raw`` for ``org``."""
    sealed = parse_bundle(raw)
    return trim(sealed, next(at for at, one in enumerate(sealed.entries) if one.org == org))


def look(desk: OpenDesk, value: str) -> tuple[Hit, ...]:
    """Search the vault of ``desk``."""
    report = search(desk.vault, [value], person="ana", reason="case 114", now=desk.clock())
    return report.results[0].hits


@dataclass(kw_only=True)
class Parts:
    """A bundle made by hand: every part can be another one than an honest sender's."""

    sender: Desk
    recipients: Sequence[tuple[OrgId, KemPublicKey]]
    lines: Sequence[bytes] = ()
    kind: BundleKind = BundleKind.INDICATORS
    signer: SigningKeyPair | None = None
    message: bytes | None = None
    n: int | None = None
    keys_of_body: Sequence[bytes] = ()
    header: dict[str, Any] = field(default_factory=dict)
    id: BundleId = field(init=False)

    def __post_init__(self) -> None:
        """Take an id."""
        self.id = make_bundle_id(self.sender.world.clock() * 1000, secrets.token_bytes(10))

    def seal(self) -> bytes:
        """Return the bundle's bytes, signed by its sender or by ``signer``."""
        salt = secrets.token_bytes(32)
        payload = b"\n".join((format_head(salt, PayloadHead(title="Made")), *self.lines, b""))
        now = self.sender.world.clock()
        header = format_header(
            replace(
                Header(
                    id=self.id,
                    kind=self.kind,
                    org=self.sender.org,
                    sig=(self.signer or self.sender.sig).kid,
                    created=now,
                    expires=now + 30 * 86_400,
                    policy=POLICY,
                    n=len(self.lines) if self.n is None else self.n,
                    root=content_root(salt, self.lines),
                    refs=(),
                    replaces=None,
                    directory=(self.sender.world.point(),),
                ),
                **self.header,
            )
        )
        digest, cek = header_hash(header), secrets.token_bytes(32)
        body = encrypt_body(
            pack(payload) if self.message is None else self.message,
            header_hash=digest,
            cek=cek,
            salt=secrets.token_bytes(24),
        )
        keys = list(self.keys_of_body) or [cek] * len(self.recipients)
        entries = [
            format_entry(
                blind=secrets.token_bytes(16),
                kid=key.kid,
                org=org,
                sealed=wrap_key(key, header_hash=digest, cek=own or cek),
            )
            for (org, key), own in sorted(
                zip(self.recipients, keys, strict=True), key=lambda one: one[0][1].kid
            )
        ]
        manifest = manifest_of(header=header, entries=entries, body=body)
        dsse = sign_manifest(manifest, self.signer or self.sender.sig)
        return format_bundle(header=header, dsse=dsse, entries=entries, body=body)
