"""A small hub with its registrars, witnesses and organisations, all with real keys."""

from dataclasses import dataclass, replace

from accord.kernel.directory.organisation import Organisation
from accord.kernel.directory.rootfile import Registrar, RootFile, Witness, sign_root
from accord.kernel.directory.statements import (
    Op,
    Profile,
    Statement,
    parse_statement,
    sign_statement,
)
from accord.kernel.identifiers import OrgId
from accord.kernel.keys import KemKeyPair, RequestKeyPair, SigningKeyPair
from accord.kernel.markings import OrgKind
from accord.kernel.tlog.notes import LogKeyPair, WitnessKeyPair

HUB = "hub.example"
START = 1_790_000_000
YEAR = 365 * 86_400


def signing(number: int) -> SigningKeyPair:
    return SigningKeyPair.from_seeds(bytes([number]) * 32, bytes([number, 1]) * 16)


@dataclass(frozen=True)
class Keys:
    """All private keys of one organisation."""

    sig: SigningKeyPair
    kem: KemKeyPair
    request: RequestKeyPair
    recovery: SigningKeyPair


def keys_of(number: int) -> Keys:
    return Keys(
        sig=signing(number),
        kem=KemKeyPair.from_seed(bytes([number]) * 32),
        request=RequestKeyPair.from_seed(bytes([number]) * 32),
        recovery=signing(number + 100),
    )


REGISTRARS = (signing(240), signing(241), signing(242))
DIRECTORY_LOG = LogKeyPair.generate(f"{HUB}/directory")
AUDIT_LOG = LogKeyPair.generate(f"{HUB}/audit")
WITNESSES = (WitnessKeyPair.generate("ngo.example/w1"), WitnessKeyPair.generate("peer.example"))

ROOT = RootFile(
    hub=HUB,
    version=1,
    created=START,
    directory_log=DIRECTORY_LOG.vkeys,
    audit_log=AUDIT_LOG.vkeys,
    registrars=tuple(
        Registrar(name=f"registrar-{number}", key=pair.public)
        for number, pair in enumerate(REGISTRARS)
    ),
    threshold=2,
    witnesses=tuple(Witness(name=one.name, vkeys=one.vkeys) for one in WITNESSES),
    quorum=1,
)
SIGNED_ROOT = sign_root(ROOT, REGISTRARS[:2])
BANK = OrgId(f"bank@{HUB}")
BANK_KEYS = keys_of(1)
PROFILE = Profile(
    name="First Bank", kind=OrgKind.FINANCIAL, country="NL", contact="duty desk, +31 20 555 0100"
)


def enrolment(org: OrgId = BANK, keys: Keys = BANK_KEYS, time: int = START) -> Statement:
    return Statement(
        org=org,
        seq=1,
        op=Op.ENROL,
        not_before=time,
        not_after=time + YEAR,
        profile=PROFILE,
        kem=keys.kem.public,
        sig=keys.sig.public,
        request_key=keys.request.public,
        recovery=keys.recovery.public,
        roles=(),
    )


def enrolled(org: OrgId = BANK, keys: Keys = BANK_KEYS, time: int = START) -> bytes:
    return sign_statement(enrolment(org, keys, time), [keys.sig, *REGISTRARS[:2]])


def following(held: Organisation, op: Op, time: int, **fields: object) -> Statement:
    base = Statement(org=held.org, seq=held.seq + 1, prev=held.digest, op=op, not_before=time)
    return replace(base, **fields)  # type: ignore[arg-type]


def digest_of(data: bytes) -> bytes:
    return parse_statement(data).digest
