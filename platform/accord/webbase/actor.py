"""Who is signed in: the only importer of flask-login.

A session is a signed cookie that names an account and when it began; it ends after
``SESSION_SECONDS``, on sign-out (for every copy of the cookie), when the browser changes, or when
the loader no longer knows the account's id (an id that changes with the password ends all of a
person's sessions). Sessions that were ended are remembered by the process, whose cookie key ends
with it too.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import flask_login
from flask import Flask, current_app, session

from accord.clock import Clock
from accord.kernel.errors import AuthenticationNeeded
from accord.webbase.csrf import renew_csrf

SESSION_SECONDS = 8 * 3600
"""Longest session; then the person signs in again."""

_BEGAN = "began"
_SESSION = "session"
_ENDED = "accord_ended_sessions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A person who has signed in.

    Attributes:
        id: the account's id as the session keeps it; opaque to this room.
        name: how the page greets the person.
        org: the person's organisation.
        roles: names of the person's roles; the program's access room gives them meaning.
    """

    id: str
    name: str
    org: str
    roles: frozenset[str]


LoadActor = Callable[[str], Actor | None]
"""Returns the account of an id, or ``None`` when it may no longer sign in."""


class _User:
    """What flask-login wants to see of an actor."""

    is_active = True
    is_authenticated = True
    is_anonymous = False

    def __init__(self, actor: Actor) -> None:
        self.actor = actor

    def get_id(self) -> str:
        return self.actor.id


def install_actor(app: Flask, *, load: LoadActor, clock: Clock) -> None:
    """Set up sessions.

    Args:
        app: the application.
        load: finds the account of a session.
        clock: tells how old a session is.
    """
    manager = flask_login.LoginManager()
    manager.session_protection = "strong"
    manager.init_app(app)
    ended: dict[str, int] = app.extensions.setdefault(_ENDED, {})

    def load_user(account_id: str) -> _User | None:
        began = session.get(_BEGAN)
        if not isinstance(began, int) or not 0 <= clock() - began <= SESSION_SECONDS:
            return None
        if session.get(_SESSION) in ended:
            return None
        actor = load(account_id)
        return None if actor is None else _User(actor)

    manager.user_loader(load_user)
    app.jinja_env.globals["actor"] = optional_actor


def sign_in(actor: Actor, *, now: int) -> None:
    """Begin a session for ``actor``; whatever the cookie held before is dropped."""
    session.clear()
    renew_csrf()
    session[_BEGAN] = now
    session[_SESSION] = secrets.token_urlsafe(16)
    flask_login.login_user(_User(actor))


def sign_out() -> None:
    """End the present session, also for whoever holds a copy of its cookie."""
    ended: dict[str, int] = current_app.extensions[_ENDED]
    began, name = session.get(_BEGAN), session.get(_SESSION)
    if optional_actor() is not None and isinstance(began, int) and isinstance(name, str):
        for old in [one for one, at in list(ended.items()) if at < began - SESSION_SECONDS]:
            ended.pop(old, None)
        ended[name] = began
    flask_login.logout_user()
    session.clear()


def optional_actor() -> Actor | None:
    """Return who is signed in, or ``None``."""
    user: Any = flask_login.current_user
    return user.actor if isinstance(getattr(user, "actor", None), Actor) else None


def current_actor() -> Actor:
    """Return who is signed in.

    Raises:
        AuthenticationNeeded: ``sign_in_needed``.
    """
    actor = optional_actor()
    if actor is None:
        raise AuthenticationNeeded(
            "sign_in_needed",
            "Sign in to see this page.",
            next_step="Sign in, then open the page again.",
        )
    return actor
