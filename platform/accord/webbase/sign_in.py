"""The sign-in and sign-out routes that hub and desk share.

The program says how a name and a password are checked; this module counts attempts first, gives
one answer for every failure, and sends the person back to a page of this host only.
"""

import re
from collections.abc import Callable

from flask import Flask, redirect, render_template, request
from werkzeug.wrappers import Response

from accord.clock import Clock
from accord.kernel.errors import AccordError, AuthenticationNeeded, Unavailable
from accord.protocol.paths import HOME, SIGN_IN, SIGN_OUT
from accord.protocol.problems import problem_of
from accord.webbase.actor import Actor, sign_in, sign_out
from accord.webbase.routes import Who, declare
from accord.webbase.throttle import SignInThrottle

CheckPassword = Callable[[str, str], Actor]
"""Takes name (trimmed, lower case) and password; returns who that is or raises the error."""

_LOCAL_PATH = re.compile(r"/(?![/\\])[A-Za-z0-9/._~@?=&%-]{0,200}")


def install_sign_in(
    app: Flask, *, check: CheckPassword, clock: Clock, throttle: SignInThrottle
) -> None:
    """Add ``/sign-in`` and ``/sign-out`` to ``app``.

    Args:
        app: the application, with ``actor.install_actor`` done.
        check: checks a password; it takes the same time for a name that does not exist.
        clock: present time.
        throttle: counts attempts.
    """

    @declare("session:begin", who=Who.ANYONE)
    def show() -> str:
        return _page(None)

    @declare("session:begin", who=Who.ANYONE)
    def begin() -> Response:
        login = request.form.get("login", "").strip().lower()
        try:
            now = clock()
            throttle.attempt(account=login, source=request.remote_addr or "-", now=now)
            actor = check(login, request.form.get("password", ""))
        except (AuthenticationNeeded, Unavailable) as error:
            return _refused(error)
        throttle.succeeded(account=login)
        sign_in(actor, now=now)
        return redirect(local_path(request.args.get("next", "")), 303)

    @declare("session:end", who=Who.ANYONE)
    def end() -> Response:
        sign_out()
        return redirect(SIGN_IN, 303)

    app.add_url_rule(SIGN_IN, "sign_in_form", show, methods=["GET"])
    app.add_url_rule(SIGN_IN, "sign_in", begin, methods=["POST"])
    app.add_url_rule(SIGN_OUT, "sign_out", end, methods=["POST"])


def local_path(text: str) -> str:
    """Return ``text`` when it is a path of this host, else the home page."""
    return text if _LOCAL_PATH.fullmatch(text) else HOME


def _refused(error: AccordError) -> Response:
    problem = problem_of(error)
    answer = Response(_page(error), problem.status, content_type="text/html; charset=utf-8")
    if problem.retry_after is not None:
        answer.headers["Retry-After"] = str(problem.retry_after)
    return answer


def _page(error: AccordError | None) -> str:
    return render_template("sign_in.html", error=error, login=request.form.get("login", "")[:80])
