"""Who may reach what: persona × verb × route × resource, generated from the applications' route maps.

What is expected comes from each route's declaration and the gate's grants, not from what the views
do. A route whose action or whose place holders nobody has listed here is *outside* and fails.
"""

import json
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flask import Flask
from tests.support.hub_people import Browser, make_person
from tests.support.hub_world import Desk, World
from werkzeug.routing import Rule

from accord.desk.app import Desk as DeskProgram
from accord.desk.app.pages import make_pages
from accord.desk.config import DeskConfig
from accord.desk.exchange.client import HubClient
from accord.desk.keyring import Keyring
from accord.desk.storage import create_vault
from accord.hub.access import Action, Role
from accord.hub.access.decide import DESK_GRANTS, PERSON_GRANTS
from accord.kernel.directory.statements import Op, sign_statement
from accord.kernel.directory.transition import following_statement
from accord.kernel.errors import Malformed
from accord.kernel.identifiers import OrgId, make_bundle_id
from accord.kernel.keys import KemKeyPair, RequestKeyPair, SigningKeyPair
from accord.kernel.markings import OrgKind
from accord.webbase.routes import Declaration, Who, declaration_of

Say = Callable[[str], None]

PUBLIC = frozenset(
    {
        *("home:read", "health:read", "metrics:read", "log:read", "hub:read", "root:read"),
        *("charter:read", "openapi:read", "static:read", "public-summary:read"),
        *("session:begin", "session:end", "session:factor", "session:confirm", "person:join"),
        *("enrolment:begin", "enrolment:prove", "enrolment:read", "statement:submit"),
    }
)
"""Actions that no role is asked for; every other action of a hub's route is one of the gate's."""

WITNESS = frozenset({"/add-checkpoint", "/<origin_sha256>/checkpoint", "/healthz", "/readyz"})
"""All that a witness serves, to anyone."""

DESK_OPEN = frozenset({"home:read", "static:read", "session:begin", "session:end"})
"""What a desk shows without sign-in; its feeds for tools have passwords of their own."""

VERBS = ("GET", "POST", "PUT", "DELETE", "PATCH")
REFUSED = frozenset({400, 401, 403, 404, 405, 413, 415, 422, 503})


@dataclass
class Report:
    """What was tried and what was wrong."""

    tried: int = 0
    routes: set[str] = field(default_factory=set)
    outside: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    def note(self, told: bool, what: str, status: int) -> None:  # noqa: FBT001 - a verdict
        """Count one request; ``told`` is whether it went as it should."""
        self.tried += 1
        self.statuses[status] += 1
        if not told:
            self.wrong.append(f"{what}: {status}")


def run_matrix(*, say: Say, **_: object) -> dict[str, Any]:
    """Try every cell and return the report."""
    started = time.monotonic()
    report = Report()
    with TemporaryDirectory(prefix="accord-matrix-") as name:
        (Path(name) / "hub").mkdir()
        world = World(Path(name) / "hub")
        try:
            examine_hub(world, report)
            examine_witness(world.witness_app, report)
        finally:
            world.close()
        with desk_pages(Path(name)) as app:
            examine_desk(app, report)
    say(f"{report.tried} requests over {len(report.routes)} routes")
    return {
        "test": "matrix",
        "ok": not report.outside and not report.wrong,
        "tried": report.tried,
        "routes": len(report.routes),
        "outside": report.outside,
        "wrong": report.wrong,
        "statuses": {str(code): count for code, count in sorted(report.statuses.items())},
        "seconds": round(time.monotonic() - started, 1),
    }


@dataclass(kw_only=True)
class Cast:
    """The personas of a hub, and things of the first bank that others must not get."""

    world: World
    bank: Desk
    police: Desk
    outsider: Desk
    suspended: Desk
    unknown: Desk
    bodies: dict[str, bytes]
    mine: Mapping[str, str]
    absent: Mapping[str, str]
    people: dict[str, tuple[Role, OrgId, Browser]]


def make_cast(world: World) -> Cast:
    """Enrol everybody and let the bank send a bundle to the police."""
    bank = world.enrol("first-bank", OrgKind.FINANCIAL)
    police = world.enrol("police", OrgKind.LAW_ENFORCEMENT)
    outsider = world.enrol("other-bank", OrgKind.FINANCIAL)
    suspended = world.enrol("gone", OrgKind.NGO)
    held = world.services.directory.refresh().organisation(suspended.org)
    statement = following_statement(held, Op.SUSPEND, not_before=world.clock())
    world.services.directory.append_statement(
        sign_statement(statement, [world.registrar]), now=world.clock()
    )
    bundle_id, raw = bank.seal(police)
    assert bank.put_bundle(raw, bundle_id).status_code == 202
    world.witness_round()
    people = {}
    for role in Role:
        if role is not Role.DESK:
            person = make_person(world, f"p-{role}", bank.org, role)
            people[f"{role} of the bank"] = (role, bank.org, person.browser())
    other = make_person(world, "q-admin", outsider.org, Role.ADMINISTRATOR)
    people["administrator of another bank"] = (Role.ADMINISTRATOR, outsider.org, other.browser())
    admin = make_person(world, "p-second", bank.org, Role.ADMINISTRATOR)
    listed = world.services.people.administration.people(admin.actor())
    handle = next(one.handle for one in listed if one.login == "p-viewer")
    fixed = {"log": "audit", "tile": "0/000.p/1", "filename": "accord.css", "month": "2026-10"}
    fixed |= {"form": "csv", "number": "1", "enrolment_id": "a" * 26}
    absent = make_bundle_id(world.clock() * 1000, secrets.token_bytes(10))
    return Cast(
        world=world,
        bank=bank,
        police=police,
        outsider=outsider,
        suspended=suspended,
        unknown=Desk(name="nobody", kind=OrgKind.NGO, world=world),
        bodies={"PUT /v1/bundles/<bundle_id>": raw},
        mine={**fixed, "bundle_id": bundle_id, "handle": handle},
        absent={**fixed, "bundle_id": absent, "handle": secrets.token_hex(8)},
        people=people,
    )


def cells(app: Flask) -> Iterator[tuple[Rule, str, Declaration | None]]:
    """Yield every route with each of its verbs and its declaration."""
    for rule in sorted(app.url_map.iter_rules(), key=str):
        for verb in sorted((rule.methods or set()) & set(VERBS)):
            yield rule, verb, declaration_of(app, rule.endpoint)


def path_of(rule: Rule, values: Mapping[str, str]) -> str:
    """Fill a route's place holders in.

    Raises:
        KeyError: one that nobody has listed.
    """
    path = ""
    for dynamic, part in rule._trace:
        path += values[part] if dynamic else part
    return path.removeprefix("|").removeprefix(rule.host or "").lstrip("|")


def examine_hub(world: World, report: Report) -> None:
    """Try every cell of the hub."""
    cast = make_cast(world)
    actions = {action.value for action in Action}
    for rule, verb, declared in cells(world.app):
        name = f"{verb} {rule.rule}"
        try:
            path, absent = path_of(rule, cast.mine), path_of(rule, cast.absent)
        except KeyError as error:
            report.outside.append(f"{name}: place holder {error}")
            continue
        if declared is None or declared.action not in actions | PUBLIC:
            report.outside.append(f"{name}: action {declared.action if declared else None}")
            continue
        report.routes.add(name)
        _as_stranger(cast, verb, path, declared, report)
        if declared.who is Who.SIGNED:
            _as_desks(cast, name, verb, path, absent, declared, report)
        if declared.who is Who.PERSON:
            _as_people(cast, verb, path, declared, report)


def _as_stranger(cast: Cast, verb: str, path: str, declared: Declaration, report: Report) -> None:
    answer = cast.world.client.request(verb, path, follow_redirects=False)
    closed = declared.who in {Who.SIGNED, Who.PERSON, Who.ENTERING}
    if closed:
        led = answer.status_code in {302, 303} and answer.headers["Location"].startswith("/sign-in")
        well = answer.status_code == 401 or led
    else:
        well = answer.status_code < 500
    report.note(well, f"stranger {verb} {path}", answer.status_code)


def _as_desks(
    cast: Cast,
    name: str,
    verb: str,
    path: str,
    absent: str,
    declared: Declaration,
    report: Report,
) -> None:
    for persona, desk in (("suspended", cast.suspended), ("unknown key", cast.unknown)):
        status, _ = _signed(desk, verb, path, b"" if verb != "GET" else None)
        report.note(status == 401, f"{persona} {verb} {path}", status)
    for persona, (_, _, browser) in cast.people.items():
        status = browser.request(verb, path).status_code
        report.note(status == 401, f"{persona}, a session only, {verb} {path}", status)
    granted = Action(declared.action) in DESK_GRANTS[OrgKind.FINANCIAL]
    body = cast.bodies.get(name, b"x" if verb != "GET" else None)
    mine, _ = _signed(cast.bank, verb, path, body)
    report.note((mine != 403 or not granted) and mine < 500, f"owner {verb} {path}", mine)
    status, told = _signed(cast.outsider, verb, path, body)
    if path == absent:  # nothing in the path belongs to anybody: the answer is the caller's own
        foreign = verb != "GET" and status < 300
        report.note(not foreign and status < 500, f"outsider {verb} {path}", status)
        return
    report.note(status in REFUSED, f"outsider {verb} {path}", status)
    again, other = _signed(cast.outsider, verb, absent, body)
    alike = (status, told) == (again, other) or verb != "GET"
    report.note(alike, f"outsider, forbidden and absent differ, {verb} {path}", again)


def _as_people(cast: Cast, verb: str, path: str, declared: Declaration, report: Report) -> None:
    for desk in (cast.bank, cast.police):
        status, _ = _signed(desk, verb, path, None if verb == "GET" else b"")
        report.note(status in {302, 303, 401}, f"a signed request {verb} {path}", status)
    for persona, (role, org, browser) in cast.people.items():
        action = declared.action
        may = action in PUBLIC or Action(action) in PERSON_GRANTS[role]
        if may and verb != "GET":
            continue  # it would change what the next cells rest on; the verbs' own tests do it
        form = {} if verb == "GET" else {"csrf_token": browser.token("/account")}
        answer = browser.request(verb, path, data=form or None, follow_redirects=False)
        status = answer.status_code
        # Where the grant is there, the charter may still say no, and a thing may be absent.
        well = status < 500 if may else status in REFUSED
        report.note(well, f"{persona} {verb} {path}", status)
        if may and org != cast.bank.org and "p-viewer" in answer.text:
            report.wrong.append(f"{persona} {verb} {path}: sees another organisation's person")


def _signed(desk: Desk, verb: str, path: str, body: bytes | None) -> tuple[int, object]:
    """Send a signed request; return status, and what is told but for the request's own id."""
    kind = None if body is None else "application/vnd.accord.bundle"
    try:
        headers = desk.headers(verb, path, body=body, content_type=kind)
    except Malformed:  # such a path cannot be signed at all
        headers = {}
    answer = desk.world.client.request(verb, path, content=body, headers=headers)
    try:
        told = json.loads(answer.content)
    except ValueError:
        return answer.status_code, answer.content
    if isinstance(told, dict):
        told.pop("request_id", None)
    return answer.status_code, told


def examine_witness(app: Flask, report: Report) -> None:
    """A witness has four routes, for anyone, and no other."""
    client = app.test_client()
    for rule, verb, _ in cells(app):
        if rule.rule not in WITNESS:
            report.outside.append(f"witness {verb} {rule.rule}")
            continue
        report.routes.add(f"witness {verb} {rule.rule}")
        path = rule.rule.replace("<origin_sha256>", "0" * 64)
        for each in VERBS:
            status = client.open(path, method=each).status_code
            fits = status < 500 and (each in (rule.methods or set()) or status == 405)
            report.note(fits, f"witness {each} {path}", status)


@contextmanager
def desk_pages(folder: Path) -> Iterator[Flask]:
    """A desk's pages over an empty vault."""
    home = folder / "desk"
    home.mkdir()
    config = DeskConfig(home=home, hub="http://127.0.0.1:9")
    keyring = Keyring(
        signing=SigningKeyPair.generate(),
        request=RequestKeyPair.generate(),
        kem=(KemKeyPair.generate(),),
        vault=bytes(32),
    )
    desk = DeskProgram(
        config=config,
        keyring=keyring,
        vault=create_vault(config.vault_file, keyring.vault),
        client=HubClient(config.hub, clock=lambda: 1_790_000_000),
        clock=lambda: 1_790_000_000,
    )
    try:
        yield make_pages(desk, secret_key=bytes(range(32)), instance="0a0b0c0d", port=8801)
    finally:
        desk.close()


def examine_desk(app: Flask, report: Report) -> None:
    """Without sign-in a desk shows nothing but its door; tools need their own password."""
    client = app.test_client()
    for rule, verb, declared in cells(app):
        name = f"desk {verb} {rule.rule}"
        if declared is None:
            report.outside.append(name)
            continue
        report.routes.add(name)
        path = path_of(rule, _Anything())
        answer = client.open(path, method=verb, base_url="http://localhost:8801")
        status = answer.status_code
        if declared.action in DESK_OPEN:
            well = status < 500
        else:
            led = status in {302, 303} and "/sign-in" in answer.headers.get("Location", "")
            well = led or status in {400, 401, 403, 404}
        report.note(well, f"stranger at the {name}", status)


class _Anything(dict[str, str]):
    """A value for every place holder: a stranger's guess."""

    def __missing__(self, key: str) -> str:
        """Return a guess."""
        return "1" if key in {"number", "index"} else "a" * 8
