"""One log line a request: id, route, status, size, time. No path values, query, body or cookie."""

import secrets
import time
import traceback

import structlog
from flask import Flask, Response, request

_ID = "accord.request_id"
_BEGAN = "accord.began"
_MAX_FRAMES = 6

_LOG = structlog.get_logger("accord.access")


def request_id() -> str:
    """Return the id of the present request; ours, never the client's."""
    known: str = request.environ.setdefault(_ID, secrets.token_hex(8))
    return known


def log_unexpected(error: BaseException) -> None:
    """Log where an unforeseen error came from; its text may hold a secret and is left out."""
    frames = traceback.extract_tb(error.__traceback__)[-_MAX_FRAMES:]
    _LOG.error(
        "unexpected",
        request=request_id(),
        error=type(error).__name__,
        where=[f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames],
    )


def install_log(app: Flask) -> None:
    """Log each request of ``app`` once, after it was answered."""

    def begin() -> None:
        request.environ[_BEGAN] = time.perf_counter()

    def finish(response: Response) -> Response:
        began = request.environ.get(_BEGAN, time.perf_counter())
        response.headers["X-Request-Id"] = request_id()
        _LOG.info(
            "request",
            request=request_id(),
            method=request.method if request.method.isalpha() else "-",
            route=request.url_rule.rule if request.url_rule else "-",
            status=response.status_code,
            size=response.content_length,
            ms=round((time.perf_counter() - began) * 1000, 2),
        )
        return response

    app.before_request(begin)
    app.after_request(finish)
