"""The witness over HTTP: the one place that knows Flask and waitress.

Status codes are those of C2SP tlog-witness: 200, 400 malformed, 403 log signature, 404 unknown
log, 409 other size (body: the size), 422 proof or fork; 413 too long and 503 when the state cannot
be kept. Other errors are problem details (RFC 9457) with a stable code.
"""

import json

from flask import Flask, Response, request
from waitress.server import create_server
from werkzeug.exceptions import HTTPException

from accord.kernel.errors import (
    AccordError,
    Malformed,
    NotFound,
    Refused,
    Unavailable,
    VerificationFailed,
)
from accord.kernel.tlog.submission import MAX_SUBMISSION, SIZE_MEDIA_TYPE, format_size
from accord.witness.config import CONNECTIONS, HOST, THREADS
from accord.witness.service import StaleSize, Witness

TEXT = "text/plain; charset=utf-8"

_STATUS = (
    (Malformed, 400),
    (Refused, 403),
    (NotFound, 404),
    (VerificationFailed, 422),
    (Unavailable, 503),
)


def create_app(witness: Witness) -> Flask:
    """Return the WSGI application of ``witness``."""
    app = Flask("accord.witness", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_SUBMISSION

    @app.post("/add-checkpoint")
    def add_checkpoint() -> Response:
        return Response(witness.add_checkpoint(request.get_data()), content_type=TEXT)

    @app.get("/<origin_sha256>/checkpoint")
    def last_checkpoint(origin_sha256: str) -> Response:
        return Response(witness.last_checkpoint(origin_sha256), content_type=TEXT)

    @app.get("/healthz")
    def healthz() -> Response:
        return Response("ok\n", content_type=TEXT)

    @app.get("/readyz")
    def readyz() -> Response:
        return Response(f"{len(witness.book.logs())} logs\n", content_type=TEXT)

    @app.after_request
    def harden(response: Response) -> Response:
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-store"
        return response

    app.register_error_handler(StaleSize, _stale)
    app.register_error_handler(AccordError, _problem)
    app.register_error_handler(HTTPException, _http_problem)
    return app


def _stale(error: StaleSize) -> Response:
    return Response(format_size(error.size), status=409, content_type=SIZE_MEDIA_TYPE)


def _problem(error: AccordError) -> Response:
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), 500)
    response = _details(status, error.code, error.message)
    if isinstance(error, Unavailable):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _http_problem(error: HTTPException) -> Response:
    status = error.code or 500
    return _details(status, f"http_{status}", error.name)


def _details(status: int, code: str, title: str) -> Response:
    body = json.dumps({"type": "about:blank", "title": title, "status": status, "code": code})
    return Response(body, status=status, content_type="application/problem+json")


class WitnessServer:
    """A listening server on loopback; ``run`` serves until SystemExit is raised in its thread."""

    def __init__(self, witness: Witness, *, port: int) -> None:
        """Bind the port (0: the system chooses).

        Raises:
            Unavailable: ``port_taken``.
        """
        try:
            self._server = create_server(
                create_app(witness),
                host=HOST,
                port=port,
                threads=THREADS,
                connection_limit=CONNECTIONS,
                max_request_body_size=MAX_SUBMISSION,
                ident="accord-witness",
            )
        except OSError as error:
            raise Unavailable(
                "port_taken", "The port cannot be used.", observed=str(port)
            ) from error

    @property
    def url(self) -> str:
        """The address at which it listens."""
        return f"http://{HOST}:{self._server.effective_port}"

    def run(self) -> None:
        """Serve requests."""
        try:
            self._server.run()
        finally:
            self._server.close()
