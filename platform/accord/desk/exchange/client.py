"""One hub over HTTP: signed requests (RFC 9421), bounded answers, errors as the hub's own codes.

No redirect is followed, no proxy or certificate is taken from the environment, and nothing longer
than told is read. A broken connection is ``Unavailable``; idempotent requests are tried again.
"""

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, Self
from urllib.parse import urlsplit

import httpx2
from marshmallow import Schema, ValidationError

from accord.clock import Clock
from accord.kernel.errors import Malformed, Unavailable
from accord.kernel.keys import RequestKeyPair
from accord.protocol.problems import MAX_PROBLEM, error_of
from accord.protocol.signatures import NONCE_SIZE, sign_request

TIMEOUT = 60.0
"""Seconds without a byte before a request is given up; longer than the longest long-poll."""

MAX_ANSWER = 8 * 1024 * 1024
"""Largest answer in bytes unless a call says otherwise."""

MAX_JSON = 4 * 1024 * 1024
ATTEMPTS = 3
CHUNK = 1024 * 1024

_ERROR = 400
_REDIRECT = 300
_DEFAULT_PORTS = {"https": 443, "http": 80}


class HubClient:
    """Speaks to one hub; close it, or use it as a context manager."""

    def __init__(
        self,
        url: str,
        *,
        clock: Clock,
        key: RequestKeyPair | None = None,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        """Prepare a connection.

        Args:
            url: the hub's address, checked by ``desk.config``.
            clock: the present time, for signatures.
            key: the desk's request key; without it only unsigned requests can be made.
            transport: how requests travel; the network when absent.
        """
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port
        bare = f"[{host}]" if ":" in host else host
        default = port is None or port == _DEFAULT_PORTS.get(parts.scheme)
        self.authority: Final = bare if default else f"{bare}:{port}"
        self._base = f"{parts.scheme}://{self.authority}"
        self._clock = clock
        self._key = key
        self._client = httpx2.Client(
            transport=transport, timeout=TIMEOUT, trust_env=False, follow_redirects=False
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self.close()

    def get(
        self, path: str, query: str = "", *, signed: bool = False, limit: int = MAX_ANSWER
    ) -> bytes:
        """Return the body of a GET answer.

        Raises:
            AccordError: the hub's refusal with its code, or ``hub_unreachable``.
            Malformed: ``answer_too_long``.
        """
        return self._ask("GET", path, query, signed=signed, limit=limit)

    def get_json(
        self, path: str, schema: type[Schema], query: str = "", *, signed: bool = False
    ) -> dict[str, Any]:
        """Return the members of a GET answer, checked by ``schema``."""
        return read_json(self.get(path, query, signed=signed, limit=MAX_JSON), schema)

    def put(
        self, path: str, body: bytes, content_type: str, schema: type[Schema]
    ) -> dict[str, Any]:
        """PUT a body, signed; idempotent, so a broken connection is tried again."""
        answer = self._ask("PUT", path, body=body, content_type=content_type, signed=True)
        return read_json(answer, schema)

    def post(
        self,
        path: str,
        body: bytes,
        content_type: str,
        schema: type[Schema],
        *,
        signed: bool = True,
    ) -> dict[str, Any]:
        """POST a body once; the answer is checked by ``schema``."""
        answer = self._ask(
            "POST", path, body=body, content_type=content_type, signed=signed, attempts=1
        )
        return read_json(answer, schema)

    @contextmanager
    def stream(self, path: str, query: str = "") -> Iterator[Iterator[bytes]]:
        """Yield the pieces of a signed GET answer of any length.

        Raises:
            AccordError: the hub's refusal, or ``hub_unreachable`` also in the middle.
        """
        headers = self._headers("GET", path, query, None, None, signed=True)
        try:
            with self._client.stream("GET", self._url(path, query), headers=headers) as answer:
                _check_status(answer)
                yield answer.iter_bytes(CHUNK)
        except httpx2.HTTPError as error:
            raise _unreachable(self.authority, error) from error

    def _ask(
        self,
        method: str,
        path: str,
        query: str = "",
        *,
        body: bytes | None = None,
        content_type: str | None = None,
        signed: bool,
        limit: int = MAX_ANSWER,
        attempts: int = ATTEMPTS,
    ) -> bytes:
        for attempt in range(1, attempts + 1):
            # A nonce is good once: every attempt is signed anew.
            headers = self._headers(method, path, query, body, content_type, signed=signed)
            try:
                with self._client.stream(
                    method, self._url(path, query), headers=headers, content=body
                ) as answer:
                    _check_status(answer)
                    return _read(answer, limit)
            except httpx2.HTTPError as error:
                if attempt == attempts:
                    raise _unreachable(self.authority, error) from error
        raise Unavailable("hub_unreachable", "The hub was not asked.")

    def _headers(
        self,
        method: str,
        path: str,
        query: str,
        body: bytes | None,
        content_type: str | None,
        *,
        signed: bool,
    ) -> dict[str, str]:
        headers = {"Accept-Encoding": "identity"}
        if not signed:
            return headers if content_type is None else headers | {"Content-Type": content_type}
        if self._key is None:
            raise Malformed(
                "request_unsignable", "This request must be signed, and no key is here."
            )
        return headers | sign_request(
            method=method,
            authority=self.authority,
            path=path,
            query=query,
            body=body,
            content_type=content_type,
            key=self._key,
            now=self._clock(),
            nonce=secrets.token_bytes(NONCE_SIZE),
        )

    def _url(self, path: str, query: str) -> str:
        return f"{self._base}{path}?{query}" if query else f"{self._base}{path}"


def read_json(data: bytes, schema: type[Schema]) -> dict[str, Any]:
    """Return a JSON answer's members, checked by ``schema``: unknown or doubled names are refused.

    Raises:
        Malformed: ``answer_invalid``.
    """
    try:
        members: dict[str, Any] = schema().load(json.loads(data, object_pairs_hook=_unique))
    except (ValueError, ValidationError, RecursionError) as error:
        raise Malformed(
            "answer_invalid",
            "The hub's answer is not in the form of this version.",
            observed=schema.__name__,
            next_step="Update the older of the two installations.",
        ) from error
    return members


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def query_of(parts: Mapping[str, int | str]) -> str:
    """Return a query string of plain names and numbers."""
    return "&".join(f"{name}={value}" for name, value in parts.items())


def _check_status(answer: httpx2.Response) -> None:
    if answer.status_code >= _ERROR:
        raise error_of(answer.status_code, _read(answer, MAX_PROBLEM, cut=True))
    if answer.status_code >= _REDIRECT:
        raise Malformed(
            "answer_invalid",
            "The hub sent a redirect; none is followed.",
            observed=str(answer.status_code),
            next_step="Set the hub's own address in desk.toml.",
        )


def _read(answer: httpx2.Response, limit: int, *, cut: bool = False) -> bytes:
    pieces = bytearray()
    for piece in answer.iter_bytes(CHUNK):
        pieces += piece
        if len(pieces) > limit:
            if cut:
                return bytes(pieces[:limit])
            raise Malformed("answer_too_long", f"The hub's answer is longer than {limit} bytes.")
    return bytes(pieces)


def _unreachable(authority: str, error: Exception) -> Unavailable:
    return Unavailable(
        "hub_unreachable",
        "The hub cannot be reached, or the connection broke.",
        retry_after=5,
        observed=f"{authority}: {type(error).__name__}",
        next_step="Check the network; nothing is lost, run the command again.",
    )
