"""One directory statement: its fields, its bytes, its signatures (docs/formats, formats 4).

``parse_statement`` proves the form, ``kernel.directory.authority`` who had to sign, and
``kernel.directory.state`` that it follows from what came before. Invariant:
``format_statement(parse_payload(b)) == b``. What is signed is always the bytes as received.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from accord.kernel import dsse
from accord.kernel.encoding import (
    JsonValue,
    b64decode,
    b64encode,
    dump_object,
    parse_object,
    require_int,
    require_keys,
    require_list,
    require_object,
    require_str,
)
from accord.kernel.errors import Malformed
from accord.kernel.identifiers import OrgId, parse_org_id
from accord.kernel.indicators.countries import COUNTRIES
from accord.kernel.keys import (
    ED25519_PUBLIC_SIZE,
    KemPublicKey,
    SigningKeyPair,
    SigningPublicKey,
)
from accord.kernel.markings import OrgKind, parse_code

STATEMENT_TYPE = "application/vnd.accord.statement.v1+json"
STATEMENT_CONTEXT = b"accord/1/statement"

MAX_STATEMENT = 65_535
"""Largest signed statement: an entry of a tile bundle has a 16-bit length (C2SP tlog-tiles)."""

MAX_PAYLOAD = 24 * 1024
MAX_LIFETIME = 400 * 86_400
"""Longest validity of keys, in seconds."""

MAX_ROLES = 16

_ROLE = re.compile(r"[a-z][a-z0-9-]{0,38}[a-z0-9]")
_DIGEST_SIZE = 32
_ORDER = (
    "v",
    "org",
    "seq",
    "prev",
    "op",
    "profile",
    "kem",
    "sig",
    "request_key",
    "recovery",
    "not_before",
    "not_after",
    "roles",
    "compromised_since",
)
_ALWAYS = frozenset({"v", "org", "seq", "op", "not_before"})


class Op(StrEnum):
    """What a statement does. ``peer`` is reserved for federation and refused so far."""

    ENROL = "enrol"
    ROTATE = "rotate"
    SUSPEND = "suspend"
    RESUME = "resume"
    REVOKE = "revoke"
    RECOVER = "recover"
    LEAVE = "leave"
    PEER = "peer"


_ENROL_KEYS = frozenset({"kem", "sig", "request_key", "recovery", "not_after"})

REQUIRED: Mapping[Op, frozenset[str]] = {
    Op.ENROL: _ENROL_KEYS | {"profile", "roles"},
    Op.ROTATE: frozenset({"not_after"}),
    Op.SUSPEND: frozenset(),
    Op.RESUME: frozenset(),
    Op.REVOKE: frozenset(),
    Op.RECOVER: _ENROL_KEYS,
    Op.LEAVE: frozenset(),
}
"""Keys that an operation must carry beside those that each statement carries."""

OPTIONAL: Mapping[Op, frozenset[str]] = {
    Op.ENROL: frozenset(),
    # A thief of the signing key must not be able to replace the recovery key or the roles.
    Op.ROTATE: frozenset({"kem", "sig", "request_key", "compromised_since"}),
    Op.SUSPEND: frozenset(),
    Op.RESUME: frozenset({"profile", "roles"}),
    Op.REVOKE: frozenset({"compromised_since"}),
    Op.RECOVER: frozenset({"compromised_since"}),
    Op.LEAVE: frozenset(),
}
"""Keys that an operation may carry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Who an organisation is, as the registrars vouch for it.

    Attributes:
        name: full name, 1 to 120 characters.
        kind: what the charter decides on.
        country: ISO 3166-1 alpha-2.
        contact: accountable duty contact, 1 to 200 characters. It is public and can never be
            erased: a desk or a duty number, not a person.
    """

    name: str
    kind: OrgKind
    country: str
    contact: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """The content of one statement; a field that the operation does not carry is ``None``.

    Attributes:
        org: whom it is about.
        seq: counts an organisation's statements from 1, by one.
        prev: SHA-256 of the payload of the statement before; ``None`` for ``seq`` 1.
        op: what it does.
        not_before: when it was made and from when its keys count, unix seconds.
        not_after: until when its keys count.
        profile: name, kind, country, contact.
        kem: key to which bundles are sealed.
        sig: key that signs bundles, acknowledgements, tallies.
        request_key: Ed25519 key of signed requests, 32 bytes.
        recovery: key kept offline that overrides any rotation.
        roles: capabilities that the charter knows, sorted.
        compromised_since: signatures of the replaced keys from then on are shown with a warning.
    """

    org: OrgId
    seq: int
    op: Op
    not_before: int
    prev: bytes | None = None
    not_after: int | None = None
    profile: Profile | None = None
    kem: KemPublicKey | None = None
    sig: SigningPublicKey | None = None
    request_key: bytes | None = None
    recovery: SigningPublicKey | None = None
    roles: tuple[str, ...] | None = None
    compromised_since: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedStatement:
    """A statement and the envelope that carries it. Nothing of its signatures is verified."""

    statement: Statement
    envelope: dsse.Envelope

    @property
    def digest(self) -> bytes:
        """SHA-256 of the payload: what ``prev`` of the next statement holds."""
        return statement_digest(self.envelope.payload)


def statement_digest(payload: bytes) -> bytes:
    """Return SHA-256 of a statement's payload (surplus signatures do not change it)."""
    return hashlib.sha256(payload).digest()


def format_statement(statement: Statement) -> bytes:
    """Return the payload of ``statement``: one JSON object, keys in the order of the format."""
    profile = statement.profile
    values: dict[str, JsonValue | None] = {
        "v": 1,
        "org": statement.org,
        "seq": statement.seq,
        "prev": _base64(statement.prev),
        "op": statement.op.value,
        "profile": None
        if profile is None
        else {
            "name": profile.name,
            "kind": profile.kind.value,
            "country": profile.country,
            "contact": profile.contact,
        },
        "kem": _base64(statement.kem.raw if statement.kem else None),
        "sig": _base64(statement.sig.raw if statement.sig else None),
        "request_key": _base64(statement.request_key),
        "recovery": _base64(statement.recovery.raw if statement.recovery else None),
        "not_before": statement.not_before,
        "not_after": statement.not_after,
        "roles": None if statement.roles is None else list(statement.roles),
        "compromised_since": statement.compromised_since,
    }
    return dump_object({key: value for key, value in values.items() if value is not None})


def _base64(data: bytes | None) -> str | None:
    return None if data is None else b64encode(data)


def parse_payload(payload: bytes) -> Statement:
    """Parse a statement's payload strictly, including which keys its operation may carry.

    Raises:
        Malformed: ``json_*``, ``key_*``, ``value_invalid``, ``base64_invalid``, ``key_invalid``,
            ``org_id_invalid``, ``op_unknown``, ``op_reserved``, ``op_field``, ``kind_unknown``,
            ``country_unknown``, ``role_invalid``, ``validity_invalid``, ``chain_invalid``.
    """
    obj = parse_object(payload, limit=MAX_PAYLOAD)
    require_keys(obj, required=_ORDER, optional=[key for key in _ORDER if key not in _ALWAYS])
    require_int(obj, "v", minimum=1, maximum=1)
    op = parse_code(Op, obj["op"], code="op_unknown")
    if op is Op.PEER:
        raise Malformed(
            "op_reserved", "Peering statements are reserved and not accepted yet.", observed=op
        )
    _check_fields(obj, op)
    statement = Statement(
        org=parse_org_id(obj["org"]),
        seq=require_int(obj, "seq", minimum=1),
        op=op,
        not_before=require_int(obj, "not_before"),
        prev=b64decode(obj["prev"], length=_DIGEST_SIZE) if "prev" in obj else None,
        not_after=require_int(obj, "not_after") if "not_after" in obj else None,
        profile=_parse_profile(require_object(obj, "profile")) if "profile" in obj else None,
        kem=KemPublicKey(raw=b64decode(obj["kem"])) if "kem" in obj else None,
        sig=_parse_signing(obj, "sig"),
        request_key=b64decode(obj["request_key"], length=ED25519_PUBLIC_SIZE)
        if "request_key" in obj
        else None,
        recovery=_parse_signing(obj, "recovery"),
        roles=_parse_roles(obj) if "roles" in obj else None,
        compromised_since=require_int(obj, "compromised_since")
        if "compromised_since" in obj
        else None,
    )
    _check_relations(statement)
    return statement


def _check_fields(obj: Mapping[str, JsonValue], op: Op) -> None:
    found = frozenset(obj) - _ALWAYS - {"prev"}
    surplus = found - REQUIRED[op] - OPTIONAL[op]
    missing = REQUIRED[op] - found
    if surplus or missing:
        raise Malformed(
            "op_field",
            f"A statement '{op}' has a field too many or too few.",
            observed=", ".join(
                [f"too many: {key}" for key in sorted(surplus)]
                + [f"missing: {key}" for key in sorted(missing)]
            ),
        )
    if op is Op.ROTATE and not found & {"kem", "sig", "request_key"}:
        raise Malformed("op_field", "A rotation brings at least one new key.")


def _check_relations(statement: Statement) -> None:
    if (statement.prev is None) != (statement.seq == 1):
        raise Malformed("chain_invalid", "'prev' stands in each statement but the first.")
    if (statement.op is Op.ENROL) != (statement.seq == 1):
        raise Malformed("chain_invalid", "The first statement enrols, and only the first.")
    if statement.not_after is not None:
        lifetime = statement.not_after - statement.not_before
        if not 0 < lifetime <= MAX_LIFETIME:
            raise Malformed(
                "validity_invalid",
                "Keys count for up to 400 days.",
                observed=f"{lifetime} seconds",
            )
    since = statement.compromised_since
    if since is not None and since > statement.not_before:
        raise Malformed("validity_invalid", "A compromise lies in the past.", observed=str(since))
    signing = [key for key in (statement.sig, statement.recovery) if key is not None]
    if len({key.ed25519 for key in signing}) != len(signing):
        raise Malformed("key_invalid", "The recovery key must be another one than 'sig'.")


def _parse_signing(obj: Mapping[str, JsonValue], key: str) -> SigningPublicKey | None:
    return SigningPublicKey.from_raw(b64decode(obj[key])) if key in obj else None


def _parse_profile(obj: Mapping[str, JsonValue]) -> Profile:
    require_keys(obj, required=("name", "kind", "country", "contact"))
    country = obj["country"]
    if not isinstance(country, str) or country not in COUNTRIES:
        raise Malformed("country_unknown", "A country is written as ISO 3166-1 alpha-2.")
    return Profile(
        name=_shown_text(obj, "name", limit=120),
        kind=parse_code(OrgKind, obj["kind"], code="kind_unknown"),
        country=country,
        contact=_shown_text(obj, "contact", limit=200),
    )


def _shown_text(obj: Mapping[str, JsonValue], key: str, *, limit: int) -> str:
    """Return text that a registrar reads on a screen: no control or direction characters."""
    text = require_str(obj, key, limit=limit)
    if not text.isprintable() or text != text.strip():
        raise Malformed("value_invalid", f"'{key}' must be plain printable text.")
    return text


def _parse_roles(obj: Mapping[str, JsonValue]) -> tuple[str, ...]:
    roles = []
    for role in require_list(obj, "roles", maximum=MAX_ROLES):
        if not isinstance(role, str) or _ROLE.fullmatch(role) is None:
            raise Malformed("role_invalid", "A role has lower-case letters, digits and hyphens.")
        roles.append(role)
    if sorted(set(roles)) != roles:
        raise Malformed("role_invalid", "Roles are sorted, each once.")
    return tuple(roles)


def parse_statement(data: bytes) -> SignedStatement:
    """Parse a signed statement; its signatures are not verified here.

    Raises:
        Malformed: as ``dsse.parse`` and ``parse_payload``.
    """
    envelope = dsse.parse(data, payload_type=STATEMENT_TYPE, limit=MAX_STATEMENT)
    return SignedStatement(statement=parse_payload(envelope.payload), envelope=envelope)


def sign_statement(statement: Statement, signers: Sequence[SigningKeyPair]) -> bytes:
    """Return ``statement`` signed by ``signers``, the organisation's own keys first."""
    payload = format_statement(statement)
    parse_payload(payload)
    return dsse.sign(STATEMENT_TYPE, payload, signers, context=STATEMENT_CONTEXT)


def countersign(data: bytes, signers: Sequence[SigningKeyPair]) -> bytes:
    """Return the signed statement ``data`` with the signatures of ``signers`` added at the end.

    Raises:
        Malformed: as ``parse_statement``; ``signer_twice`` when one has signed before.
    """
    envelope = parse_statement(data).envelope
    added = dsse.parse(
        dsse.sign(STATEMENT_TYPE, envelope.payload, signers, context=STATEMENT_CONTEXT),
        payload_type=STATEMENT_TYPE,
        limit=2 * MAX_STATEMENT,
    )
    return dsse.join(STATEMENT_TYPE, envelope.payload, [*envelope.signatures, *added.signatures])
