"""TAXII and MISP over HTTP: who the tool is, what it accepts, and errors in its own words."""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
from flask import Blueprint, request
from werkzeug.wrappers import Response

from accord.clock import Clock
from accord.desk.feeds.misp import MispFeed
from accord.desk.feeds.taxii import MEDIA_TYPE, ROOT, Answer, Taxii
from accord.desk.keyring.tools import Tools
from accord.kernel.errors import AccordError, AuthenticationNeeded, Malformed, NotFound
from accord.protocol.problems import problem_of
from accord.webbase.problems import TOOL_CHALLENGE
from accord.webbase.routes import Who, declare
from accord.webbase.throttle import SignInThrottle

KNOWN_SECONDS = 600
"""How long a checked token is remembered, as a keyed digest."""

MAX_KNOWN = 1_000
_EVERY = ["GET", "POST", "PUT", "DELETE", "PATCH"]
_VERSION = re.compile(r"^version=(.*)$")
_TAXII = "application/taxii+json"
_MISP_FILE = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedServices:
    """What the feeds work with. ``hashes`` gives MISP's list of hashes, which is off by itself."""

    taxii: Taxii
    misp: MispFeed
    tools: Tools
    clock: Clock
    hashes: bool = False
    throttle: SignInThrottle = field(default_factory=SignInThrottle)


class Gate:
    """Knows the tool that asks: Basic, Bearer or Token; a wrong one is slowed down."""

    def __init__(self, services: FeedServices) -> None:
        """Remember tokens by a keyed digest only; the key lives as long as the process."""
        self._services = services
        self._key = secrets.token_bytes(32)
        self._known: dict[bytes, tuple[str, int]] = {}

    def tool(self) -> str:
        """Return the name of the tool that sent this request.

        Raises:
            AuthenticationNeeded: ``tool_wrong``.
        """
        header = request.headers.get("Authorization", "")
        now = self._services.clock()
        digest = hmac.digest(self._key, header.encode("utf-8", "replace"), hashlib.sha256)
        known = self._known.get(digest)
        if known is not None and known[1] > now and self._services.tools.has(known[0]):
            return known[0]
        try:
            name = self._check(header, now)
        except AuthenticationNeeded:
            agent = request.headers.get("User-Agent", "")
            asked = f"{request.method} {request.path}"
            self._services.tools.note_stranger(request=asked, agent=agent, now=now)
            raise
        if len(self._known) >= MAX_KNOWN:
            self._known.clear()
        self._known[digest] = (name, now + KNOWN_SECONDS)
        return name

    def _check(self, header: str, now: int) -> str:
        name, token = _credentials(header)
        account = name or "bearer"
        self._services.throttle.attempt(account=account, source=request.remote_addr or "", now=now)
        found = self._services.tools.check(token, name)
        self._services.throttle.succeeded(account=account)
        return found


def _credentials(header: str) -> tuple[str | None, str]:
    scheme, _, rest = header.partition(" ")
    if scheme.lower() in {"bearer", "token"}:
        return None, rest.strip()
    if scheme.lower() == "basic":
        try:
            text = base64.b64decode(rest.strip(), validate=True).decode()
            name, found, token = text.partition(":")
        except (binascii.Error, UnicodeDecodeError):
            name, found, token = "", "", ""
        if found:
            return name, token
    if scheme and not rest:
        return None, scheme  # MISP sends its key bare
    raise AuthenticationNeeded(
        "tool_wrong",
        "The tool's name or token is wrong.",
        next_step="Make a new one with accord tool add.",
    )


def feed_routes(services: FeedServices) -> Blueprint:
    """Return the routes of both feeds."""
    routes = Blueprint("feeds", __name__)
    gate = Gate(services)
    reading = declare("feed:read", who=Who.PROGRAM)
    for place, (rule, resource) in enumerate(_resources(services.taxii)):
        view = reading(_taxii_view(services, gate, resource))
        # Some clients forget the slash at the end.
        routes.add_url_rule(rule, f"taxii_{place}", view, methods=["GET"], strict_slashes=False)
    refuse = declare("feed:write", who=Who.PROGRAM)(
        _taxii_view(services, gate, lambda name, **_: services.taxii.refuse_writing(name))
    )
    objects = f"{ROOT}collections/<name>/objects/"
    routes.add_url_rule(objects, "taxii_post", refuse, methods=["POST"])
    routes.add_url_rule(f"{objects}<object_id>/", "taxii_delete", refuse, methods=["DELETE"])
    nothing = reading(_taxii_view(services, gate, _nothing))
    routes.add_url_rule("/taxii2/<path:rest>", "taxii_nothing", nothing, methods=_EVERY)

    # Second rule: MISP puts /manifest.json behind a URL that a person ended with a slash.
    @routes.get("/misp/<path:name>")
    @routes.get("/misp//<path:name>", merge_slashes=False)
    @reading
    def misp_file(name: str) -> Response:
        """Give one file of the MISP feed."""
        tool = gate.tool()
        try:
            body, kind = _misp(services, services.misp, name)
        except NotFound:
            _noted(services, tool, Response(status=404))
            raise
        return _noted(services, tool, Response(body, 200, content_type=kind))

    return routes


def _resources(taxii: Taxii) -> tuple[tuple[str, Callable[..., Answer]], ...]:
    """Return each path of the server with what it answers (TAXII 2.1, 3.1)."""

    def asked() -> dict[str, list[str]]:
        return request.args.to_dict(flat=False)

    def one(name: str, object_id: str) -> Answer:
        return taxii.objects(name, asked(), object_id)

    def versions(name: str, object_id: str) -> Answer:
        return taxii.versions(name, object_id, asked())

    collection = f"{ROOT}collections/<name>/"
    return (
        ("/taxii2/", lambda: taxii.discovery(request.host_url.rstrip("/"))),
        (ROOT, taxii.root),
        (f"{ROOT}collections/", taxii.collections),
        (collection, taxii.collection),
        (f"{collection}objects/", lambda name: taxii.objects(name, asked())),
        (f"{collection}manifest/", lambda name: taxii.manifest(name, asked())),
        (f"{collection}objects/<object_id>/", one),
        (f"{collection}objects/<object_id>/versions/", versions),
    )


def _nothing(rest: str) -> Answer:
    raise NotFound("not_found", "There is nothing at this address.", observed=rest[:80])


def _taxii_view(
    services: FeedServices, gate: Gate, resource: Callable[..., Answer]
) -> Callable[..., Response]:
    """Return a view that answers as TAXII asks, also its errors; the tool is known and noted."""

    def view(**arguments: str) -> Response:
        name = ""
        try:
            name = gate.tool()
            _negotiate()
            made = resource(**arguments)
            response = Response(made.body, 200, headers=dict(made.headers))
            response.headers["Content-Type"] = MEDIA_TYPE
        except AccordError as error:
            response = _refusal(error)
        return _noted(services, name, response)

    return view


def _misp(services: FeedServices, feed: MispFeed, name: str) -> tuple[bytes, str]:
    now = services.clock()
    found = _MISP_FILE.fullmatch(name)
    if name == "manifest.json":
        return feed.manifest(now=now), "application/json"
    if name == "hashes.csv" and services.hashes:
        return b"".join(feed.hashes(now=now)), "text/csv"
    if found is not None:
        return feed.event(found.group(1), now=now), "application/json"
    raise NotFound("not_found", "There is no such file.")


def _negotiate() -> None:
    """Refuse an Accept that names neither TAXII 2.1 nor anything that includes it (TAXII 1.6.8).

    Raises:
        Malformed: ``not_acceptable``.
    """
    header = request.headers.get("Accept", "").strip()
    for part in header.split(",") if header else ():
        kind, *parameters = [word.strip().lower() for word in part.split(";")]
        told = [_VERSION.match(word) for word in parameters]
        versions = [found.group(1).strip('"') for found in told if found]
        if kind in {"*/*", "application/*"} or (
            kind == _TAXII and all(version == "2.1" for version in versions)
        ):
            return
    if header:
        raise Malformed(
            "not_acceptable",
            "This server speaks TAXII 2.1.",
            observed=header[:80],
            next_step=f"Set the Accept header to {MEDIA_TYPE}.",
        )


def _refusal(error: AccordError) -> Response:
    """Return TAXII's own error resource (3.6.1)."""
    problem = problem_of(error)
    body = {
        "title": error.message,
        "error_code": error.code,
        "http_status": str(problem.status),
    }
    if error.next_step:
        body["description"] = error.next_step
    response = Response(msgspec.json.encode(body), problem.status)
    response.headers["Content-Type"] = MEDIA_TYPE
    if problem.status == 401:  # noqa: PLR2004 - HTTP's own number
        response.headers["WWW-Authenticate"] = TOOL_CHALLENGE
    if problem.retry_after is not None:
        response.headers["Retry-After"] = str(problem.retry_after)
    return response


def _noted(services: FeedServices, name: str, response: Response) -> Response:
    if name:
        services.tools.note(
            name,
            request=f"{request.method} {request.path}",
            status=response.status_code,
            agent=request.headers.get("User-Agent", ""),
            now=services.clock(),
        )
    return response
