"""A time-stamping authority for tests: RFC 3161 tokens, made with a few lines of DER."""

import datetime as dt
import hashlib
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

KINDS = ("ec", "rsa")
SHA256 = bytes.fromhex("0609608648016503040201")
TST_INFO = bytes.fromhex("060b2a864886f70d0109100104")
SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
CONTENT_TYPE = bytes.fromhex("06092a864886f70d010903")
MESSAGE_DIGEST = bytes.fromhex("06092a864886f70d010904")
SIGNED_WITH = {
    "ec": bytes.fromhex("06082a8648ce3d040302"),
    "rsa": bytes.fromhex("06092a864886f70d010101"),
}


def der(tag: int, *parts: bytes) -> bytes:
    """Return one element."""
    content = b"".join(parts)
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 128 + len(octets)]) + octets + content


@dataclass(frozen=True, kw_only=True)
class Authority:
    """A certificate for time-stamping with its key, and the certificate above it."""

    kind: str
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    certificate: x509.Certificate
    above: x509.Certificate

    def stamp(
        self, data: bytes, at: int, *, response: bool = True, kind: bytes = TST_INFO
    ) -> bytes:
        """Return a token (in a response) that ``data`` existed ``at`` unix seconds."""
        time = dt.datetime.fromtimestamp(at, tz=dt.UTC).strftime("%Y%m%d%H%M%SZ").encode()
        algorithm = der(0x30, SHA256, b"\5\0")
        imprint = der(0x30, algorithm, der(4, hashlib.sha256(data).digest()))
        info = der(
            0x30, b"\2\1\1", bytes.fromhex("06032a0304"), imprint, b"\2\1\7", der(0x18, time)
        )
        digest = der(4, hashlib.sha256(info).digest())
        attributes = (
            der(0x30, CONTENT_TYPE, der(0x31, kind)),
            der(0x30, MESSAGE_DIGEST, der(0x31, digest)),
        )
        message = der(0x31, *attributes)
        if isinstance(self.key, rsa.RSAPrivateKey):
            signature = self.key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        else:
            signature = self.key.sign(message, ec.ECDSA(hashes.SHA256()))
        serial = self.certificate.serial_number
        number = der(2, serial.to_bytes(serial.bit_length() // 8 + 1, "big"))
        signer = der(
            0x30,
            b"\2\1\1",
            der(0x30, self.certificate.issuer.public_bytes(), number),
            algorithm,
            der(0xA0, *attributes),
            der(0x30, SIGNED_WITH[self.kind]),
            der(4, signature),
        )
        pem = [
            one.public_bytes(serialization.Encoding.DER) for one in (self.certificate, self.above)
        ]
        signed = der(
            0x30,
            b"\2\1\3",
            der(0x31, algorithm),
            der(0x30, TST_INFO, der(0xA0, der(4, info))),
            der(0xA0, *pem),
            der(0x31, signer),
        )
        token = der(0x30, SIGNED_DATA, der(0xA0, signed))
        return der(0x30, der(0x30, b"\2\1\0"), token) if response else token


def authority(kind: str, at: int, *, stamping: bool = True) -> Authority:
    """Return an authority whose certificate is valid around ``at``."""
    above_key = ec.generate_private_key(ec.SECP256R1())
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = (
        rsa.generate_private_key(65_537, 2048)
        if kind == "rsa"
        else ec.generate_private_key(ec.SECP256R1())
    )
    root = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Root of clocks")])
    own = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"Clock {kind}")])
    begin = dt.datetime.fromtimestamp(at - 86_400, tz=dt.UTC)

    def builder(
        subject: x509.Name, public: ec.EllipticCurvePublicKey | rsa.RSAPublicKey
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(root)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(begin + dt.timedelta(days=400))
        )

    above = builder(root, above_key.public_key()).add_extension(
        x509.BasicConstraints(ca=True, path_length=None), critical=True
    )
    below = builder(own, key.public_key())
    if stamping:
        usage = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.TIME_STAMPING])
        below = below.add_extension(usage, critical=True)
    return Authority(
        kind=kind,
        key=key,
        certificate=below.sign(above_key, hashes.SHA256()),
        above=above.sign(above_key, hashes.SHA256()),
    )
