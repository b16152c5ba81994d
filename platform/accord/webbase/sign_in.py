"""The sign-in and sign-out routes that hub and desk share.

The program says how a name and a password are checked and begins the session; this module counts
attempts first, gives one answer for every failure, and sends the person back to a page of this host
only.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import Flask, redirect, render_template, request
from werkzeug.wrappers import Response

from accord.clock import Clock
from accord.kernel.errors import AccordError, AuthenticationNeeded, Unavailable
from accord.protocol.paths import CONFIRM, HOME, SIGN_IN, SIGN_OUT
from accord.protocol.problems import problem_of
from accord.webbase.actor import Actor, hold_session, leave_session
from accord.webbase.routes import Who, declare
from accord.webbase.throttle import Throttle


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """A session that was begun.

    Attributes:
        token: its token.
        actor: whose it is.
        place: the page where it must go on, when something is still missing.
    """

    token: str
    actor: Actor
    place: str | None = None


Enter = Callable[[str, str], Entrance]
"""Takes name (trimmed, lower case) and password; begins a session or raises the error."""

_LOCAL_PATH = re.compile(r"/(?![/\\])[A-Za-z0-9/._~@?=&%-]{0,200}")


def install_sign_in(
    app: Flask,
    *,
    enter: Enter,
    clock: Clock,
    throttle: Throttle,
    page: str = "sign_in.html",
    more: Callable[[], Mapping[str, object]] = dict,
) -> None:
    """Add ``/sign-in`` and ``/sign-out`` to ``app``.

    Args:
        app: the application, with ``actor.install_actor`` done.
        enter: checks a password; it takes the same time for a name that does not exist.
        clock: present time.
        throttle: counts attempts.
        page: the template of the page.
        more: what that template needs beside the name and the error.
    """

    def render(error: AccordError | None) -> str:
        login = request.form.get("login", "")[:80]
        return render_template(page, error=error, login=login, **more())

    @declare("session:begin", who=Who.ANYONE)
    def show() -> str:
        return render(None)

    @declare("session:begin", who=Who.ANYONE)
    def begin() -> Response:
        login = request.form.get("login", "").strip().lower()
        try:
            throttle.attempt(account=login, source=request.remote_addr or "-", now=clock())
            entrance = enter(login, request.form.get("password", ""))
        except (AuthenticationNeeded, Unavailable) as error:
            return refused(error, render(error))
        throttle.succeeded(account=login)
        return go_on(entrance)

    @declare("session:end", who=Who.ANYONE)
    def end() -> Response:
        leave_session()
        return redirect(SIGN_IN, 303)

    app.add_url_rule(SIGN_IN, "sign_in_form", show, methods=["GET"])
    app.add_url_rule(SIGN_IN, "sign_in", begin, methods=["POST"])
    app.add_url_rule(SIGN_OUT, "sign_out", end, methods=["POST"])


def go_on(entrance: Entrance) -> Response:
    """Hold the session, and lead to what is missing or to the page that was wanted."""
    hold_session(entrance.token, entrance.actor)
    wanted = local_path(request.args.get("next", ""))
    if entrance.place is None:
        return redirect(wanted, 303)
    return redirect(f"{entrance.place}?{urlencode({'next': wanted})}", 303)


def tried(
    act: Callable[[], Response], page: Callable[[AccordError], str], *, here: str
) -> Response:
    """Return what ``act`` answers, or the page again with what was wrong.

    Args:
        act: does what a form asked for.
        page: renders the form's page with the error on it.
        here: the page's path, to which a person comes back after confirming who they are.
    """
    try:
        return act()
    except AccordError as error:
        if error.code == "confirm_needed":
            return redirect(f"{CONFIRM}?{urlencode({'next': here})}", 303)
        return refused(error, page(error))


def local_path(text: str) -> str:
    """Return ``text`` when it is a path of this host, else the home page."""
    return text if _LOCAL_PATH.fullmatch(text) else HOME


def refused(error: AccordError, page: str) -> Response:
    """Return ``page`` with the status that ``error`` has."""
    problem = problem_of(error)
    answer = Response(page, problem.status, content_type="text/html; charset=utf-8")
    if problem.retry_after is not None:
        answer.headers["Retry-After"] = str(problem.retry_after)
    return answer
