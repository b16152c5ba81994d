"""Every error leaves as a problem document (RFC 9457), or as a page for a browser.

The error tree is mapped by ``protocol.problems``; Flask's own refusals become errors of the tree;
a full disk has its code; anything else is a 500 that says nothing and is logged without its text.
"""

import json

from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException

from accord.kernel.errors import AccordError, Malformed, NotFound, Unavailable
from accord.protocol.paths import PROBLEM_TYPE
from accord.protocol.problems import Problem, internal_problem, problem_of
from accord.webbase.full_disk import disk_full, is_full
from accord.webbase.requests_log import log_unexpected, request_id

MACHINE_PREFIXES = ("/v1/", "/log/", "/healthz", "/readyz", "/metrics", "/taxii", "/misp/")
"""Below these paths a problem is never a page."""

TOOL_CHALLENGE = 'Basic realm="accord", Bearer realm="accord"'
"""How a tool may sign in (RFC 9110, 11.6.1)."""

_STATUS_CODES = {
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    414: "address_too_long",
    415: "media_type_unknown",
    422: "request_invalid",
    429: "too_many_requests",
    431: "headers_too_large",
}
_MAX_NAMES = 5


def install_problems(app: Flask) -> None:
    """Answer every error of ``app`` as a problem."""
    app.register_error_handler(AccordError, _answer_error)
    app.register_error_handler(HTTPException, answer_http_exception)
    app.register_error_handler(Exception, _answer_unexpected)


def answer_http_exception(error: HTTPException) -> Response:
    """Return the answer to one of Flask's own refusals."""
    if error.response is not None or error.code is None or error.code < 400:  # noqa: PLR2004
        answer = error.get_response()
        return Response(answer.get_data(), answer.status, headers=answer.headers.to_wsgi_list())
    if error.code >= 500:  # noqa: PLR2004 - Flask's own 5xx carry nothing for the caller
        return _answer_unexpected(error)
    response = _render(problem_of(_error_of(error), request_id=request_id()))
    valid = getattr(error, "valid_methods", None)
    if valid:
        response.headers["Allow"] = ", ".join(sorted(valid))
    return response


def _answer_error(error: AccordError) -> Response:
    return _render(problem_of(error, request_id=request_id()))


def _answer_unexpected(error: Exception) -> Response:
    log_unexpected(error)
    if is_full(error):
        return _answer_error(disk_full())
    return _render(internal_problem(request_id=request_id()))


def _error_of(error: HTTPException) -> AccordError:
    code = _STATUS_CODES.get(error.code or 0, "request_invalid")
    if code == "not_found":
        return NotFound(code, "There is no such page.")
    if code == "too_many_requests":
        return Unavailable(code, "Too many requests.")
    return Malformed(code, "The request cannot be read as it is.", observed=_names(error))


def _names(error: HTTPException) -> str | None:
    """Return the names of the members that a schema refused; never their values."""
    messages = getattr(error, "data", {}).get("messages", {})
    found = [
        f"{place}.{name}"
        for place, inner in (messages.items() if isinstance(messages, dict) else ())
        for name in (inner if isinstance(inner, dict) else ())
    ]
    shown = [name[:60] for name in found[:_MAX_NAMES] if name.isprintable()]
    return ", ".join(shown) or None


def _render(problem: Problem) -> Response:
    if _wants_page():
        problem, body = _page(problem)
        response = Response(body, problem.status, content_type="text/html; charset=utf-8")
    else:
        response = Response(
            json.dumps(problem.as_dict(), ensure_ascii=False, separators=(",", ":")) + "\n",
            problem.status,
            content_type=PROBLEM_TYPE,
        )
    if problem.retry_after is not None:
        response.headers["Retry-After"] = str(problem.retry_after)
    if problem.code.startswith("signature_"):
        response.headers["WWW-Authenticate"] = 'Signature realm="accord"'
    elif problem.code == "tool_wrong":
        response.headers["WWW-Authenticate"] = TOOL_CHALLENGE
    return response


def _page(problem: Problem) -> tuple[Problem, str]:
    """Return the page of ``problem``; of another when it cannot be told who is signed in."""
    try:
        return problem, render_template("error.html", problem=problem)
    except Unavailable as error:  # pages greet who is signed in
        problem = problem_of(error, request_id=request_id())
        return problem, render_template("error.html", problem=problem, actor=lambda: None)


def _wants_page() -> bool:
    if request.path.startswith(MACHINE_PREFIXES):
        return False
    best = request.accept_mimetypes.best_match(["text/html", PROBLEM_TYPE, "application/json"])
    return best == "text/html"
