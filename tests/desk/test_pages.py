"""The desk's pages: nothing without sign-in, searches in a form only, values never in a URL."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient
from tests.desk.conftest import BANK, NOW, bundle_id, described, put, records_of
from werkzeug.test import TestResponse

from accord.desk.app import Desk
from accord.desk.app.pages import make_pages
from accord.desk.config import DeskConfig
from accord.desk.exchange.client import HubClient
from accord.desk.keyring import Keyring
from accord.desk.keyring.people import People
from accord.desk.storage import Mark, MarkState, create_vault
from accord.desk.storage.bundles import WHOLE, add_bundle, add_mark
from accord.desk.storage.journal import searches
from accord.kernel.errors import AuthenticationNeeded, Malformed, NotFound
from accord.kernel.keys import KemKeyPair, RequestKeyPair, SigningKeyPair

PORT = 8801
BASE = f"http://localhost:{PORT}"
EVM = "0x52908400098527886e0f7030069857d2e4169ee7"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    config = DeskConfig(home=tmp_path, hub="http://127.0.0.1:9")
    keyring = Keyring(
        signing=SigningKeyPair.generate(),
        request=RequestKeyPair.generate(),
        kem=(KemKeyPair.generate(),),
        vault=bytes(32),
    )
    made = Desk(
        config=config,
        keyring=keyring,
        vault=create_vault(config.vault_file, keyring.vault),
        client=HubClient(config.hub, clock=lambda: NOW),
        clock=lambda: NOW,
    )
    yield made
    made.close()


@pytest.fixture
def app(desk: Desk) -> Flask:
    return make_pages(desk, secret_key=bytes(range(32)), instance="0a0b0c0d", port=PORT)


@pytest.fixture
def visitor(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def analyst(visitor: FlaskClient, desk: Desk) -> FlaskClient:
    password = People(desk.vault).set_password("ana", by="root", now=0)
    answer = post(visitor, "/sign-in", login="ana", password=password)
    assert answer.status_code == 303
    return visitor


def token(client: FlaskClient, path: str) -> dict[str, str]:
    page = client.get(path, base_url=BASE).get_data(as_text=True)
    found = re.search(r'name="([a-z_]+)" value="([A-Za-z0-9_-]{20,})"', page)
    assert found is not None
    return {found.group(1): found.group(2)}


def post(client: FlaskClient, path: str, **fields: str) -> TestResponse:
    return client.post(path, base_url=BASE, data=token(client, path) | fields)


@pytest.mark.parametrize("path", ["/inbox", f"/inbox/{BANK}/{bundle_id(1)}", "/search"])
def test_a_stranger_sees_no_page(visitor: FlaskClient, path: str) -> None:
    answer = visitor.get(path, base_url=BASE)
    assert answer.status_code == 401
    assert EVM not in answer.get_data(as_text=True)


def test_every_page_but_home_and_sign_in_is_for_people(app: Flask, visitor: FlaskClient) -> None:
    open_to_all = {"/", "/sign-in", "/sign-out", "/static/<path:filename>"}
    for rule in app.url_map.iter_rules():
        if rule.rule in open_to_all:
            continue
        path = rule.rule.replace("<org>", BANK)
        path = re.sub("<[a-z_]+_id>", bundle_id(1), path)
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            assert visitor.open(path, method=method, base_url=BASE).status_code == 401, path


def test_a_wrong_password_is_refused_with_one_answer(visitor: FlaskClient, desk: Desk) -> None:
    People(desk.vault).set_password("ana", by="root", now=0)
    known = post(visitor, "/sign-in", login="ana", password="wrong")
    unknown = post(visitor, "/sign-in", login="bob", password="wrong")
    assert known.status_code == unknown.status_code == 401
    assert "Name or password is wrong" in known.get_data(as_text=True)


def test_a_new_password_ends_the_sessions_of_that_person_alone(
    app: Flask, analyst: FlaskClient, desk: Desk
) -> None:
    people, other = People(desk.vault), app.test_client()
    post(other, "/sign-in", login="ben", password=people.set_password("ben", by="root", now=0))
    assert analyst.get("/inbox", base_url=BASE).status_code == 200
    password = people.set_password("ana", by="root", now=0)
    assert analyst.get("/inbox", base_url=BASE).status_code == 401
    assert other.get("/inbox", base_url=BASE).status_code == 200
    assert post(analyst, "/sign-in", login="ana", password=password).status_code == 303
    assert analyst.get("/inbox", base_url=BASE).status_code == 200


@pytest.mark.parametrize("account", ["", "ana", "ana:", "ana:0123456789abcdef", "../a:0", ":0"])
def test_an_id_without_the_present_password_is_nobody(desk: Desk, account: str) -> None:
    people = People(desk.vault)
    known = people.check("ana", people.set_password("ana", by="root", now=0))
    assert people.find(known.id) == known
    assert people.find(account) is None
    people.set_password("ana", by="root", now=0)
    assert people.find(known.id) is None


@pytest.mark.parametrize("login", ["", "Ana", "a b", "x" * 60, "../a"])
def test_an_odd_name_gets_no_account(desk: Desk, login: str) -> None:
    with pytest.raises(Malformed):
        People(desk.vault).set_password(login, by="root", now=0)
    with pytest.raises(AuthenticationNeeded):
        People(desk.vault).check(login, "x")


def test_each_change_of_an_account_is_in_the_journal_with_who_did_it(desk: Desk) -> None:
    people = People(desk.vault)
    password = people.set_password("cy", by="root", now=7)
    known = people.check("cy", password)
    people.set_password("cy", by="root", now=8)
    people.remove("cy", by="root", now=9)
    assert people.find(known.id) is None
    with pytest.raises(AuthenticationNeeded):
        people.check("cy", password)
    with pytest.raises(NotFound, match="person_unknown"):
        people.remove("cy", by="root", now=10)
    acts = desk.vault.connection.execute(
        "SELECT at, person, act, reason FROM acts WHERE object = 'person cy'"
    ).fetchall()
    told = ((7, "added"), (8, "new password"), (9, "removed"))
    assert acts == [(at, "root", "person:change", reason) for at, reason in told]


def test_another_host_name_is_refused(visitor: FlaskClient) -> None:
    assert visitor.get("/sign-in", base_url=f"http://evil.example:{PORT}").status_code == 400


def test_inbox_and_bundle_show_what_arrived_and_escape_it(analyst: FlaskClient, desk: Desk) -> None:
    put(
        desk.vault,
        described(1, title="<b>October</b>", signer=b"s" * 32, head=None),
        records_of([EVM]),
    )
    mark = Mark(
        record=WHOLE,
        state=MarkState.RETRACTED,
        by_org=BANK,
        by_id=bundle_id(2),
        code="error",
        at=NOW,
    )
    with desk.vault.transaction() as connection:
        add_mark(connection, BANK, bundle_id(1), mark)
    page = analyst.get("/inbox", base_url=BASE).get_data(as_text=True)
    assert "&lt;b&gt;October" in page
    assert "<b>October" not in page
    assert "retracted" in page
    bundle = analyst.get(f"/inbox/{BANK}/{bundle_id(1)}", base_url=BASE)
    assert bundle.status_code == 200
    assert EVM in bundle.get_data(as_text=True)
    acts = desk.vault.connection.execute(
        "SELECT person, act, object FROM acts WHERE person = 'ana'"
    ).fetchall()
    assert acts == [("ana", "bundle:view", f"{BANK} {bundle_id(1)}")]


def test_an_unknown_bundle_is_not_found(analyst: FlaskClient) -> None:
    assert analyst.get(f"/inbox/{BANK}/{bundle_id(9)}", base_url=BASE).status_code == 404
    assert analyst.get("/inbox/x/y", base_url=BASE).status_code == 400


def test_a_search_is_posted_logged_under_the_name_and_not_kept(
    analyst: FlaskClient, desk: Desk
) -> None:
    with desk.vault.transaction() as connection:
        add_bundle(
            connection,
            desk.vault.term_key,
            described(1),
            lines=[b"not used"],
            records=[None],
        )
    put(desk.vault, described(2), records_of([EVM]))
    answer = post(analyst, "/search", values=f"{EVM}\nabsent.example.org\n???", reason="case 114")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert "1 of 3 found" in page
    assert "not found" in page
    assert BANK in page
    (entry,) = searches(desk.vault)
    assert (entry.person, entry.reason, entry.n) == ("ana", "case 114", 3)


def test_the_page_finds_below_a_domain_by_the_beginning_and_in_notes(
    analyst: FlaskClient, desk: Desk
) -> None:
    (host,) = records_of(["pay.shop.evil-site.org"])
    put(desk.vault, described(1), [msgspec.structs.replace(host, note="Seen on the Forum.")])
    for how, typed in (("values", "shop.evil-site.org"), ("prefix", "pay.sh"), ("note", "forum")):
        answer = post(analyst, "/search", values=typed, reason="case 114", how=how)
        page = answer.get_data(as_text=True)
        assert "1 of 1 found" in page
        assert f'<option value="{how}" selected>' in page
        assert "pay.shop.evil-site.org" in page
    refused = post(analyst, "/search", values=EVM, reason="case 114", how="guess")
    assert (refused.status_code, len(searches(desk.vault))) == (400, 3)


def test_a_search_without_a_reason_or_token_does_nothing(analyst: FlaskClient, desk: Desk) -> None:
    refused = post(analyst, "/search", values=EVM, reason="")
    assert refused.status_code == 400
    assert "needs a stated reason" in refused.get_data(as_text=True)
    forged = analyst.post("/search", base_url=BASE, data={"values": EVM, "reason": "case 114"})
    assert forged.status_code == 403
    assert searches(desk.vault) == []


def test_a_value_in_the_address_is_not_searched(analyst: FlaskClient, desk: Desk) -> None:
    page = analyst.get(f"/search?values={EVM}&reason=case", base_url=BASE)
    assert EVM not in page.get_data(as_text=True)
    assert searches(desk.vault) == []


def test_pages_forbid_inline_scripts_and_framing(analyst: FlaskClient) -> None:
    headers = analyst.get("/inbox", base_url=BASE).headers
    policy = headers["Content-Security-Policy"]
    assert "unsafe-inline" not in policy
    assert "frame-ancestors 'none'" in policy
