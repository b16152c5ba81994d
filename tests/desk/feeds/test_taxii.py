"""The TAXII server with real clients and by the letter of the standard (TAXII 2.1, 1.6 to 5.8)."""

import base64
import datetime as dt
import json
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
import stix2
import taxii2client.v21 as taxii2client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stix2validator import ValidationOptions, validate_instance
from tests.desk.conftest import BANK, NOW, VAULT_KEY, bundle_id, described, put, records_of
from werkzeug.serving import make_server

from accord.desk.feeds.misp import MispFeed
from accord.desk.feeds.objects import GRACE_DAYS, bring_up
from accord.desk.feeds.query import Question, cursor, parse_question, timestamp
from accord.desk.feeds.taxii import MEDIA_TYPE, ROOT, Taxii
from accord.desk.keyring.tools import Tools
from accord.desk.storage import Vault, create_vault
from accord.desk.storage.bundles import WHOLE, Mark, MarkState, add_mark, purge_expired
from accord.desk.storage.exports import exports
from accord.desk.web.feeds import FeedServices, feed_routes
from accord.kernel.errors import AccordError
from accord.kernel.identifiers import OrgId
from accord.webbase.factory import make_app
from accord.webbase.routes import check_routes, install_gate

POLICE = OrgId("police@hub.example")
VALUES = (
    "1BoatSLRHtKNngkdXEeobR76b53LETtpyT",
    "files.evil-example.org",
    "https://files.evil-example.org/a",
)
DAY = 86_400


@dataclass
class Server:
    """A desk's feeds on a loopback port, and a tool that may read them."""

    vault: Vault
    url: str
    token: str
    now: list[int] = field(default_factory=lambda: [NOW])

    @property
    def root(self) -> str:
        return f"{self.url}{ROOT}"

    def bring_up(self) -> int:
        return bring_up(self.vault, now=self.now[0])

    def get(self, path: str, **headers: str) -> httpx2.Response:
        told = {"Accept": MEDIA_TYPE, "Authorization": self.basic()} | headers
        return httpx2.get(f"{self.url}{path}", headers=told, trust_env=False)

    def basic(self, name: str = "opencti", token: str | None = None) -> str:
        text = f"{name}:{self.token if token is None else token}"
        return "Basic " + base64.b64encode(text.encode()).decode()

    @property
    def indicators(self) -> str:
        return f"{ROOT}collections/indicators/"

    def collection(self, alias: str = "observables") -> Any:
        return taxii2client.Collection(
            f"{self.root}collections/{self.ids()[alias]}/", user="opencti", password=self.token
        )

    def ids(self) -> dict[str, str]:
        found = self.get(f"{ROOT}collections/").json()["collections"]
        return {one["alias"]: one["id"] for one in found}


@pytest.fixture
def server(vault: Vault) -> Iterator[Server]:
    yield from serve(vault)


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A filled server for tests that only read."""
    vault = create_vault(tmp_path_factory.mktemp("feeds") / "vault.db", VAULT_KEY)
    for server in serve(vault):
        put(vault, described(1), records_of(VALUES))
        server.bring_up()
        yield server
    vault.close()


def serve(vault: Vault) -> Iterator[Server]:
    token = Tools(vault).add("opencti", person="ana", now=NOW)
    now = [NOW]
    made = make_server("127.0.0.1", 0, _refuse, threaded=True)
    port = made.port
    app = make_app(
        "desk",
        instance_id="00000000",
        secret_key=secrets.token_bytes(32),
        https=False,
        hosts=[f"127.0.0.1:{port}"],
    )
    app.register_blueprint(
        feed_routes(
            FeedServices(
                taxii=Taxii(vault, title="Desk of the police"),
                misp=MispFeed(vault, POLICE),
                tools=Tools(vault),
                clock=lambda: now[0],
            )
        )
    )
    install_gate(app)
    check_routes(app, signed_requests=False)
    made.app = app
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield Server(vault=vault, url=f"http://127.0.0.1:{port}", token=token, now=now)
    made.shutdown()
    thread.join()
    made.server_close()


def _refuse(_environ: object, _start: object) -> list[bytes]:
    raise AssertionError


@pytest.fixture
def filled(server: Server) -> Server:
    put(server.vault, described(1), records_of(VALUES))
    server.bring_up()
    return server


def mark(server: Server, record: int, state: MarkState = MarkState.RETRACTED) -> None:
    made = Mark(
        record=record, state=state, by_org=BANK, by_id=bundle_id(99), code="wrong-value", at=NOW + 5
    )
    with server.vault.transaction() as connection:
        add_mark(connection, BANK, bundle_id(1), made)


def test_taxii2_client_discovers_and_pulls_every_page(standing: Server) -> None:
    found = taxii2client.Server(f"{standing.url}/taxii2/", user="opencti", password=standing.token)
    [root] = found.api_roots
    assert {one.title for one in root.collections} == {
        "Indicators",
        "Indicators with observables",
    }
    pages = list(taxii2client.as_pages(standing.collection().get_objects, per_request=2))
    objects = [one for page in pages for one in page["objects"]]
    assert len(pages) == 6
    assert len({one["id"] for one in objects}) == len(objects) == 3 + 3 * len(VALUES)
    manifest = list(taxii2client.as_pages(standing.collection().get_manifest, per_request=2))
    assert [one["id"] for page in manifest for one in page["objects"]] == [
        one["id"] for one in objects
    ]


def test_the_stix2_source_reads_the_collection_of_indicators(standing: Server) -> None:
    source = stix2.TAXIICollectionSource(standing.collection("indicators"))
    found = source.query([stix2.Filter("type", "=", "indicator")])
    assert {one.pattern for one in found} == {
        f"[cryptocurrency-wallet:value = '{VALUES[0]}']",
        f"[domain-name:value = '{VALUES[1]}']",
        f"[url:value = '{VALUES[2]}']",
    }
    assert source.get(found[0].id).id == found[0].id
    assert source.get("indicator--00000000-0000-4000-8000-000000000000") is None


def test_every_object_is_valid_for_the_stix_validator(filled: Server) -> None:
    mark(filled, 1)
    filled.bring_up()
    for one in filled.get(f"{ROOT}collections/observables/objects/").json()["objects"]:
        told = validate_instance(one, ValidationOptions(version="2.1"))
        assert told.is_valid, [str(error) for error in told.errors]


def test_what_was_added_later_is_all_that_a_later_poll_gets(filled: Server) -> None:
    first = filled.get(f"{filled.indicators}objects/")
    last = first.headers["X-TAXII-Date-Added-Last"]
    assert last.endswith("000Z")  # a whole millisecond: some tools cut to it
    assert filled.get(f"{filled.indicators}objects/?added_after={last}").json() == {}
    put(filled.vault, described(2), records_of(["other.evil-example.org"]))
    filled.bring_up()
    later = filled.get(f"{filled.indicators}objects/?added_after={last}").json()["objects"]
    assert [one["type"] for one in later] == ["indicator"]


def test_a_retracted_record_is_told_as_revoked_and_deleted_after_the_grace(filled: Server) -> None:
    last = filled.get(f"{filled.indicators}objects/").headers["X-TAXII-Date-Added-Last"]
    mark(filled, WHOLE)
    assert filled.bring_up() == len(VALUES)
    later = filled.get(f"{filled.indicators}objects/?added_after={last}").json()["objects"]
    assert {(one["revoked"], one["labels"][-1]) for one in later} == {(True, "state:retracted")}
    assert all(one["modified"] > one["created"] for one in later)
    name = later[0]["id"]
    versions = filled.get(f"{filled.indicators}objects/{name}/versions/").json()["versions"]
    assert len(versions) == 2
    assert filled.bring_up() == 0
    filled.now[0] = NOW + (GRACE_DAYS + 1) * DAY
    filled.bring_up()
    assert filled.get(f"{filled.indicators}objects/{name}/").status_code == 404


def test_a_disputed_record_still_stands_and_says_so(filled: Server) -> None:
    mark(filled, 0, MarkState.DISPUTED)
    filled.bring_up()
    found = filled.get(f"{filled.indicators}objects/?match[type]=indicator").json()["objects"]
    disputed = [one for one in found if "state:disputed" in one["labels"]]
    assert len(disputed) == 1
    assert "revoked" not in disputed[0]


def test_plaintext_that_the_vault_deleted_is_deleted_here_too(filled: Server) -> None:
    purge_expired(filled.vault, before=NOW + 10 * DAY, now=NOW + 10 * DAY)
    filled.bring_up()
    types = {one["type"] for one in filled.get(f"{filled.indicators}objects/").json()["objects"]}
    assert types == {"identity", "marking-definition"}


def test_red_goes_to_no_tool_and_what_goes_is_written_down(server: Server) -> None:
    put(server.vault, described(1, tlp="red"), records_of(VALUES))
    put(server.vault, described(2), records_of(["other.evil-example.org"]))
    server.bring_up()
    text = server.get(f"{ROOT}collections/observables/objects/").text
    assert VALUES[0] not in text
    assert "other.evil-example.org" in text
    assert [(one.form, one.records) for one in exports(server.vault)] == [("taxii", 1)]


def test_a_value_of_two_bundles_survives_the_end_of_one(filled: Server) -> None:
    put(filled.vault, described(2, created=NOW - 50, expires=NOW + 900 * DAY), records_of(VALUES))
    filled.bring_up()
    purge_expired(filled.vault, before=NOW + 10 * DAY, now=NOW + 10 * DAY)
    filled.bring_up()
    found = filled.get(f"{ROOT}collections/observables/objects/").json()["objects"]
    assert sum(one["type"] == "cryptocurrency-wallet" for one in found) == 1
    names = {one["id"] for one in found}
    assert all(one["target_ref"] in names for one in found if one["type"] == "relationship")


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=1.5",
        "limit=",
        "limit=1&limit=2",
        "added_after=yesterday",
        "added_after=2026-13-01T00:00:00Z",
        "match[version]=banana",
        "match[version]=all,last",
        "match[id]=x",
        "match[type]=,",
        "match[spec_version]=x",
        "next=AAAA",
        "next=",
    ],
)
def test_a_parameter_that_cannot_be_read_is_refused(standing: Server, query: str) -> None:
    answer = standing.get(f"{standing.indicators}objects/?{query}")
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == MEDIA_TYPE
    assert answer.json()["http_status"] == "400"


def test_unknown_match_fields_are_ignored_and_old_specs_are_empty(standing: Server) -> None:
    assert "objects" in standing.get(f"{standing.indicators}objects/?match[colour]=red").json()
    assert standing.get(f"{standing.indicators}objects/?match[spec_version]=2.0").json() == {}


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        (MEDIA_TYPE, 200),
        ("application/taxii+json", 200),
        ("application/taxii+json; version=2.1", 200),
        (f"{MEDIA_TYPE},application/stix+json;version=2.1", 200),
        ("*/*", 200),
        ("application/taxii+json;version=2.0", 406),
        ("text/html", 406),
    ],
)
def test_the_media_type_is_negotiated(standing: Server, accept: str, status: int) -> None:
    answer = standing.get("/taxii2/", Accept=accept)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == MEDIA_TYPE


def test_the_resources_have_what_the_standard_asks_for(standing: Server) -> None:
    discovery = standing.get("/taxii2/").json()
    assert discovery["default"] in discovery["api_roots"]
    root = standing.get(ROOT).json()
    assert MEDIA_TYPE in root["versions"]
    assert root["max_content_length"] > 0
    for one in standing.get(f"{ROOT}collections/").json()["collections"]:
        assert (one["can_read"], one["can_write"]) == (True, False)
        assert standing.get(f"{ROOT}collections/{one['alias']}/").json() == one
    page = standing.get(f"{standing.indicators}manifest/?limit=1").json()
    assert page["more"] is True
    [record] = page["objects"]
    assert set(record) == {"id", "date_added", "version", "media_type"}
    dt.datetime.strptime(record["date_added"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=dt.UTC)
    exact = standing.get(f"{standing.indicators}objects/?match[version]={record['version']}").json()
    assert record["id"] in {one["id"] for one in exact["objects"]}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "collections/indicators/objects/", 403),
        ("DELETE", "collections/indicators/objects/x/", 403),
        ("POST", "collections/unknown/objects/", 404),
        ("GET", "collections/unknown/", 404),
        ("GET", "status/x/", 404),
        ("GET", "nothing", 404),
        ("GET", "collections/indicators/objects/indicator--x/", 404),
    ],
)
def test_nothing_is_written_and_what_is_not_there_is_not_found(
    standing: Server, method: str, path: str, status: int
) -> None:
    answer = httpx2.request(
        method,
        f"{standing.root}{path}",
        headers={"Authorization": standing.basic()},
        trust_env=False,
    )
    assert answer.status_code == status
    assert answer.json()["http_status"] == str(status)


def test_tools_are_known_by_basic_bearer_and_token(standing: Server) -> None:
    for header in (standing.basic(), f"Bearer {standing.token}", f"Token {standing.token}"):
        assert standing.get("/taxii2/", Authorization=header).status_code == 200


@pytest.mark.parametrize("header", ["", "Basic", "Basic x", "Bearer x", "Digest x", "Basic OmE="])
def test_a_stranger_gets_401_and_how_to_sign_in(filled: Server, header: str) -> None:
    answer = filled.get("/taxii2/", Authorization=header)
    assert answer.status_code == 401
    assert "Basic" in answer.headers["WWW-Authenticate"]
    assert answer.json()["http_status"] == "401"


def test_another_tools_name_or_a_removed_tool_does_not_get_in(filled: Server) -> None:
    other = Tools(filled.vault).add("misp", person="ana", now=NOW)
    assert filled.get("/taxii2/", Authorization=filled.basic(token=other)).status_code == 401
    assert filled.get("/taxii2/").status_code == 200
    Tools(filled.vault).remove("opencti", person="ana", now=NOW)
    assert filled.get("/taxii2/").status_code == 401


def test_guessing_tokens_is_slowed_down(filled: Server) -> None:
    answers = [
        filled.get("/taxii2/", Authorization=filled.basic(token=f"x{n}")).status_code
        for n in range(12)
    ]
    assert answers[0] == 401
    assert answers[-1] == 429


def test_the_tools_last_request_is_shown(filled: Server) -> None:
    filled.get(f"{filled.indicators}objects/?limit=1", **{"User-Agent": "OpenCTI 7"})
    [one] = Tools(filled.vault).list()
    assert (one.request, one.status, one.agent) == (
        f"GET {filled.indicators}objects/",
        200,
        "OpenCTI 7",
    )


def test_a_cursor_of_another_collection_or_another_desk_is_refused(standing: Server) -> None:
    found = standing.get(f"{standing.indicators}objects/?limit=1").json()["next"]
    other = f"{ROOT}collections/observables/objects/?next={found}"
    assert standing.get(other).json()["error_code"] == "cursor_invalid"
    same = standing.get(
        f"{standing.indicators}objects/?next={found}&added_after=2000-01-01T00:00:00Z"
    )
    assert same.status_code == 200
    assert found == standing.get(f"{standing.indicators}objects/?limit=1").json()["next"]


KEY = bytes(32)


@given(
    after=st.integers(0, 2**50),
    types=st.lists(st.sampled_from(["indicator", "identity"]), max_size=3),
)
def test_a_cursor_carries_its_filters(after: int, types: list[str]) -> None:
    asked = Question(types=tuple(types), versions=("all",))
    text = cursor(asked, after=after, collection="a", key=KEY)
    again = parse_question({"next": [text], "match[type]": ["url"]}, collection="a", key=KEY)
    assert (again.after, again.types, again.versions) == (after, tuple(types), ("all",))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.sampled_from(["limit", "next", "added_after", "match[id]", "match[version]"]),
        st.lists(st.text(max_size=60), min_size=1, max_size=2),
    )
)
def test_any_query_is_read_or_refused_with_a_code(arguments: dict[str, list[str]]) -> None:
    code = "query_invalid"
    try:
        parse_question(arguments, collection="a", key=KEY)
    except AccordError as error:
        code = error.code
    assert code in {"query_invalid", "cursor_invalid"}


@given(st.integers(0, 4_000_000_000_000_000))
def test_a_moment_written_is_read_again_to_the_microsecond(micros: int) -> None:
    asked = parse_question({"added_after": [timestamp(micros)]}, collection="a", key=KEY)
    assert asked.after == micros


def test_the_misp_feed_rises_with_every_change_and_deletes_what_was_taken_back(
    filled: Server,
) -> None:
    def fetch(name: str) -> Any:
        answer = filled.get(f"/misp/{name}", Authorization=filled.token)
        assert answer.status_code == 200, answer.text
        return json.loads(answer.text)

    [(uuid, before)] = fetch("manifest.json").items()
    event = fetch(f"{uuid}.json")["Event"]
    assert [one["deleted"] for one in event["Attribute"]] == [False] * len(VALUES)
    for record in (0, 1):
        mark(filled, record)
        [(_, after)] = fetch("manifest.json").items()
        assert int(after["timestamp"]) > int(before["timestamp"])
        before = after
    event = fetch(f"{uuid}.json")["Event"]
    assert [one["deleted"] for one in event["Attribute"]] == [True, True, False]
    assert filled.get("/misp/hashes.csv", Authorization=filled.token).status_code == 404
    stranger = filled.get("/misp/manifest.json", Authorization="x")
    assert stranger.status_code == 401
    assert stranger.headers["WWW-Authenticate"].startswith("Basic ")
    assert stranger.json()["code"] == "tool_wrong"
