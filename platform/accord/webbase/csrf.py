"""The token that a form carries so that only our own pages can post it.

The token lies in the signed session cookie and in a hidden field of each form, never in a header
that a script library could forget. Compared in constant time; new after each sign-in.
"""

import hmac
import secrets

from flask import request, session

from accord.kernel.errors import Refused

FIELD = "csrf_token"
_SESSION_KEY = "csrf"


def csrf_token() -> str:
    """Return the token of this session; templates write it into each form."""
    token = session.get(_SESSION_KEY)
    if not isinstance(token, str):
        token = secrets.token_urlsafe(32)
        session[_SESSION_KEY] = token
    return token


def check_csrf() -> None:
    """Check the token of a posted form, and that the browser names no other origin.

    Raises:
        Refused: ``csrf_wrong``.
    """
    wanted = session.get(_SESSION_KEY)
    given = request.form.getlist(FIELD)
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise _refusal()
    if not isinstance(wanted, str) or len(given) != 1:
        raise _refusal()
    if not hmac.compare_digest(wanted.encode("utf-8"), given[0].encode("utf-8", "replace")):
        raise _refusal()


def renew_csrf() -> None:
    """Forget the token; the next form gets a new one."""
    session.pop(_SESSION_KEY, None)


def _refusal() -> Refused:
    return Refused(
        "csrf_wrong",
        "This form was not sent from this page, or the page was open too long.",
        next_step="Load the page again and send the form once more.",
    )
