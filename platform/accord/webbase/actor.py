"""Who is signed in: the only importer of flask-login.

A session lives with the program (``webbase.sessions`` at a desk, rows of the database at a hub).
The signed cookie holds no more than a random token, which the program knows by its hash; so a
session ends for every copy of its cookie when the program forgets it. A session that still waits
for a second factor is nobody on any page but those of ``Who.ENTERING``. The cookie is made new
whenever what its holder may do grows: what was planted before is worth nothing afterwards.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import flask_login
from flask import Flask, current_app, request, session

from accord.kernel.errors import AuthenticationNeeded
from accord.webbase.csrf import renew_csrf

COOKIE_SECONDS = 24 * 3600
"""How long the cookie's own signature is taken; the program ends sessions much sooner."""

_END = "accord_end_session"
_BROWSER = "browser"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A person who has signed in, or who is about to.

    Attributes:
        id: the account as the program knows it; opaque to this room.
        name: how the page greets the person.
        org: the person's organisation.
        roles: names of the person's roles; the program's access room gives them meaning.
        waits_for: what is still missing before the session counts (``factor``, ``enrol``); empty
            when nothing is.
        fresh: the person proved who they are within the last minutes.
    """

    id: str
    name: str
    org: str
    roles: frozenset[str]
    waits_for: str = ""
    fresh: bool = False


FindSession = Callable[[str], Actor | None]
"""Returns whose session a token is, or ``None`` when it is over."""

EndSession = Callable[[str], None]
"""Ends the session of a token for good."""


class _User:
    """What flask-login wants to see of an actor; its id is the session's token."""

    is_active = True
    is_authenticated = True
    is_anonymous = False

    def __init__(self, actor: Actor, token: str) -> None:
        self.actor = actor
        self.token = token

    def get_id(self) -> str:
        return self.token


def install_actor(app: Flask, *, find: FindSession, end: EndSession) -> None:
    """Set up sessions.

    Args:
        app: the application.
        find: finds the session of a token.
        end: ends it.
    """
    manager = flask_login.LoginManager()
    # Its own protection speaks up on every page before a sign-in; ours is ``_browser``.
    manager.session_protection = None
    manager.init_app(app, add_context_processor=False)  # pages ask ``actor``
    app.extensions[_END] = end

    def load_user(token: str) -> _User | None:
        if not hmac.compare_digest(str(session.get(_BROWSER)), _browser()):
            return None
        actor = find(token)
        return None if actor is None else _User(actor, token)

    manager.user_loader(load_user)
    app.jinja_env.globals["actor"] = optional_actor


def hold_session(token: str, actor: Actor) -> None:
    """Give the browser the session of ``token``; whatever its cookie held before is dropped.

    Args:
        token: of a session that the program has just begun.
        actor: whose it is.
    """
    session.clear()
    renew_csrf()
    session[_BROWSER] = _browser()
    flask_login.login_user(_User(actor, token))


def leave_session() -> None:
    """End the present session, also for whoever holds a copy of its cookie."""
    token = present_token()
    if token is not None:
        current_app.extensions[_END](token)
    flask_login.logout_user()
    session.clear()


def present_token() -> str | None:
    """Return the token of the present session, whatever it still waits for."""
    user: Any = flask_login.current_user
    token: str | None = getattr(user, "token", None)
    return token


def entering_actor() -> Actor:
    """Return whose session this is, also when it still waits for something.

    Raises:
        AuthenticationNeeded: ``sign_in_needed``.
    """
    actor = _holder()
    if actor is None:
        raise _sign_in_needed()
    return actor


def optional_actor() -> Actor | None:
    """Return who is signed in, wholly, or ``None``."""
    actor = _holder()
    return None if actor is None or actor.waits_for else actor


def current_actor() -> Actor:
    """Return who is signed in, wholly.

    Raises:
        AuthenticationNeeded: ``sign_in_needed``.
    """
    actor = optional_actor()
    if actor is None:
        raise _sign_in_needed()
    return actor


def _browser() -> str:
    """Return what a cookie is bound to: the address and the browser that it was given to."""
    told = f"{request.remote_addr}\0{request.user_agent.string}"
    return hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()


def _holder() -> Actor | None:
    user: Any = flask_login.current_user
    return user.actor if isinstance(getattr(user, "actor", None), Actor) else None


def _sign_in_needed() -> AuthenticationNeeded:
    return AuthenticationNeeded(
        "sign_in_needed",
        "Sign in to see this page.",
        next_step="Sign in, then open the page again.",
    )
