"""A small application with every kind of route."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from flask import Flask, Response, render_template_string
from marshmallow import fields, validate

from accord.kernel.errors import AuthenticationNeeded, NotFound, Refused, Unavailable
from accord.kernel.identifiers import KeyId
from accord.kernel.keys import RequestKeyPair
from accord.protocol.nonces import MemoryNonceCache
from accord.protocol.schemas.fields import QueryInteger, StrictSchema
from accord.webbase.actor import Actor, current_actor, entering_actor, install_actor
from accord.webbase.api import ApiRoutes, make_api
from accord.webbase.charts import Bar, bar_chart
from accord.webbase.factory import make_app
from accord.webbase.routes import Who, check_routes, declare, install_gate, signed_caller
from accord.webbase.sessions import MemorySessions
from accord.webbase.sign_in import Entrance, install_sign_in
from accord.webbase.signed import signed_verifier
from accord.webbase.throttle import SignInThrottle

HOST = "hub.test"
KEY = RequestKeyPair.from_seed(bytes(32))
ANNA = Actor(id="7", name="Anna <b>", org="bank@hub.test", roles=frozenset({"analyst"}))
HALFWAY = replace(ANNA, id="8", waits_for="factor")


@dataclass
class World:
    """The application, its clock and its accounts."""

    now: int = 1_900_000_000
    accounts: dict[str, Actor] = field(default_factory=lambda: {"7": ANNA, "8": HALFWAY})
    app: Flask = None  # type: ignore[assignment]


class Asked(StrictSchema):
    limit = QueryInteger(largest=10, load_default=5)


class Body(StrictSchema):
    n = fields.Integer(strict=True, required=True, validate=validate.Range(0, 9))


def enter(sessions: MemorySessions, login: str, password: str) -> Entrance:
    if (login, password) not in {("anna", "right"), ("anna", "halfway")}:
        raise AuthenticationNeeded("sign_in_wrong", "The name or the password is wrong.")
    if password == "halfway":
        return Entrance(token=sessions.begin("8"), actor=HALFWAY, place="/halfway")
    return Entrance(token=sessions.begin(ANNA.id), actor=ANNA)


def key_of(kid: KeyId) -> bytes:
    if kid != KEY.kid:
        raise NotFound("key_unknown", "No such key.")
    return KEY.public


def add_pages(app: Flask) -> None:
    def page(path: str, who: Who, view: Callable[[], object], *methods: str) -> None:
        name = path.strip("/") or "home"
        view.__name__ = name
        app.add_url_rule(
            path, name, declare(f"{name}:view", who=who)(view), methods=methods or ["GET"]
        )

    def fail(error: Exception) -> Callable[[], object]:
        def view() -> object:
            raise error

        return view

    page("/", Who.PERSON, lambda: render_template_string("hello {{ actor().name }}"))
    page("/me", Who.PERSON, lambda: current_actor().org)
    page("/halfway", Who.ENTERING, lambda: entering_actor().waits_for or "done")
    page("/change", Who.PERSON, lambda: "changed", "POST")
    page("/form", Who.ANYONE, lambda: render_template_string("{{ csrf_token() }}"))
    page("/open", Who.ANYONE, lambda: "posted", "POST")
    page("/programs", Who.PROGRAM, lambda: "taken", "POST")
    page("/refused", Who.ANYONE, fail(Refused("charter_no", "No <script>.", observed="<x>")))
    page("/busy", Who.ANYONE, fail(Unavailable("busy", "Busy.", retry_after=7)))
    page("/crash", Who.ANYONE, fail(ValueError("the secret canary")))
    page(
        "/chart",
        Who.ANYONE,
        lambda: render_template_string(
            '{% extends "base.html" %}{% from "parts.html" import chart, empty with context %}'
            "{% block title %}Chart{% endblock %}{% block content %}<h1>Chart</h1>"
            '{{ chart(drawing, "c") }}{{ empty("Nothing", "Not yet.", "/", "Home") }}{% endblock %}',
            drawing=bar_chart(
                "By <kind>",
                [
                    Bar(label="btc <i>", value=1250, shown="1 250"),
                    Bar(label="xmr", value=None, shown="<10"),
                    Bar(label="none", value=0, shown="0"),
                ],
                unit="Records",
            ),
        ),
    )
    page("/signed-page", Who.SIGNED, lambda: str(signed_caller().hex()), "GET", "PUT")  # type: ignore[attr-defined]


def add_api(app: Flask) -> None:
    api = make_api(app, title="Test", version="1")
    routes = ApiRoutes("things", "things", url_prefix="/v1")

    @routes.route("/things")
    @declare("thing:list", who=Who.ANYONE)
    @routes.takes_query(Asked)
    @routes.answers(200, Asked)
    def things(query: dict[str, int]) -> dict[str, int]:
        return query

    @routes.serves("/plain", method="GET")
    @declare("thing:read", who=Who.ANYONE)
    @routes.answers(200)
    def plain() -> Response:
        return Response("plain")

    @routes.serves("/things", method="POST")
    @declare("thing:make", who=Who.SIGNED)
    @routes.takes_json(Body)
    @routes.answers(202, Body)
    def make(body: dict[str, int]) -> dict[str, int]:
        return body

    api.register_blueprint(routes)


@pytest.fixture
def world() -> World:
    """A world with one application."""
    made = World()
    app = make_app(
        "hub", instance_id="0a1b", secret_key=bytes(32), https=False, hosts=[HOST], max_body=1000
    )
    sessions = MemorySessions(load=made.accounts.get, clock=lambda: made.now)
    install_actor(app, find=sessions.find, end=sessions.end)
    install_sign_in(
        app,
        enter=lambda login, password: enter(sessions, login, password),
        clock=lambda: made.now,
        throttle=SignInThrottle(per_account=3),
    )
    app.jinja_env.globals["navigation"] = (("/", "Home"), ("/me", "Me"))
    add_pages(app)
    add_api(app)
    verify = signed_verifier(
        authorities=[HOST], lookup=key_of, clock=lambda: made.now, nonces=MemoryNonceCache()
    )
    install_gate(app, verify_signed=verify)
    check_routes(app, signed_requests=True)
    made.app = app
    return made
