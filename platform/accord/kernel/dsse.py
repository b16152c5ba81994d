"""Hybrid DSSE: every signer signs with Ed25519 and with ML-DSA-65, and both must hold.

Plain DSSE accepts any one of its signatures; here a key id stands for a pair, so that taking one
half away is useless. The payload is signed as bytes and never written anew. This module knows
no keys and no meaning of a payload; callers look keys up and state the context string.

Source: DSSE 1.0 (Pre-Authentication Encoding), FIPS 204 clause 5.2 (context string), formats 1.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from cryptography.exceptions import InvalidSignature

from accord.kernel.encoding import (
    JsonValue,
    b64decode,
    b64encode,
    dump_object,
    parse_object,
    require_keys,
    require_list,
    require_str,
)
from accord.kernel.errors import Malformed, VerificationFailed
from accord.kernel.identifiers import KeyId
from accord.kernel.keys import SigningKeyPair, SigningPublicKey

KeyLookup = Callable[[KeyId], SigningPublicKey]
"""Returns the key of an id or raises VerificationFailed."""

MAX_SIGNERS = 16
"""Most signer pairs in one envelope; the registrars' threshold stays below it."""

_ED25519 = "#ed25519"
_MLDSA65 = "#ml-dsa-65"
_ED25519_SIZE = 64
_MLDSA65_SIZE = 3309
_KEYID_TEXT = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class SignaturePair:
    """The two signatures of one signer."""

    kid: KeyId
    ed25519: bytes
    mldsa65: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A parsed, not yet verified DSSE envelope. ``raw`` are the bytes as received."""

    payload_type: str
    payload: bytes
    signatures: tuple[SignaturePair, ...]
    raw: bytes


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return DSSE's Pre-Authentication Encoding of a payload."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def sign(
    payload_type: str, payload: bytes, signers: Sequence[SigningKeyPair], *, context: bytes
) -> bytes:
    """Return the envelope's bytes with two signatures a signer, in the signers' order.

    Raises:
        Malformed: ``signers_empty``, ``signer_twice`` or too many signers.
    """
    message = pae(payload_type, payload)
    return join(
        payload_type,
        payload,
        [
            SignaturePair(
                kid=signer.kid,
                ed25519=signer.ed25519.sign(message),
                mldsa65=signer.mldsa65.sign(message, context),
            )
            for signer in signers
        ],
    )


def join(payload_type: str, payload: bytes, pairs: Sequence[SignaturePair]) -> bytes:
    """Return the envelope's bytes for signatures that were made apart (registrars).

    Raises:
        Malformed: ``signers_empty``, ``signer_twice`` or too many signers.
    """
    _check_signers([pair.kid for pair in pairs])
    signatures: list[JsonValue] = []
    for pair in pairs:
        kid = b64encode(pair.kid)
        signatures.append({"keyid": kid + _ED25519, "sig": b64encode(pair.ed25519)})
        signatures.append({"keyid": kid + _MLDSA65, "sig": b64encode(pair.mldsa65)})
    return dump_object(
        {
            "payloadType": payload_type,
            "payload": b64encode(payload),
            "signatures": signatures,
        }
    )


def parse(data: bytes, *, payload_type: str, limit: int) -> Envelope:
    """Parse an envelope strictly.

    Args:
        data: the bytes as received.
        payload_type: the only type that is accepted.
        limit: largest size of ``data`` in bytes.

    Raises:
        Malformed: ``too_long``, ``json_*``, ``key_*``, ``base64_invalid``,
            ``payload_type_wrong``, ``signers_empty``, ``signer_twice``, ``signature_order``.
    """
    obj = parse_object(data, limit=limit)
    require_keys(obj, required=("payloadType", "payload", "signatures"))
    found = require_str(obj, "payloadType", limit=200)
    if found != payload_type:
        raise Malformed(
            "payload_type_wrong",
            f"The signed payload must be of type {payload_type}.",
            observed=found,
        )
    entries = require_list(obj, "signatures", maximum=2 * MAX_SIGNERS)
    if len(entries) % 2:
        raise Malformed("signature_order", "Each signer has exactly two signatures.")
    pairs = tuple(
        _parse_pair(entries[position], entries[position + 1])
        for position in range(0, len(entries), 2)
    )
    _check_signers([pair.kid for pair in pairs])
    return Envelope(
        payload_type=found, payload=b64decode(obj["payload"]), signatures=pairs, raw=data
    )


def _check_signers(kids: Sequence[KeyId]) -> None:
    if not kids:
        raise Malformed("signers_empty", "There is no signature.")
    if len(kids) > MAX_SIGNERS:
        raise Malformed("signers_many", f"There are more than {MAX_SIGNERS} signers.")
    if len(set(kids)) != len(kids):
        raise Malformed("signer_twice", "One key signs twice.")


def _parse_pair(first: JsonValue, second: JsonValue) -> SignaturePair:
    kid, ed25519 = _parse_signature(first, _ED25519, _ED25519_SIZE)
    again, mldsa65 = _parse_signature(second, _MLDSA65, _MLDSA65_SIZE)
    if kid != again:
        raise Malformed("signature_order", "The two signatures of a pair name different keys.")
    return SignaturePair(kid=kid, ed25519=ed25519, mldsa65=mldsa65)


def _parse_signature(entry: JsonValue, suffix: str, size: int) -> tuple[KeyId, bytes]:
    if not isinstance(entry, dict):
        raise Malformed("value_invalid", "A signature must be an object.")
    require_keys(entry, required=("keyid", "sig"))
    keyid = require_str(entry, "keyid", limit=_KEYID_TEXT)
    if not keyid.endswith(suffix):
        raise Malformed(
            "signature_order",
            "Signatures come in pairs: Ed25519 first, then ML-DSA-65.",
            observed=keyid.rpartition("#")[2],
        )
    kid = KeyId(b64decode(keyid.removesuffix(suffix), length=32))
    return kid, b64decode(entry["sig"], length=size)


def verify(envelope: Envelope, lookup: KeyLookup, *, context: bytes) -> tuple[KeyId, ...]:
    """Verify every signature of ``envelope`` and return its signers' key ids in order.

    Args:
        envelope: a parsed envelope.
        lookup: gives the key of an id, or raises VerificationFailed for a key not in force.
        context: the ML-DSA context string of this kind of payload.

    Raises:
        VerificationFailed: ``signature_wrong``, or what ``lookup`` raises.
    """
    message = pae(envelope.payload_type, envelope.payload)
    for pair in envelope.signatures:
        key = lookup(pair.kid)
        try:
            key.ed25519_key.verify(pair.ed25519, message)
            key.mldsa65_key.verify(pair.mldsa65, message, context)
        except InvalidSignature as error:
            raise VerificationFailed(
                "signature_wrong",
                "A signature does not fit the signed bytes.",
                observed=b64encode(pair.kid),
            ) from error
    return tuple(pair.kid for pair in envelope.signatures)


def verify_threshold(
    envelope: Envelope,
    keys: Mapping[KeyId, SigningPublicKey],
    *,
    threshold: int,
    context: bytes,
) -> tuple[KeyId, ...]:
    """Verify that at least ``threshold`` of the holders of ``keys`` signed; return their ids.

    Signers outside ``keys`` count for nothing and are not looked at. A signer inside ``keys`` whose
    signature does not hold is an error even when enough others signed.

    Args:
        envelope: a parsed envelope.
        keys: who may sign, by key id.
        threshold: how many different signers are needed, at least 1.
        context: the ML-DSA context string of this kind of payload.

    Raises:
        VerificationFailed: ``threshold_missed`` or ``signature_wrong``.
    """
    known = tuple(pair for pair in envelope.signatures if pair.kid in keys)
    if threshold < 1 or len(known) < threshold:
        raise VerificationFailed(
            "threshold_missed",
            "Too few of those who must sign have signed.",
            observed=f"{len(known)} of {threshold}",
            next_step="Let the missing registrars sign with 'accord registrar sign'.",
        )
    return verify(replace(envelope, signatures=known), keys.__getitem__, context=context)
