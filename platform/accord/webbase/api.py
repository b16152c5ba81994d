"""JSON routes with OpenAPI 3.1: the only importer of flask-smorest.

Habits of the library are turned off: unknown names, and names given twice, are refused in query and
body, and a route without a query schema takes no query at all.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import flask_smorest
from flask import Flask, Request, Response, request
from marshmallow import EXCLUDE, RAISE, Schema, missing
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import HTTPException

from accord.kernel.errors import Malformed
from accord.protocol.schemas.problems import ProblemDocument
from accord.webbase.problems import answer_http_exception
from accord.webbase.routes import Who, declare_endpoint

OPENAPI_VERSION = "3.1.0"
OPENAPI_PATH = "/v1/openapi.json"

_QUERY = "accord_takes_query"

View = TypeVar("View", bound=Callable[..., object])


class _StrictParser(FlaskParser):  # type: ignore[misc,unused-ignore]
    """Refuses unknown and repeated names, as any other malformed request: 400."""

    DEFAULT_VALIDATION_STATUS = 400

    DEFAULT_UNKNOWN_BY_LOCATION = {  # noqa: RUF012 - the library's own form
        "json": RAISE,
        "query": RAISE,
        "form": RAISE,
        "headers": EXCLUDE,
        "path": RAISE,
    }

    def load_querystring(self, req: Request, schema: Schema) -> Any:  # noqa: ANN401
        """Return the query's names and values, each name once."""
        for name, values in req.args.lists():
            if len(values) > 1:
                raise Malformed("query_twice", "A query name stands twice.", observed=name[:40])
        return super().load_querystring(req, schema)

    def load_json(self, req: Request, schema: Schema) -> Any:  # noqa: ANN401, ARG002
        """Return the body's value: each name once, nesting and numbers within bounds, UTF-8.

        Raises:
            Malformed: ``request_invalid``; the library would let some of it end as our own error.
        """
        if not req.is_json:
            return missing
        try:
            value = json.loads(req.get_data(cache=True), object_pairs_hook=_unique)
            # Half a surrogate pair can be written as an escape, but is no character.
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        except (ValueError, RecursionError) as error:
            raise Malformed("request_invalid", "The body is not JSON that can be read.") from error
        return value


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


class ApiRoutes(flask_smorest.Blueprint):  # type: ignore[misc,unused-ignore]
    """A group of routes; ``takes_query``, ``takes_json`` and ``answers`` describe each."""

    ARGUMENTS_PARSER = _StrictParser()

    def serves(self, rule: str, *, method: str) -> Callable[[View], View]:
        """Serve ``rule`` for one method with the view."""
        served: Callable[[View], View] = self.route(rule, methods=[method])
        return served

    def takes_query(self, schema: type[Schema]) -> Callable[[View], View]:
        """Give the view the checked query as its next argument."""

        def mark(view: View) -> View:
            setattr(view, _QUERY, True)
            taken: View = self.arguments(schema, location="query")(view)
            return taken

        return mark

    def takes_json(self, schema: type[Schema]) -> Callable[[View], View]:
        """Give the view the checked JSON body as its next argument."""
        taken: Callable[[View], View] = self.arguments(schema, location="json")
        return taken

    def takes_bytes(self, media_type: str, *, description: str) -> Callable[[View], View]:
        """Describe the body that the view reads by itself."""
        body = {"type": "string", "contentMediaType": media_type}
        described: Callable[[View], View] = self.doc(
            requestBody={
                "required": True,
                "description": description,
                "content": {media_type: {"schema": body}},
            }
        )
        return described

    def answers(
        self, status: int, schema: type[Schema] | None = None, *, description: str = ""
    ) -> Callable[[View], View]:
        """Write the view's value by ``schema``; without one the view returns a Response."""
        answered: Callable[[View], View] = self.response(status, schema, description=description)
        return answered


class _Api(flask_smorest.Api):  # type: ignore[misc,unused-ignore]
    """The library's Api, but its refusals leave as our problem documents."""

    ERROR_SCHEMA = ProblemDocument

    def handle_http_exception(self, error: HTTPException) -> Response:
        return answer_http_exception(error)


def make_api(app: Flask, *, title: str, version: str) -> flask_smorest.Api:
    """Return the API of ``app``; the document is served at ``/v1/openapi.json``.

    Args:
        app: made by ``factory.make_app``.
        title: the document's title.
        version: version of the API.
    """
    app.config.update(
        API_TITLE=title,
        API_VERSION=version,
        OPENAPI_VERSION=OPENAPI_VERSION,
        OPENAPI_URL_PREFIX="/v1",
        OPENAPI_JSON_PATH="openapi.json",
    )
    api = _Api(app)
    declare_endpoint(app, "api-docs.openapi_json", "openapi:read", who=Who.ANYONE)
    app.before_request(lambda: _no_stray_query(app))
    return api


def _no_stray_query(app: Flask) -> None:
    if request.url_rule is None or not request.query_string:
        return
    view = app.view_functions.get(request.url_rule.endpoint)
    if request.path.startswith("/v1/") and not getattr(view, _QUERY, False):
        raise Malformed("query_unknown", "This path takes no query.")
