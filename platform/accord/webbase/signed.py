"""Signed requests at a Flask application: hands ``protocol.signatures`` what was received."""

from collections.abc import Callable, Collection

from flask import Request

from accord.clock import Clock
from accord.kernel.errors import AuthenticationNeeded
from accord.kernel.identifiers import KeyId
from accord.protocol.nonces import NonceCache
from accord.protocol.signatures import KeyOfRequest, verify_request


def signed_verifier(
    *,
    authorities: Collection[str],
    lookup: KeyOfRequest,
    clock: Clock,
    nonces: NonceCache,
) -> Callable[[Request], KeyId]:
    """Return a function that verifies a request and gives its key's id.

    Args:
        authorities: every ``host`` or ``host:port`` that this program answers to, from its
            settings. A signed request is checked against the one that its Host field names; a
            Host that is not in the list is refused.
        lookup: gives the request key of an id.
        clock: present time.
        nonces: memory shared by all processes of this program.
    """
    known = frozenset(authorities)

    def verify(request: Request) -> KeyId:
        authority = request.headers.get("Host", "").lower()
        if authority not in known:
            raise AuthenticationNeeded(
                "signature_wrong",
                "The request's signature does not hold.",
                observed="the request names another host than this hub's",
            )
        return verify_request(
            method=request.method,
            authority=authority,
            # A path that was escaped on the wire is the same resource; only plain ones verify.
            path=request.root_path.rstrip("/") + request.path,
            query=request.query_string.decode("latin-1"),
            headers=request.headers,
            body=lambda: request.get_data(cache=True),
            lookup=lookup,
            now=clock(),
            nonces=nonces,
        )

    return verify
