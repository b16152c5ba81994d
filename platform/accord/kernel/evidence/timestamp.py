"""A time-stamp token of an authority: that some bytes existed at a time (RFC 3161, RFC 5652).

Checked, numbered in the code: (1) the token is granted and well-formed, (2) it speaks of exactly
these bytes, (3) its signed attributes are those of its content, (4) the certificate that it names
is in it, is for time stamping, and was valid then, (5) the signature holds under it, (6) where the
reader trusts certificates, it is one of them or was issued under one. Whether to trust an
authority is the reader's affair; nothing is fetched, and no revocation is asked for.
"""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from accord.kernel.errors import Malformed, VerificationFailed
from accord.kernel.evidence import der

MAX_TOKEN = 256 * 1024
MAX_CERTIFICATES = 16

_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
_TST_INFO = bytes.fromhex("2a864886f70d0109100104")
_CONTENT_TYPE = bytes.fromhex("2a864886f70d010903")
_MESSAGE_DIGEST = bytes.fromhex("2a864886f70d010904")
_HASHES: dict[bytes, hashes.HashAlgorithm] = {
    bytes.fromhex("608648016503040201"): hashes.SHA256(),
    bytes.fromhex("608648016503040202"): hashes.SHA384(),
    bytes.fromhex("608648016503040203"): hashes.SHA512(),
}
_GRANTED = frozenset({b"\0", b"\1"})
_TIME_STAMPING = x509.oid.ExtendedKeyUsageOID.TIME_STAMPING


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedToken:
    """What a token shows.

    Attributes:
        time: unix seconds.
        authority: subject of the certificate that signed.
        fingerprint: SHA-256 of that certificate.
        trusted: it is or was issued under a certificate that the reader trusts.
    """

    time: int
    authority: str
    fingerprint: bytes
    trusted: bool


def verify_token(
    data: bytes, stamped: bytes, trusted: Sequence[x509.Certificate] = ()
) -> VerifiedToken:
    """Verify a time-stamp response, or the token alone, over ``stamped``.

    Raises:
        Malformed: ``token_invalid``.
        VerificationFailed: ``token_other`` when it stamps something else, ``token_wrong``,
            ``token_untrusted`` when ``trusted`` is given and it is none of theirs.
    """
    if len(data) > MAX_TOKEN:
        raise Malformed("token_invalid", f"A token has at most {MAX_TOKEN} bytes.")
    signed = _signed_data(data)  # (1)
    signed.next(der.INTEGER)
    signed.next(der.SET)
    encapsulated = signed.next(der.SEQUENCE).children()
    _expect(encapsulated.next(der.OID).content, _TST_INFO)
    info = der.one(encapsulated.next(der.CONTEXT_0).content).of(der.OCTETS)
    time = _info(info, stamped)  # (2)
    certificates = _certificates(signed.maybe(der.CONTEXT_0))
    signed.maybe(der.CONTEXT_1)
    signer = der.one(signed.next(der.SET).content).children(der.SEQUENCE)
    signer.next(der.INTEGER)
    named = signer.next(der.SEQUENCE)
    algorithm = _hash(signer.next(der.SEQUENCE))
    attributes = signer.next(der.CONTEXT_0)
    signature_algorithm = signer.next(der.SEQUENCE)
    signature = signer.next(der.OCTETS).content
    _attributes(attributes, info, algorithm)  # (3)
    certificate = _named(named, certificates, time)  # (4)
    message = bytes([der.SET]) + attributes.whole[1:]
    _check(certificate, signature, message, _used(signature_algorithm, algorithm))  # (5)
    sure = any(_under(certificate, one, certificates) for one in trusted)  # (6)
    if trusted and not sure:
        raise VerificationFailed(
            "token_untrusted",
            "The time-stamp is of no authority that you trust.",
            observed=certificate.subject.rfc4514_string()[:120],
        )
    return VerifiedToken(
        time=time,
        authority=certificate.subject.rfc4514_string(),
        fingerprint=certificate.fingerprint(hashes.SHA256()),
        trusted=sure,
    )


def _expect(found: bytes, wanted: bytes) -> None:
    if found != wanted:
        raise Malformed("token_invalid", "This is no time-stamp token.", observed=found.hex()[:40])


def _signed_data(data: bytes) -> der.Children:
    outer = der.one(data).children(der.SEQUENCE)
    status = outer.maybe(der.SEQUENCE)
    if status is not None:  # a response: status, then the token
        if status.children().next(der.INTEGER).content not in _GRANTED:
            raise VerificationFailed("token_wrong", "The authority refused to stamp.")
        outer = outer.next(der.SEQUENCE).children()
    _expect(outer.next(der.OID).content, _SIGNED_DATA)
    return der.one(outer.next(der.CONTEXT_0).content).children(der.SEQUENCE)


def _info(info: bytes, stamped: bytes) -> int:
    """Return the time of a token's content, which must be about ``stamped``."""
    fields = der.one(info).children(der.SEQUENCE)
    fields.next(der.INTEGER)
    fields.next(der.OID)
    imprint = fields.next(der.SEQUENCE).children()
    algorithm = _hash(imprint.next(der.SEQUENCE))
    if imprint.next(der.OCTETS).content != _digest(algorithm, stamped):
        raise VerificationFailed(
            "token_other",
            "The time-stamp is about something else than the sender's signatures.",
            next_step="Let the authority stamp the file signatures.json of this evidence.",
        )
    fields.next(der.INTEGER)
    text = fields.next(der.TIME).content.decode("ascii", "replace")
    try:
        whole = text.partition(".")[0].rstrip("Z") + "+0000"
        read = dt.datetime.strptime(whole, "%Y%m%d%H%M%S%z")
    except ValueError as error:
        raise Malformed("token_invalid", "The token's time cannot be read.") from error
    return int(read.timestamp())


def _hash(identifier: der.Element) -> hashes.HashAlgorithm:
    oid = identifier.children().next(der.OID).content
    if oid not in _HASHES:
        raise VerificationFailed(
            "token_wrong", "The token uses a hash that does not count any more."
        )
    return _HASHES[oid]


def _digest(algorithm: hashes.HashAlgorithm, data: bytes) -> bytes:
    return hashlib.new(algorithm.name, data).digest()


def _certificates(found: der.Element | None) -> list[x509.Certificate]:
    parts = [] if found is None else der.elements(found.content)
    if not 1 <= len(parts) <= MAX_CERTIFICATES:
        raise VerificationFailed(
            "token_wrong", "The token lacks its authority's certificate; ask for it with -cert."
        )
    try:
        return [x509.load_der_x509_certificate(part.whole) for part in parts]
    except (ValueError, x509.InvalidVersion) as error:
        raise Malformed("token_invalid", "A certificate in the token cannot be read.") from error


def _attributes(attributes: der.Element, info: bytes, algorithm: hashes.HashAlgorithm) -> None:
    found: dict[bytes, bytes] = {}
    for attribute in attributes.children():
        parts = attribute.children(der.SEQUENCE)
        name = parts.next(der.OID).content
        if name in found:
            raise Malformed("token_invalid", "An attribute stands twice in the token.")
        found[name] = parts.next(der.SET).content
    kind, digest = found.get(_CONTENT_TYPE, b""), found.get(_MESSAGE_DIGEST, b"")
    if not kind or der.one(kind).of(der.OID) != _TST_INFO:
        raise VerificationFailed("token_wrong", "The token's signature is not about a time-stamp.")
    if not digest or der.one(digest).of(der.OCTETS) != _digest(algorithm, info):
        raise VerificationFailed("token_wrong", "The token's signature is not about its content.")


def _named(
    named: der.Element, certificates: Sequence[x509.Certificate], time: int
) -> x509.Certificate:
    parts = named.children()
    issuer = parts.next(der.SEQUENCE).whole
    serial = int.from_bytes(parts.next(der.INTEGER).content, "big")
    try:  # parts of a certificate are read, and found wrong, when they are asked for
        for one in certificates:
            if (one.issuer.public_bytes(), one.serial_number) == (issuer, serial):
                _suits(one, time)
                _ = one.subject.rfc4514_string()
                return one
    except (ValueError, x509.InvalidVersion) as error:
        raise Malformed("token_invalid", "A certificate in the token cannot be read.") from error
    raise VerificationFailed("token_wrong", "The certificate that signed is not in the token.")


def _suits(certificate: x509.Certificate, time: int) -> None:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (x509.ExtensionNotFound, ValueError) as error:
        raise VerificationFailed(
            "token_wrong", "The certificate is not for time-stamping."
        ) from error
    begins = certificate.not_valid_before_utc.timestamp()
    ends = certificate.not_valid_after_utc.timestamp()
    if _TIME_STAMPING not in usage or not begins <= time <= ends:
        raise VerificationFailed(
            "token_wrong", "The certificate was not for time-stamping at that time."
        )


def _used(identifier: der.Element, digest: hashes.HashAlgorithm) -> hashes.HashAlgorithm:
    """Return the hash of the signature: named with it (ecdsa, rsa), or that of the digest."""
    oid = identifier.children().next(der.OID).content
    named = {
        "2a8648ce3d040302": hashes.SHA256(),
        "2a8648ce3d040303": hashes.SHA384(),
        "2a8648ce3d040304": hashes.SHA512(),
        "2a864886f70d01010b": hashes.SHA256(),
        "2a864886f70d01010c": hashes.SHA384(),
        "2a864886f70d01010d": hashes.SHA512(),
        "2a864886f70d010101": digest,
    }
    if oid.hex() not in named:
        raise VerificationFailed(
            "token_wrong", "The token is signed in a way that is not known here."
        )
    return named[oid.hex()]


def _check(
    certificate: x509.Certificate, signature: bytes, message: bytes, used: hashes.HashAlgorithm
) -> None:
    try:
        key = certificate.public_key()
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, message, padding.PKCS1v15(), used)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, message, ec.ECDSA(used))
        else:
            raise VerificationFailed(
                "token_wrong", "The authority's key is of a kind that is not known here."
            )
    except (InvalidSignature, UnsupportedAlgorithm, ValueError) as error:
        raise VerificationFailed(
            "token_wrong", "The authority's signature does not hold."
        ) from error


def _under(
    certificate: x509.Certificate,
    anchor: x509.Certificate,
    others: Sequence[x509.Certificate],
) -> bool:
    """Tell whether ``certificate`` is ``anchor`` or was issued under it, through ``others``."""
    for _ in range(MAX_CERTIFICATES):
        if certificate == anchor:
            return True
        if _issued(certificate, anchor):
            return True
        above = [one for one in others if one != certificate and _issued(certificate, one)]
        if not above:
            return False
        certificate = above[0]
    return False


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
        rules = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound, UnsupportedAlgorithm):
        return False
    return rules.ca
