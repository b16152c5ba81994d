"""Who signed a request: from an RFC 9421 signature to an organisation's desk."""

from collections.abc import Callable, Collection, Mapping

from flask import Request

from accord.clock import Clock
from accord.hub.access import Actor, Role
from accord.hub.directory import Directory
from accord.kernel.errors import AccordError
from accord.kernel.identifiers import KeyId
from accord.kernel.statements.tally import MAX_TALLY
from accord.protocol.nonces import MemoryNonceCache, NonceCache
from accord.protocol.signatures import verify_request
from accord.webbase.routes import signed_caller
from accord.webbase.signed import signed_verifier

MAX_SIGNED_BODY = 280 * 1024 * 1024
"""Largest signed body in bytes: a bundle of the largest size with its entries."""

_LARGE = {"bundles.put_bundle": MAX_SIGNED_BODY, "statements.put_tally": MAX_TALLY}
"""Largest body in bytes of the routes that take more than the others."""


def verify_signed(
    directory: Directory, nonces: NonceCache, clock: Clock, authorities: Collection[str]
) -> Callable[[Request], Actor]:
    """Return the function that the gate calls for routes that need a signed request."""
    verify_key = signed_verifier(
        authorities=authorities,
        lookup=lambda kid: _key(directory, kid, clock())[1],
        clock=clock,
        nonces=nonces,
    )

    def verify(request: Request) -> Actor:
        if request.endpoint in _LARGE:
            request.max_content_length = _LARGE[request.endpoint]
        return _actor(directory, verify_key(request))

    return verify


class _SignatureHolds(Exception):
    """The body was asked for: everything that stands in the headers has been verified."""


def admits_large(
    directory: Directory, clock: Clock, authorities: Collection[str]
) -> Callable[[str, str, str, Mapping[str, str]], bool]:
    """Return the function that judges, from the headers alone, whether a large body may come.

    No nonce is used up: the request itself is verified in full when its body is there.
    """

    def admit(method: str, path: str, query: str, headers: Mapping[str, str]) -> bool:
        def body() -> bytes:
            raise _SignatureHolds

        authority = headers.get("host", "").lower()
        if authority not in authorities:
            return False
        try:
            verify_request(
                method=method,
                authority=authority,
                path=path,
                query=query,
                headers=headers,
                body=body,
                lookup=lambda kid: _key(directory, kid, clock())[1],
                now=clock(),
                nonces=MemoryNonceCache(),
            )
        except _SignatureHolds:
            return True
        except AccordError:
            return False
        return False

    return admit


def _key(directory: Directory, kid: KeyId, now: int) -> tuple[str, bytes]:
    try:
        return directory.state().request_key(kid, at=now)
    except AccordError:
        # Perhaps it was enrolled a moment ago by another process.
        return directory.refresh().request_key(kid, at=now)


def _actor(directory: Directory, kid: KeyId) -> Actor:
    state = directory.state()
    org, _ = state.request_key(kid)
    organisation = state.organisation(org)
    return Actor(
        org=org,
        kind=organisation.profile.kind,
        role=Role.DESK,
        capabilities=frozenset(organisation.roles),
    )


def caller() -> Actor | None:
    """Return the desk that signed the present request, or ``None``."""
    found = signed_caller()
    return found if isinstance(found, Actor) else None
