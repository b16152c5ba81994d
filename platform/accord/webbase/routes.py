"""Every route says what it does and who may reach it; one that does not stops the start.

``declare`` is written on the view; ``install_gate`` checks before each request that the caller is
of the declared sort. What a caller may do beyond that is decided by the program's access room.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from flask import Flask, Request, request

from accord.kernel.errors import AuthenticationNeeded, NotFound
from accord.webbase.actor import current_actor, entering_actor
from accord.webbase.csrf import check_csrf

_DECLARATION = "accord_declaration"
_CALLER = "accord.caller"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

View = TypeVar("View", bound=Callable[..., object])
VerifySigned = Callable[[Request], object]
"""Returns who signed this request, or raises; what it returns is what ``signed_caller`` gives."""


class Who(StrEnum):
    """The sorts of callers that a route may be for."""

    ANYONE = "anyone"
    """No identity is needed; a form on such a page still carries its token."""
    PROGRAM = "program"
    """A program without an identity yet; no form, and cookies are ignored."""
    SIGNED = "signed"
    """A desk or peer with a signed request (``protocol.signatures``); cookies are ignored."""
    PERSON = "person"
    """A person who has signed in."""
    ENTERING = "entering"
    """A person whose session may still wait for a second factor, or for setting one up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What a route is for: ``subject:action`` of the access room, and its sort of callers."""

    action: str
    who: Who


def declare(action: str, *, who: Who) -> Callable[[View], View]:
    """Mark a view with its action and callers.

    Args:
        action: closed name ``subject:action``, for example ``bundle:submit``.
        who: the sort of callers.
    """

    def mark(view: View) -> View:
        setattr(view, _DECLARATION, Declaration(action=str(action), who=who))
        return view

    return mark


def declare_endpoint(app: Flask, endpoint: str, action: str, *, who: Who) -> None:
    """Declare a view that a library has added to ``app``."""
    table = app.extensions.setdefault(_DECLARATION, {})
    table[endpoint] = Declaration(action=action, who=who)


def declaration_of(app: Flask, endpoint: str) -> Declaration | None:
    """Return what the view of ``endpoint`` declares, if anything."""
    table = app.extensions.get(_DECLARATION, {})
    view = app.view_functions.get(endpoint)
    declared = table.get(endpoint) or getattr(view, _DECLARATION, None)
    return declared if isinstance(declared, Declaration) else None


def signed_caller() -> object:
    """Return who signed the present request.

    Raises:
        AuthenticationNeeded: ``signature_missing`` outside a route for signed requests.
    """
    if _CALLER not in request.environ:
        raise AuthenticationNeeded("signature_missing", "This request must be signed (RFC 9421).")
    caller: object = request.environ[_CALLER]
    return caller


def install_gate(app: Flask, *, verify_signed: VerifySigned | None = None) -> None:
    """Check every request against its route's declaration; call once, before the first request.

    Args:
        app: the application with its routes.
        verify_signed: checks signed requests; needed as soon as a route is for them.
    """
    app.before_request(lambda: _admit(app, verify_signed))


def check_routes(app: Flask, *, signed_requests: bool) -> dict[str, Declaration]:
    """Return the declaration of every endpoint; call at the end of the wiring.

    Args:
        app: the application with all its routes.
        signed_requests: whether ``install_gate`` was given a verifier.

    Raises:
        RuntimeError: a route has no declaration, or is for signed requests that nobody verifies.
    """
    found = {}
    for rule in app.url_map.iter_rules():
        declared = declaration_of(app, rule.endpoint)
        if declared is None:
            raise RuntimeError("a route declares no action: " + rule.rule)
        if declared.who is Who.SIGNED and not signed_requests:
            raise RuntimeError("nothing verifies signed requests: " + rule.rule)
        found[rule.endpoint] = declared
    return found


def _admit(app: Flask, verify_signed: VerifySigned | None) -> None:
    if request.url_rule is None:
        return  # Flask answers 404 or 405 by itself, after this
    declared = declaration_of(app, request.url_rule.endpoint)
    if declared is None:
        raise NotFound("not_found", "There is no such page.")
    if declared.who is Who.SIGNED:
        if verify_signed is None:
            raise NotFound("not_found", "There is no such page.")
        request.environ[_CALLER] = verify_signed(request)
        return
    if declared.who is Who.PROGRAM:
        return
    if declared.who is Who.PERSON:
        current_actor()
    if declared.who is Who.ENTERING:
        entering_actor()
    if request.method not in _SAFE:
        check_csrf()
