"""How large a form may be: which routes take more than the others, and from whom.

Only a person who has signed in may send more than ``SMALL_BODY`` at all; so the server asks
``admits_large`` when the headers are there. Its own limit lies above those of the routes: what is
too large is told on a page, with its code.
"""

from collections.abc import Mapping

from flask import Flask, request
from werkzeug.exceptions import HTTPException

from accord.kernel.errors import AccordError
from accord.webbase.actor import optional_actor

MAX_UPLOAD = 256 * 1024 * 1024
"""Bytes of a form with a file to screen; a larger file is a matter of ``accord screen``."""

MAX_PASTE = 16 * 1024 * 1024
"""Bytes of a form of values to search for."""

MAX_SERVED = 2 * MAX_UPLOAD
"""Bytes of a body that the server takes at all."""

_PARSED = 1024 * 1024
"""Bytes of a form with a file that are held in memory; the file's present chunk counts, too."""

_LARGE = {"screening.start": (MAX_UPLOAD, _PARSED), "pages.do_search": (MAX_PASTE, MAX_PASTE)}
"""Endpoint -> bytes of its body, and of what of it is held in memory."""


def install_limits(app: Flask) -> None:
    """Let some routes take large bodies; call before the gate, which reads the form."""

    def allow() -> None:
        if request.endpoint in _LARGE:
            request.max_content_length, request.max_form_memory_size = _LARGE[request.endpoint]

    app.before_request(allow)


def admits_large(app: object, method: str, headers: Mapping[str, str]) -> bool:
    """Tell from the headers alone whether a large body may come: a form of who has signed in."""
    if not isinstance(app, Flask) or method != "POST":
        return False
    told = {name: headers[name] for name in ("host", "cookie", "user-agent") if name in headers}
    try:
        with app.test_request_context(headers=told, environ_base={"REMOTE_ADDR": "127.0.0.1"}):
            return optional_actor() is not None
    except (AccordError, HTTPException):
        return False
