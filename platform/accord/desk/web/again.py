"""Pages that ask for the password again: an open session is not enough for what lasts beyond it."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import request
from werkzeug.wrappers import Response

from accord.clock import Clock
from accord.kernel.errors import AccordError
from accord.webbase.actor import current_actor
from accord.webbase.sign_in import refused
from accord.webbase.throttle import Throttle


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordAgain:
    """Compares the form's ``password``; ``confirm`` raises when a name and it do not fit."""

    confirm: Callable[[str, str], object]
    throttle: Throttle
    clock: Clock

    def person(self) -> str:
        """Return who has signed in and has typed the password once more.

        Raises:
            AuthenticationNeeded: ``sign_in_wrong``.
            Unavailable: ``too_many_attempts``.
        """
        person = current_actor().name
        source = request.remote_addr or "-"
        self.throttle.attempt(account=person, source=source, now=self.clock())
        self.confirm(person, request.form.get("password", ""))
        self.throttle.succeeded(account=person)
        return person


def unkept(page: str, error: AccordError | None = None) -> Response:
    """Return ``page`` as one that no browser keeps, with status and pause of what went wrong."""
    answer = (
        Response(page, content_type="text/html; charset=utf-8")
        if error is None
        else refused(error, page)
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer
