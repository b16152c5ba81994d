"""A recipient's signed word on what became of bundles (formats 5). No hub can invent it.

One organisation signs; the sender of the bundles verifies it with the directory. Invariant:
``format_acknowledgement(parse(b)) == b``. Whether the bundles exist is not judged here.
"""

import re
from collections.abc import Callable, Mapping
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
    require_str,
)
from accord.kernel.errors import Malformed, VerificationFailed
from accord.kernel.identifiers import BundleId, KeyId, OrgId, parse_bundle_id, parse_org_id
from accord.kernel.keys import SignerKey, SigningKeyPair
from accord.kernel.markings import parse_code

ACKNOWLEDGEMENT_TYPE = "application/vnd.accord.acknowledgement.v1+json"
ACKNOWLEDGEMENT_CONTEXT = b"accord/1/acknowledgement"

MAX_ITEMS = 1000
MAX_ACKNOWLEDGEMENT = 512 * 1024
"""Largest signed acknowledgement in bytes; 1,000 items take about 290 KiB."""

SignerLookup = Callable[[KeyId], SignerKey]
"""Returns the signing key of an id with its organisation, or raises VerificationFailed."""

_CODE = re.compile(r"[a-z][a-z0-9_]{0,59}")
_DIGEST_SIZE = 32


class Outcome(StrEnum):
    """What became of a bundle at the recipient."""

    RECEIVED = "received"
    OPENED = "opened"
    RECALL_APPLIED = "recall-applied"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One bundle's outcome.

    Attributes:
        bundle: its id; for ``recall-applied`` the id of the retraction.
        manifest: SHA-256 of the manifest (the DSSE payload) that was received.
        state: what became of it.
        code: the error's code, exactly when ``state`` is refused.
        time: unix seconds at the recipient.
    """

    bundle: BundleId
    manifest: bytes
    state: Outcome
    time: int
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """1 to 1,000 outcomes, signed by ``org``. ``created``: unix seconds."""

    org: OrgId
    created: int
    items: tuple[Item, ...]


def format_acknowledgement(acknowledgement: Acknowledgement) -> bytes:
    """Return the payload: one JSON object, keys in the order of the format."""
    return dump_object(
        {
            "v": 1,
            "org": acknowledgement.org,
            "created": acknowledgement.created,
            "items": [_item_object(item) for item in acknowledgement.items],
        }
    )


def _item_object(item: Item) -> dict[str, JsonValue]:
    obj: dict[str, JsonValue] = {
        "id": item.bundle,
        "manifest": b64encode(item.manifest),
        "state": item.state.value,
    }
    if item.code is not None:
        obj["code"] = item.code
    obj["time"] = item.time
    return obj


def parse_acknowledgement(payload: bytes) -> Acknowledgement:
    """Parse a payload strictly.

    Raises:
        Malformed: ``json_*``, ``key_*``, ``value_invalid``, ``base64_invalid``,
            ``org_id_invalid``, ``bundle_id_invalid``, ``outcome_unknown``, ``item_twice``,
            ``refusal_code_invalid``.
    """
    obj = parse_object(payload, limit=MAX_ACKNOWLEDGEMENT)
    require_keys(obj, required=("v", "org", "created", "items"))
    require_int(obj, "v", minimum=1, maximum=1)
    items = tuple(
        _parse_item(item) for item in require_list(obj, "items", minimum=1, maximum=MAX_ITEMS)
    )
    if len({(item.bundle, item.state) for item in items}) != len(items):
        raise Malformed("item_twice", "A bundle has the same outcome twice.")
    return Acknowledgement(
        org=parse_org_id(obj["org"]), created=require_int(obj, "created"), items=items
    )


def _parse_item(obj: JsonValue) -> Item:
    if not isinstance(obj, dict):
        raise Malformed("value_invalid", "An outcome must be an object.")
    require_keys(obj, required=("id", "manifest", "state", "code", "time"), optional=("code",))
    state = parse_code(Outcome, obj["state"], code="outcome_unknown")
    if ("code" in obj) != (state is Outcome.REFUSED):
        raise Malformed("refusal_code_invalid", "A code stands exactly with 'refused'.")
    return Item(
        bundle=parse_bundle_id(obj["id"]),
        manifest=b64decode(obj["manifest"], length=_DIGEST_SIZE),
        state=state,
        time=require_int(obj, "time"),
        code=_parse_refusal(obj) if "code" in obj else None,
    )


def _parse_refusal(obj: Mapping[str, JsonValue]) -> str:
    code = require_str(obj, "code", limit=60)
    if _CODE.fullmatch(code) is None:
        raise Malformed("refusal_code_invalid", "A code has lower-case letters, digits and _.")
    return code


def sign_acknowledgement(acknowledgement: Acknowledgement, signer: SigningKeyPair) -> bytes:
    """Return the signed bytes; the content is checked first."""
    payload = format_acknowledgement(acknowledgement)
    parse_acknowledgement(payload)
    return dsse.sign(ACKNOWLEDGEMENT_TYPE, payload, [signer], context=ACKNOWLEDGEMENT_CONTEXT)


def verify_acknowledgement(data: bytes, signer: SignerLookup) -> Acknowledgement:
    """Verify an acknowledgement and return it.

    (1) Exactly one signer. (2) The signature holds. (3) The key is that of the organisation named.

    Raises:
        Malformed: as ``dsse.parse`` and ``parse_acknowledgement``.
        VerificationFailed: ``signer_count``, ``signature_wrong``, ``signer_not_org``, or what
            ``signer`` raises.
    """
    envelope = dsse.parse(data, payload_type=ACKNOWLEDGEMENT_TYPE, limit=MAX_ACKNOWLEDGEMENT)
    acknowledgement = parse_acknowledgement(envelope.payload)
    verify_one_signer(envelope, acknowledgement.org, signer, context=ACKNOWLEDGEMENT_CONTEXT)
    return acknowledgement


def verify_one_signer(
    envelope: dsse.Envelope, org: OrgId, signer: SignerLookup, *, context: bytes
) -> KeyId:
    """Verify that ``org`` alone signed ``envelope``; return the key's id.

    Raises:
        VerificationFailed: ``signer_count``, ``signature_wrong``, ``signer_not_org``.
    """
    if len(envelope.signatures) != 1:  # (1)
        raise VerificationFailed(
            "signer_count",
            "Exactly one organisation signs this.",
            observed=f"{len(envelope.signatures)} signers",
        )
    key = signer(envelope.signatures[0].kid)
    if key.org != org:  # (3)
        raise VerificationFailed(
            "signer_not_org", "Signed by another organisation than it names.", observed=org
        )
    kids = dsse.verify(envelope, lambda _kid: key.public, context=context)  # (2)
    return kids[0]
