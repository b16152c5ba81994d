"""T15: someone on the web attacks the pages of hub and desk through a person's browser."""

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from tests.desk.conftest import NOW, bundle_id
from tests.desk.wire import DeskAt
from tests.support.hub_people import make_person
from tests.support.hub_world import Desk, World
from tests.support.lies import Parts, cut_out
from werkzeug.test import TestResponse

from accord.desk.app.pages import make_pages
from accord.desk.keyring.people import People
from accord.desk.storage import Mark, MarkState
from accord.desk.storage.bundles import WHOLE, add_mark, list_bundles
from accord.hub.app import make_hub
from accord.kernel.envelope.payload import PayloadHead
from accord.kernel.indicators import Basis, encode_line, normalise, record_of
from accord.kernel.markings import OrgKind

EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}'
MARKUP = ("<script", "<img src=x")


@dataclass
class Site:
    """One program's pages, with a person who may sign in."""

    app: Flask
    base: str
    login: str
    password: str
    form: str
    page: str

    def token(self, client: FlaskClient, path: str) -> str:
        page = client.get(path, base_url=self.base).get_data(as_text=True)
        found = re.search(r'name="csrf_token" value="([A-Za-z0-9_-]{20,})"', page)
        assert found is not None
        return found.group(1)

    def sign_in(self, client: FlaskClient, **headers: str) -> TestResponse:
        fields = {
            "csrf_token": self.token(client, "/sign-in"),
            "login": self.login,
            "password": self.password,
        }
        return client.post("/sign-in", base_url=self.base, data=fields, headers=headers)

    def person(self) -> FlaskClient:
        client = self.app.test_client()
        assert self.sign_in(client).status_code == 303
        return client

    def cookie(self, client: FlaskClient) -> str:
        name = str(self.app.config["SESSION_COOKIE_NAME"])
        found = client.get_cookie(name, domain=self.base.split("/")[2].split(":")[0])
        return found.value if found else ""

    def with_cookie(self, value: str) -> FlaskClient:
        client = self.app.test_client()
        domain = self.base.split("/")[2].split(":")[0]
        client.set_cookie(str(self.app.config["SESSION_COOKIE_NAME"]), value, domain=domain)
        return client


@pytest.fixture(scope="module")
def sites(world: World, police: DeskAt, mallory: Desk) -> Iterator[dict[str, Site]]:
    assert mallory.org  # enrolled before the pages read the directory
    password = make_person(world, "ana", police.org).password
    with police.open() as desk:
        desk.mirror.refresh()
        app = make_pages(desk, secret_key=secrets.token_bytes(32), instance="0a0b0c0d", port=8801)
        people = People(desk.vault)
        yield {
            "hub": Site(
                make_hub(world.services, secret_key=secrets.token_bytes(32), port=8600),
                "http://127.0.0.1:8600", "ana", password, "/sign-out", "/summary",
            ),
            "desk": Site(
                app, "http://localhost:8801", "ben", people.set_password("ben", by="root", now=0), "/search", "/inbox"
            ),
        }  # fmt: skip


@pytest.fixture(params=["hub", "desk"])
def site(request: pytest.FixtureRequest, sites: dict[str, Site]) -> Site:
    return sites[request.param]


def test_every_answer_forbids_frames_scripts_and_sniffing(site: Site) -> None:
    client = site.person()
    for path in ("/", "/sign-in", site.page, "/no-such-page", "/static/accord.css"):
        headers = client.get(path, base_url=site.base, buffered=True).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
        if not path.startswith("/static"):
            assert headers["Cache-Control"] == "no-store"


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(site: Site) -> None:
    answer = site.sign_in(site.app.test_client())
    (cookie,) = answer.headers.getlist("Set-Cookie")
    flags = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/"} <= flags
    assert not any(flag.startswith("domain") for flag in flags)


def test_over_https_the_cookie_is_bound_to_the_host_and_secure(world: World) -> None:
    config = world.services.config.__class__(
        **{
            name: getattr(world.services.config, name)
            for name in world.services.config.__dataclass_fields__
        }
        | {"https": True, "authorities": ("hub.test",)}
    )
    services = world.services.__class__(
        **{name: getattr(world.services, name) for name in world.services.__dataclass_fields__}
        | {"config": config}
    )
    app = make_hub(services, secret_key=secrets.token_bytes(32), port=8600)
    answer = app.test_client().get("/sign-in", base_url="https://hub.test")
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-accord-hub-")
    assert "Secure" in cookie
    assert "max-age=" in answer.headers["Strict-Transport-Security"]


@pytest.mark.parametrize("token", ["none", "another person's", "of the time before sign-in"])
def test_a_form_without_the_persons_own_token_is_refused(site: Site, token: str) -> None:
    client = site.app.test_client()
    before = site.token(client, "/sign-in")
    assert site.sign_in(client).status_code == 303
    tokens = {
        "none": {},
        "another person's": {"csrf_token": site.token(site.person(), site.page)},
        "of the time before sign-in": {"csrf_token": before},
    }
    fields = tokens[token] | {"values": "a.example.org", "reason": "case 114"}
    answer = client.post(site.form, base_url=site.base, data=fields)
    assert (answer.status_code, "csrf_wrong" in answer.get_data(as_text=True)) == (403, True)
    assert client.get(site.page, base_url=site.base).status_code == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "multipart/form-data"])
def test_a_form_of_another_kind_carries_no_token(site: Site, kind: str) -> None:
    client = site.person()
    body = f"csrf_token={site.token(client, site.page)}"
    answer = client.post(site.form, base_url=site.base, data=body, content_type=kind)
    assert answer.status_code in {400, 403, 415}


@pytest.mark.parametrize("where", ["cross-site", "same-site"])
def test_a_form_from_another_site_is_refused(site: Site, where: str) -> None:
    client = site.person()
    answer = client.post(
        site.form,
        base_url=site.base,
        data={"csrf_token": site.token(client, site.page)},
        headers={"Sec-Fetch-Site": where},
    )
    assert answer.status_code == 403


def test_a_session_that_was_planted_is_not_the_persons_afterwards(site: Site) -> None:
    """Fixation: the attacker knows the cookie that the browser had before the sign-in."""
    planted = site.app.test_client()
    site.token(planted, "/sign-in")
    known = site.cookie(planted)
    victim = site.with_cookie(known)
    assert site.sign_in(victim).status_code == 303
    assert site.cookie(victim) != known
    assert site.with_cookie(known).get(site.page, base_url=site.base).status_code == 401


def test_a_copied_cookie_ends_with_the_sign_out(site: Site) -> None:
    client = site.person()
    copied = site.cookie(client)
    thief = site.with_cookie(copied)
    assert thief.get(site.page, base_url=site.base).status_code == 200
    data = {"csrf_token": site.token(client, site.page)}
    assert client.post("/sign-out", base_url=site.base, data=data).status_code == 303
    assert site.with_cookie(copied).get(site.page, base_url=site.base).status_code == 401
    assert site.person().get(site.page, base_url=site.base).status_code == 200


def test_a_cookie_of_another_instance_or_browser_is_worth_nothing(
    site: Site, sites: dict[str, Site]
) -> None:
    (other,) = [one for one in sites.values() if one is not site]
    foreign = other.cookie(other.person())
    assert site.with_cookie(foreign).get(site.page, base_url=site.base).status_code == 401
    own = site.with_cookie(site.cookie(site.person()))
    headers = {"User-Agent": "another browser"}
    assert own.get(site.page, base_url=site.base, headers=headers).status_code == 401


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example:8801", "127.0.0.1.evil.example", "", "a b"]
)
def test_another_host_name_is_refused(site: Site, host: str) -> None:
    """DNS rebinding: the attacker's name points at this computer."""
    for path in ("/", "/sign-in", site.page, "/static/accord.css"):
        answer = site.app.test_client().get(path, base_url=site.base, headers={"Host": host})
        assert answer.status_code == 400
        assert "evil" not in str(answer.headers.get("Location", ""))


@pytest.mark.parametrize(
    "way",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/%0d%0aX: y",
    ],
)
def test_the_way_back_after_sign_in_stays_here(site: Site, way: str) -> None:
    client = site.app.test_client()
    fields = {
        "csrf_token": site.token(client, "/sign-in"),
        "login": site.login,
        "password": site.password,
    }
    answer = client.post("/sign-in", base_url=site.base, query_string={"next": way}, data=fields)
    assert answer.status_code == 303
    place = answer.headers["Location"]
    assert place.startswith("/")
    assert not place.startswith(("//", "/\\"))


def test_passwords_are_not_guessed_in_a_row(site: Site) -> None:
    client = site.app.test_client()
    codes = []
    for _ in range(12):
        fields = {"csrf_token": site.token(client, "/sign-in"), "login": "zoe", "password": "x"}
        codes.append(client.post("/sign-in", base_url=site.base, data=fields).status_code)
    assert codes[0] == 401
    assert codes[-1] in {429, 503}


def test_markup_of_a_sender_is_shown_as_text(
    sites: dict[str, Site], world: World, police: DeskAt, mallory: Desk
) -> None:
    """Title, narrative, case and note of a hostile member; its name and the marks beside."""
    site = sites["desk"]
    record = record_of(normalise("a.evil-example.org"), confidence=80, basis=Basis.OBSERVED)
    line = encode_line(record).replace(
        b'"basis":"observed"', b'"basis":"observed","note":"<script>x</script>"'
    )
    reader = Desk(
        name="police", kind=OrgKind.LAW_ENFORCEMENT, world=world, kem=police.keyring.kem[-1]
    )
    head = PayloadHead(title=EVIL, narrative=EVIL, case_ref=EVIL[:80])
    sent, raw = mallory.seal(reader, head=head, values=[], lines=[line])
    with police.open() as desk:
        assert desk.pull.receive(secrets.randbits(40), cut_out(raw, police.org)).state == "opened"
        with desk.vault.transaction() as connection:
            mark = Mark(
                record=WHOLE,
                state=MarkState.RETRACTED,
                by_org=mallory.org,
                by_id=bundle_id(2),
                code=EVIL,
                at=NOW,
                note=EVIL,
            )
            add_mark(connection, mallory.org, sent, mark)
    client = site.person()
    data = {
        "csrf_token": site.token(client, "/search"),
        "values": f"a.evil-example.org\n{EVIL}",
        "reason": EVIL,
    }
    answers = [
        client.get("/inbox", base_url=site.base),
        client.get(f"/inbox/{mallory.org}/{sent}", base_url=site.base),
        client.post("/search", base_url=site.base, data=data),
        client.get(f"/inbox/{EVIL}/x", base_url=site.base),
        client.get("/inbox", base_url=site.base, query_string={"next": EVIL}),
    ]
    for answer in answers:
        text = answer.get_data(as_text=True)
        for markup in MARKUP:
            assert markup not in text
    assert "&lt;script&gt;" in answers[1].get_data(as_text=True)
    assert "{{7*7}}" in answers[1].get_data(as_text=True)


def test_a_time_that_no_calendar_shows_does_not_break_the_page(
    sites: dict[str, Site], police: DeskAt, mallory: Desk
) -> None:
    far = {"expires": 2**53 - 1}
    to = [(police.org, police.keyring.kem[-1].public)]
    made = Parts(sender=mallory, recipients=to, header=far)
    raw = made.seal()
    assert mallory.put_bundle(raw, made.id).status_code >= 400
    with police.open() as desk:
        desk.pull.receive(secrets.randbits(40), cut_out(raw, police.org))
        shown = any(one.expires == far["expires"] for one in list_bundles(desk.vault))
    site = sites["desk"]
    client = site.person()
    assert client.get("/inbox", base_url=site.base).status_code == 200
    if shown:
        page = client.get(f"/inbox/{mallory.org}/{made.id}", base_url=site.base)
        assert page.status_code == 200


def test_nothing_is_changed_by_a_link(site: Site) -> None:
    client = site.person()
    for path in ("/sign-out", "/search?values=a.example.org&reason=case+114"):
        client.get(path, base_url=site.base)
    assert client.get(site.page, base_url=site.base).status_code == 200
