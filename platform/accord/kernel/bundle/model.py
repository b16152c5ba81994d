"""The bundle's header: what the hub routes and counts by, in closed codes only.

Invariants: ``format_header(parse_header(b)) == b`` and ``parse_header(format_header(h)) == h``.
The header is hashed and signed as the bytes that travel. Whether it is in force now (times,
signer) is a question for ``bundle.verification``.

Source: formats 1 (header).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from accord.kernel.encoding import (
    MAX_INT,
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
from accord.kernel.errors import Malformed, VerificationFailed
from accord.kernel.identifiers import (
    BundleId,
    KeyId,
    OrgId,
    org_hub,
    parse_bundle_id,
    parse_org_id,
    parse_origin,
)
from accord.kernel.markings import BundleKind, LegalBasis, Onward, Purpose, Tlp, parse_code

MAX_HEADER = 64 * 1024
"""Largest header in bytes."""

MAX_RECORDS = 1 << 20
"""Most records in a bundle; keeps the memory of an opening desk bounded."""

MAX_REFS = 64
MAX_DIRECTORIES = 64

SUITE = "ASB1-XWING-HKDFSHA256-AES256GCM-ED25519+MLDSA65"
"""The one suite that is built (formats 1)."""

SUITES: Mapping[str, int] = {SUITE: MAX_INT}
"""Allowed suites, each with the last second in which a bundle of it may have been created."""

_LABEL = b"accord/1/header\0"
_VERSION = 1
_ORDER = (
    "v",
    "suite",
    "id",
    "kind",
    "from",
    "created",
    "expires",
    "policy",
    "content",
    "refs",
    "replaces",
    "dir",
)
_OPTIONAL = ("refs", "replaces")


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlingPolicy:
    """How a bundle may be handled: marking, purpose, legal basis, onward sharing."""

    tlp: Tlp
    purpose: Purpose
    legal_basis: LegalBasis
    onward: Onward


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryPoint:
    """The checkpoint of one directory at which the sender looked keys up."""

    origin: str
    size: int
    root: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A bundle's header. Times are unix seconds; ``n`` and ``root`` speak of the records.

    ``sig`` is the id of the sender's signing key, ``directory`` names the sender's own hub first.
    """

    id: BundleId
    kind: BundleKind
    org: OrgId
    sig: KeyId
    created: int
    expires: int
    policy: HandlingPolicy
    n: int
    root: bytes
    directory: tuple[DirectoryPoint, ...]
    refs: tuple[BundleId, ...] = ()
    replaces: BundleId | None = None
    suite: str = SUITE


def header_hash(header: bytes) -> bytes:
    r"""Return H = SHA-256(``accord/1/header\0`` ‖ header): what keys and body are bound to."""
    return hashlib.sha256(_LABEL + header).digest()


def format_header(header: Header) -> bytes:
    """Return the header's one byte form; ``parse_header`` judges it."""
    obj: dict[str, JsonValue] = {
        "v": _VERSION,
        "suite": header.suite,
        "id": header.id,
        "kind": header.kind.value,
        "from": {"org": header.org, "sig": b64encode(header.sig)},
        "created": header.created,
        "expires": header.expires,
        "policy": {
            "tlp": header.policy.tlp.value,
            "purpose": header.policy.purpose.value,
            "legal_basis": header.policy.legal_basis.value,
            "onward": header.policy.onward.value,
        },
        "content": {"n": header.n, "root": b64encode(header.root)},
    }
    if header.refs:
        obj["refs"] = list(header.refs)
    if header.replaces is not None:
        obj["replaces"] = header.replaces
    obj["dir"] = [
        {"origin": point.origin, "size": point.size, "root": b64encode(point.root)}
        for point in header.directory
    ]
    return dump_object(obj)


def parse_header(data: bytes) -> Header:
    """Parse a header strictly.

    Raises:
        Malformed: ``too_long``, ``json_*``, ``key_*``, ``value_invalid``, ``base64_invalid``,
            ``header_version``, ``suite_unknown``, ``bundle_id_invalid``, ``kind_unknown``,
            ``org_id_invalid``, ``expires_invalid``, ``tlp_unknown``, ``purpose_unknown``,
            ``legal_basis_unknown``, ``onward_unknown``, ``origin_invalid``,
            ``directory_not_own``.
    """
    obj = parse_object(data, limit=MAX_HEADER)
    require_version(obj, code="header_version")
    require_keys(obj, required=_ORDER, optional=_OPTIONAL)
    org, sig = _parse_sender(require_object(obj, "from"))
    n, root = _parse_content(require_object(obj, "content"))
    created = require_int(obj, "created")
    expires = require_int(obj, "expires")
    if expires <= created:
        raise Malformed("expires_invalid", "A bundle expires after it was created.")
    return Header(
        suite=_parse_suite(obj),
        id=parse_bundle_id(obj["id"]),
        kind=parse_code(BundleKind, obj["kind"], code="kind_unknown"),
        org=org,
        sig=sig,
        created=created,
        expires=expires,
        policy=_parse_policy(require_object(obj, "policy")),
        n=n,
        root=root,
        refs=_parse_refs(obj),
        replaces=parse_bundle_id(obj["replaces"]) if "replaces" in obj else None,
        directory=_parse_directory(obj, org),
    )


def require_version(obj: Mapping[str, JsonValue], *, code: str) -> None:
    """Refuse an object that says another version than 1, before its keys are looked at.

    Raises:
        Malformed: ``code``. A missing ``v`` is left to ``require_keys``.
    """
    version = obj.get("v", _VERSION)
    if isinstance(version, bool) or version != _VERSION:
        raise Malformed(
            code,
            "Only version 1 is known here.",
            observed=str(version)[:20],
            next_step="Update this installation, or ask the sender for version 1.",
        )


def require_suite(name: str, created: int, suites: Mapping[str, int] = SUITES) -> None:
    """Check that a bundle of suite ``name`` may have been created at ``created``.

    Raises:
        VerificationFailed: ``suite_retired``.
    """
    if created > suites.get(name, -1):
        raise VerificationFailed(
            "suite_retired", "This suite was no longer accepted then.", observed=name[:80]
        )


def _parse_suite(obj: Mapping[str, JsonValue]) -> str:
    suite = require_str(obj, "suite", limit=100)
    if suite not in SUITES:
        raise Malformed("suite_unknown", f"Known suites are: {', '.join(SUITES)}.", observed=suite)
    return suite


def _parse_sender(obj: Mapping[str, JsonValue]) -> tuple[OrgId, KeyId]:
    require_keys(obj, required=("org", "sig"))
    return parse_org_id(obj["org"]), KeyId(b64decode(obj["sig"], length=32))


def _parse_policy(obj: Mapping[str, JsonValue]) -> HandlingPolicy:
    require_keys(obj, required=("tlp", "purpose", "legal_basis", "onward"))
    return HandlingPolicy(
        tlp=parse_code(Tlp, obj["tlp"], code="tlp_unknown"),
        purpose=parse_code(Purpose, obj["purpose"], code="purpose_unknown"),
        legal_basis=parse_code(LegalBasis, obj["legal_basis"], code="legal_basis_unknown"),
        onward=parse_code(Onward, obj["onward"], code="onward_unknown"),
    )


def _parse_content(obj: Mapping[str, JsonValue]) -> tuple[int, bytes]:
    require_keys(obj, required=("n", "root"))
    return require_int(obj, "n", maximum=MAX_RECORDS), b64decode(obj["root"], length=32)


def _parse_refs(obj: Mapping[str, JsonValue]) -> tuple[BundleId, ...]:
    if "refs" not in obj:
        return ()
    refs = tuple(
        parse_bundle_id(item) for item in require_list(obj, "refs", minimum=1, maximum=MAX_REFS)
    )
    if len(set(refs)) != len(refs):
        raise Malformed("value_invalid", "'refs' names a bundle twice.")
    return refs


def _parse_directory(obj: Mapping[str, JsonValue], org: OrgId) -> tuple[DirectoryPoint, ...]:
    items = require_list(obj, "dir", minimum=1, maximum=MAX_DIRECTORIES)
    points = tuple(_parse_point(item) for item in items)
    if len({point.origin for point in points}) != len(points):
        raise Malformed("value_invalid", "'dir' names a directory twice.")
    if points[0].origin != f"{org_hub(org)}/directory":
        raise Malformed(
            "directory_not_own",
            "The first directory must be that of the sender's own hub.",
            observed=points[0].origin,
        )
    return points


def _parse_point(item: JsonValue) -> DirectoryPoint:
    if not isinstance(item, dict):
        raise Malformed("value_invalid", "An item of 'dir' must be an object.")
    require_keys(item, required=("origin", "size", "root"))
    return DirectoryPoint(
        origin=parse_origin(item["origin"]),
        size=require_int(item, "size", minimum=1),
        root=b64decode(item["root"], length=32),
    )
