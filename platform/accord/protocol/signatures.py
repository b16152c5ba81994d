"""Signed HTTP requests: RFC 9421 with Ed25519 in one strict profile.

The library signs. Its verifier alone accepts replays, requests whose URL or body is not covered,
and a day-old signature; in a profile with one spelling, what is left to verify is one comparison
and one Ed25519 check, so that is done here (ADR 0005). The profile: one signature with label
``accord`` and tag ``accord/1``; exactly the components ``@method @authority @path @query`` and,
with a body, ``content-digest content-type``; exactly the parameters ``created keyid alg expires
nonce tag``; the one canonical spelling; five minutes of age; a nonce that is good once; a body
digest (RFC 9530, sha-256). It decides who signed, never what they may do.
"""

import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar, NoReturn, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import HTTPMessageSigner, HTTPSignatureComponentResolver
from http_message_signatures.algorithms import ED25519
from http_message_signatures.exceptions import HTTPMessageSignaturesException
from http_sf.compat import Item

from accord.kernel.encoding import b64decode, b64encode
from accord.kernel.errors import (
    AccordError,
    AuthenticationNeeded,
    Malformed,
    Unavailable,
    VerificationFailed,
)
from accord.kernel.identifiers import KeyId
from accord.kernel.keys import RequestKeyPair
from accord.protocol.nonces import NonceCache

TAG = "accord/1"
LABEL = "accord"

MAX_AGE = 300
"""Longest life of a signature in seconds, and how far ``created`` may lie in the future."""

NONCE_MARGIN = 2 * MAX_AGE + 60
"""Seconds after ``created`` for which a nonce is kept: age, clock difference, a minute."""

NONCE_SIZE = 16
"""Bytes of a nonce; as text 32 lower-case hexadecimal digits."""

MAX_FIELD = 1024
"""Longest header field in characters that is read at all."""

BASE_COMPONENTS = ("@method", "@authority", "@path", "@query")
BODY_COMPONENTS = (*BASE_COMPONENTS, "content-digest", "content-type")
PARAMETERS = frozenset({"created", "keyid", "alg", "expires", "nonce", "tag"})
SIGNED_FIELDS = ("signature-input", "signature", "content-digest", "content-type")

_INTEGER = "0|-?[1-9][0-9]{0,14}"
_WORD = r"[ !#-\[\]-~]*"
_INPUT = re.compile(rf'accord=(\(([^()]*)\)((?:;[a-z]+=(?:{_INTEGER}|"{_WORD}"))*))')
_PARAMETER = re.compile(rf';([a-z]+)=(?:({_INTEGER})|"({_WORD})")')
_AUTHORITY = re.compile(r"[a-z0-9.-]{1,253}(?::[0-9]{1,5})?|\[[0-9a-f:.]{2,45}\](?::[0-9]{1,5})?")
_PATH = re.compile(r"/[A-Za-z0-9/._~@:-]{0,511}")
_QUERY = re.compile(r"[A-Za-z0-9._~@:/?&=%+-]{0,1024}")
_METHOD = re.compile(r"[A-Z]{3,10}")
_NONCE = re.compile(r"[0-9a-f]{32}")
_DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):")
_SIGNATURE = re.compile(r"accord=:([A-Za-z0-9+/]{86}==):")


class Headers(Protocol):
    """Any header collection of a framework or client; a dict will do."""

    def items(self) -> Iterable[tuple[str, str]]:
        """Return all field lines in order."""


Body = bytes | Callable[[], bytes] | None
"""A body, or a function that reads it; ``None`` or empty for none."""

KeyOfRequest = Callable[[KeyId], bytes]
"""Returns the 32-byte request key of an id, or raises an error of the tree for an unknown one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Message:
    method: str
    authority: str
    path: str
    query: str
    headers: dict[str, str]


class _Components(HTTPSignatureComponentResolver):  # type: ignore[misc,unused-ignore]
    """Gives the four derived components as told, without guessing them from a URL."""

    derived_component_resolvers: ClassVar[dict[str, Callable[..., str]]] = {
        "@method": lambda resolver: resolver.message.method,
        "@authority": lambda resolver: resolver.message.authority,
        "@path": lambda resolver: resolver.message.path,
        "@query": lambda resolver: "?" + resolver.message.query,
    }

    def __init__(self, message: _Message) -> None:
        self.message = message
        self.message_type = "request"
        # Values stay as received; the library would trim them before they are compared.
        self.header_values = {name.lower(): value for name, value in message.headers.items()}

    def resolve(self, component_node: Item) -> str:
        """Return the value of a component; the profile has only bare ones."""
        return self.value(str(component_node.value))

    def value(self, name: str) -> str:
        """Return the value of the component ``name``."""
        if name.startswith("@"):
            return self.derived_component_resolvers[name](self)
        return self.header_values[name]


def sign_request(  # noqa: PLR0913 - one argument for each signed part
    *,
    method: str,
    authority: str,
    path: str,
    query: str = "",
    body: bytes | None = None,
    content_type: str | None = None,
    key: RequestKeyPair,
    now: int,
    nonce: bytes,
) -> dict[str, str]:
    """Return the headers that sign one request.

    Args:
        method: upper-case HTTP method.
        authority: host of the hub, with its port unless that is the scheme's own; lower case.
        path: path with a leading slash and no percent escape.
        query: query as it is sent, without the question mark.
        body: the body's bytes as they are sent; ``None`` for none.
        content_type: media type of the body; needed exactly when there is a body.
        key: the signer's request key.
        now: present unix second.
        nonce: 16 fresh random bytes.

    Raises:
        Malformed: ``request_unsignable`` for a part that has more than one spelling.
    """
    message = _message(method=method, authority=authority, path=path, query=query, headers={})
    if len(nonce) != NONCE_SIZE or (body is None) != (content_type is None):
        _unsignable("nonce, body or content type")
    if body is not None and content_type is not None:
        message.headers["Content-Digest"] = _digest_field(body)
        message.headers["Content-Type"] = content_type
    signer = HTTPMessageSigner(signature_algorithm=ED25519, component_resolver_class=_Components)
    try:
        prepared = signer.prepare(
            message,
            key_id=b64encode(key.kid),
            created=_moment(now),
            expires=_moment(now + MAX_AGE),
            nonce=nonce.hex(),
            label=LABEL,
            tag=TAG,
            covered_component_ids=BASE_COMPONENTS if body is None else BODY_COMPONENTS,
            use_existing_digest=body is not None,
        )
    except HTTPMessageSignaturesException as error:
        _unsignable("header field", cause=error)
    signature = b64encode(key.private.sign(prepared.signature_base))
    return {
        **message.headers,
        "Signature-Input": f"{LABEL}={prepared.signature_params}",
        "Signature": f"{LABEL}=:{signature}:",
    }


def verify_request(  # noqa: PLR0913 - one argument for each signed part
    *,
    method: str,
    authority: str,
    path: str,
    query: str = "",
    headers: Headers,
    body: Body,
    lookup: KeyOfRequest,
    now: int,
    nonces: NonceCache,
) -> KeyId:
    """Return the id of the key that signed this very request, now, for the first time.

    Args:
        method: method as received.
        authority: this hub's own authority, from its settings and never from the request.
        path: path as received, before any decoding.
        query: query as received, without the question mark.
        headers: all header fields as received.
        body: the body as received, or a function that reads it; it is called only when the
            signature holds, so that a stranger cannot make anyone read a large body.
        lookup: gives the request key of an id; may raise any error of the tree.
        now: present unix second.
        nonces: memory shared by all processes that serve this authority.

    The checks, in this order:
        (1) exactly one signature, under our label, in the one spelling;
        (2) exactly the parameters, algorithm and tag of the profile;
        (3) exactly the components that this request must cover;
        (4) times: created not ahead of our clock, not older than five minutes, not expired;
        (5) the key is known and its Ed25519 signature over the signature base holds;
        (6) the body has the signed digest;
        (7) the nonce is new; last, so that only the key's owner can use one up.

    Raises:
        AuthenticationNeeded: ``signature_missing``, ``signature_wrong``, ``component_missing``,
            ``clock_skew``, ``signature_old``, ``nonce_replayed``. An unknown key and a wrong
            signature look alike.
        VerificationFailed: ``digest_wrong``.
        Unavailable: ``nonces_full``, ``nonce_unknowable``, or what ``lookup`` raises of this
            class.
    """
    fields = _signed_fields(headers)
    signature_input = fields.get("signature-input")
    if signature_input is None or "signature" not in fields:
        raise AuthenticationNeeded(
            "signature_missing",
            "This request must be signed (RFC 9421).",
            next_step="Sign it with the organisation's request key.",
        )
    signature = _SIGNATURE.fullmatch(fields["signature"])
    if signature is None:
        _refuse("exactly one Ed25519 signature with label accord is expected")  # (1)
    signed = _read_input(signature_input)  # (1), (2)
    expected = BODY_COMPONENTS if _says_body(fields) else BASE_COMPONENTS
    if signed.covered != _listed(expected):
        raise AuthenticationNeeded(  # (3)
            "component_missing",
            "The signature does not cover exactly what it must.",
            next_step=f"Cover, in this order: {' '.join(expected)}.",
        )
    _check_times(signed.created, signed.expires, now)  # (4)
    try:
        message = _message(
            method=method, authority=authority, path=path, query=query, headers=fields
        )
        kid = KeyId(b64decode(signed.keyid, length=32))
        public = Ed25519PublicKey.from_public_bytes(lookup(kid))
        public.verify(
            b64decode(signature.group(1), length=64), _base(message, expected, signed.params)
        )  # (5)
    except Unavailable:
        raise
    except (AccordError, ValueError, InvalidSignature) as error:
        _refuse("the signature does not fit this request", cause=error)
    _check_body(fields.get("content-digest"), body() if callable(body) else body or b"")  # (6)
    until = signed.created + NONCE_MARGIN
    if not nonces.claim(kid, signed.nonce, until=until, now=now):  # (7)
        raise AuthenticationNeeded(
            "nonce_replayed",
            "This signed request was already received.",
            next_step="Sign each request anew; check that the clock is right.",
        )
    return kid


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signed:
    """What a Signature-Input of the profile says; ``params`` is its value as it is signed."""

    covered: str
    params: str
    created: int
    expires: int
    keyid: str
    nonce: str


def _read_input(text: str) -> _Signed:
    """Read a Signature-Input in the one spelling of the profile (RFC 9421 4.1, RFC 9651 4.1)."""
    match = _INPUT.fullmatch(text)
    if match is None:
        _refuse("Signature-Input is not in its one spelling")  # (1)
    params, covered, rest = match.groups()
    found = _PARAMETER.findall(rest)
    values = {name: number or word for name, number, word in found}
    if len(found) != len(PARAMETERS) or set(values) != PARAMETERS:
        _refuse("parameters, algorithm or tag are not those of the profile")  # (2)
    numbers = {name for name, number, _ in found if number}
    if numbers != {"created", "expires"} or values["tag"] != TAG or values["alg"] != "ed25519":
        _refuse("parameters, algorithm or tag are not those of the profile")  # (2)
    if _NONCE.fullmatch(values["nonce"]) is None:
        _refuse("the nonce is not 32 hexadecimal digits")  # (2)
    return _Signed(
        covered=covered,
        params=params,
        created=int(values["created"]),
        expires=int(values["expires"]),
        keyid=values["keyid"],
        nonce=values["nonce"],
    )


def _listed(components: Iterable[str]) -> str:
    return " ".join(f'"{name}"' for name in components)


def _base(message: _Message, components: Iterable[str], params: str) -> bytes:
    """Return the signature base (RFC 9421 2.5)."""
    resolve = _Components(message).value
    lines = [f'"{name}": {resolve(name)}' for name in components]
    return "\n".join([*lines, f'"@signature-params": {params}']).encode("ascii")


def _check_times(created: int, expires: int, now: int) -> None:
    if created > now + MAX_AGE:
        raise AuthenticationNeeded(
            "clock_skew",
            "The request was signed in the future.",
            observed=f"{created - now} s ahead",
            next_step="Set this computer's clock.",
        )
    if now > min(expires, created + MAX_AGE):
        raise AuthenticationNeeded(
            "signature_old",
            f"The request was signed more than {MAX_AGE} seconds ago.",
            observed=f"{now - created} s old",
            next_step="Sign it again; if this repeats, set this computer's clock.",
        )
    if not created <= expires <= created + MAX_AGE:
        _refuse(f"expires must lie within {MAX_AGE} s after created")


def _signed_fields(headers: Headers) -> dict[str, str]:
    fields: dict[str, str] = {}
    for name, value in headers.items():
        lower = name.lower()
        if lower not in SIGNED_FIELDS:
            continue
        if lower in fields:
            _refuse(f"{lower} stands twice")
        if len(value) > MAX_FIELD or not value.isascii():
            _refuse(f"{lower} is too long or not ASCII")
        fields[lower] = value
    return fields


def _says_body(fields: dict[str, str]) -> bool:
    found = ("content-digest" in fields, "content-type" in fields)
    if any(found) and not all(found):
        _refuse_uncovered()
    return all(found)


def _check_body(field: str | None, body: bytes) -> None:
    if field is None:
        if body:
            _refuse_uncovered()
        return
    match = _DIGEST.fullmatch(field)
    wanted = b64decode(match.group(1), length=32) if match else b""
    if not hmac.compare_digest(wanted, hashlib.sha256(body).digest()):
        raise VerificationFailed(
            "digest_wrong",
            "The body is not the one that was signed.",
            next_step="Send Content-Digest with exactly one sha-256 of the body's bytes.",
        )


def _refuse_uncovered() -> NoReturn:
    raise AuthenticationNeeded(
        "component_missing",
        "A body needs Content-Digest and Content-Type, and only a body has them.",
    )


def _message(
    *, method: str, authority: str, path: str, query: str, headers: dict[str, str]
) -> _Message:
    checks = ((_METHOD, method), (_AUTHORITY, authority), (_PATH, path), (_QUERY, query))
    for pattern, text in checks:
        if pattern.fullmatch(text) is None:
            _unsignable(text[:80])
    return _Message(method=method, authority=authority, path=path, query=query, headers=headers)


def _digest_field(body: bytes) -> str:
    return f"sha-256=:{b64encode(hashlib.sha256(body).digest())}:"


def _moment(now: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(now, tz=dt.UTC)


def _refuse(why: str, *, cause: Exception | None = None) -> NoReturn:
    raise AuthenticationNeeded(
        "signature_wrong",
        "The request's signature does not hold.",
        observed=why,
        next_step="Check the key, the hub's address and that no proxy changes the request.",
    ) from cause


def _unsignable(observed: str, *, cause: Exception | None = None) -> NoReturn:
    raise Malformed(
        "request_unsignable",
        "This request has no single spelling that could be signed.",
        observed=observed,
    ) from cause
