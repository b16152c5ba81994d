"""The web habits: headers, cookies, sessions, forms, problems, the gate, the strict API."""

import json
import re
from pathlib import Path

import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient
from tests.webbase.conftest import HOST, KEY, World
from werkzeug.test import TestResponse

from accord.kernel.errors import Malformed, Unavailable
from accord.protocol.signatures import sign_request
from accord.webbase.factory import make_app
from accord.webbase.headers import CONTENT_SECURITY_POLICY
from accord.webbase.routes import Who, check_routes, declare
from accord.webbase.sign_in import local_path
from accord.webbase.texts import parted
from accord.webbase.throttle import WINDOW, SignInThrottle

RIGHT = "right"
HTML = {"Accept": "text/html"}


@pytest.fixture
def client(world: World) -> FlaskClient:
    return world.app.test_client()


def get(client: FlaskClient, path: str, **more: object) -> TestResponse:
    return client.get(path, base_url=f"http://{HOST}", buffered=True, **more)


def post(client: FlaskClient, path: str, data: object = None, **more: object) -> TestResponse:
    return client.post(path, base_url=f"http://{HOST}", data=data, **more)


def token(client: FlaskClient) -> str:
    return get(client, "/form").text


def enter(client: FlaskClient, password: str = RIGHT, path: str = "/sign-in") -> TestResponse:
    form = {"login": "anna", "password": password, "csrf_token": token(client)}
    return post(client, path, form)


def signed(
    method: str, path: str, now: int, body: bytes | None = None, query: str = ""
) -> dict[str, str]:
    return sign_request(
        method=method,
        authority=HOST,
        path=path,
        query=query,
        body=body,
        content_type=None if body is None else "application/json",
        key=KEY,
        now=now,
        nonce=bytes(16),
    )


@pytest.mark.parametrize(
    "path", ["/form", "/crash", "/nowhere", "/static/accord.css", "/v1/things"]
)
def test_every_answer_carries_the_headers(client: FlaskClient, path: str) -> None:
    answer = get(client, path)
    assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Cache-Control"]
    assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["X-Request-Id"])
    assert "Strict-Transport-Security" not in answer.headers


def test_the_request_id_is_never_the_clients(client: FlaskClient) -> None:
    answer = get(client, "/form", headers={"X-Request-Id": "mine"})
    assert answer.headers["X-Request-Id"] != "mine"


def test_cookies_carry_the_instance_and_on_https_the_host_prefix(client: FlaskClient) -> None:
    cookie = get(client, "/form").headers["Set-Cookie"]
    assert cookie.startswith("accord-hub-0a1b=")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    app = make_app("hub", instance_id="x", secret_key=bytes(32), https=True, hosts=[HOST])
    assert app.config["SESSION_COOKIE_NAME"] == "__Host-accord-hub-x"
    assert app.config["SESSION_COOKIE_SECURE"]
    answer = app.test_client().get("/static/accord.css", base_url=f"https://{HOST}", buffered=True)
    assert "max-age" in answer.headers["Strict-Transport-Security"]


def test_a_weak_cookie_key_or_no_host_stops_the_start() -> None:
    with pytest.raises(Malformed, match="secret_key_short"):
        make_app("hub", instance_id="x", secret_key=b"short", https=True, hosts=[HOST])
    with pytest.raises(Malformed, match="hosts_missing"):
        make_app("hub", instance_id="x", secret_key=bytes(32), https=True, hosts=[])


def test_a_foreign_host_name_is_refused(client: FlaskClient) -> None:
    answer = client.get("/form", base_url="http://evil.test")
    assert answer.status_code == 400
    assert answer.json["code"] == "request_invalid"


def test_a_person_signs_in_and_out(client: FlaskClient) -> None:
    assert get(client, "/me").status_code == 401
    answer = enter(client)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert get(client, "/me").text == "bank@hub.test"
    assert get(client, "/").text == "hello Anna &lt;b&gt;"
    assert post(client, "/sign-out", {"csrf_token": token(client)}).status_code == 303
    assert get(client, "/me").status_code == 401


def test_a_wrong_password_says_nothing_more(client: FlaskClient) -> None:
    answer = enter(client, "wrong")
    assert answer.status_code == 401
    assert "The name or the password is wrong." in answer.text
    assert "wrong" not in re.findall(r'value="([^"]*)"', answer.text)
    assert get(client, "/me").status_code == 401


def test_a_session_that_waits_for_a_factor_is_nobody_but_where_it_goes_on(
    client: FlaskClient,
) -> None:
    assert get(client, "/halfway").status_code == 401
    answer = enter(client, "halfway", path="/sign-in?next=/me")
    assert answer.headers["Location"] == "/halfway?next=%2Fme"
    assert get(client, "/halfway").text == "factor"
    assert get(client, "/me").status_code == 401
    assert "Anna" not in get(client, "/sign-in").text
    assert post(client, "/change", {"csrf_token": token(client)}).status_code == 401


def test_attempts_are_counted_before_the_password(client: FlaskClient, world: World) -> None:
    for _ in range(3):
        enter(client, "wrong")
    answer = enter(client, "right")
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    world.now += WINDOW
    assert enter(client, "right").status_code == 303


def test_a_session_ends_by_time_by_account_and_by_browser(
    client: FlaskClient, world: World
) -> None:
    enter(client)
    assert get(client, "/me", headers={"User-Agent": "other"}).status_code == 401
    enter(client)
    world.now += 8 * 3600 + 1
    assert get(client, "/me").status_code == 401
    enter(client)
    world.now -= 60
    assert get(client, "/me").status_code == 401
    enter(client)
    assert get(client, "/me").status_code == 200
    world.accounts.clear()
    assert get(client, "/me").status_code == 401


def test_signing_in_drops_what_the_cookie_held(client: FlaskClient) -> None:
    before = token(client)
    enter(client)
    assert token(client) != before


def test_a_changed_cookie_is_worth_nothing(client: FlaskClient) -> None:
    enter(client)
    cookie = client.get_cookie("accord-hub-0a1b", domain=HOST)
    assert cookie is not None
    client.set_cookie("accord-hub-0a1b", cookie.value[:-2] + "AA", domain=HOST)
    assert get(client, "/me").status_code == 401


@pytest.mark.parametrize("given", [None, "", "wrong", "é", ["right", "right"]])
def test_a_form_without_its_token_changes_nothing(client: FlaskClient, given: object) -> None:
    enter(client)
    right = token(client)
    sent = [right, right] if isinstance(given, list) else given
    answer = post(client, "/change", {} if sent is None else {"csrf_token": sent})
    assert (answer.status_code, answer.json["code"]) == (403, "csrf_wrong")
    assert post(client, "/open", {"csrf_token": "x"}).status_code == 403
    assert post(client, "/change", {"csrf_token": right}).text == "changed"


def test_a_token_in_a_header_or_query_does_not_count(client: FlaskClient) -> None:
    right = token(client)
    answer = post(client, f"/open?csrf_token={right}", headers={"X-CSRF-Token": right})
    assert answer.status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_form_from_another_site_is_refused(client: FlaskClient, site: str) -> None:
    form = {"csrf_token": token(client)}
    assert post(client, "/open", form, headers={"Sec-Fetch-Site": site}).status_code == 403


@pytest.mark.parametrize(
    "text", ["//evil", "/\\evil", "https://evil", "", "x", "/a\nb", "/\tx", "/" + "a" * 300]
)
def test_the_way_back_stays_on_this_host(text: str) -> None:
    assert local_path(text) == "/"
    assert local_path("/summary?x=1") == "/summary?x=1"


def test_after_sign_in_the_person_is_where_they_wanted(client: FlaskClient) -> None:
    answer = enter(client, path="/sign-in?next=/me")
    assert answer.headers["Location"] == "/me"


def test_an_error_is_a_problem_for_programs_and_a_page_for_people(client: FlaskClient) -> None:
    answer = get(client, "/refused")
    assert answer.content_type == "application/problem+json"
    assert answer.status_code == 403
    assert answer.json["code"] == "charter_no"
    assert answer.json["request_id"] == answer.headers["X-Request-Id"]
    page = get(client, "/refused", headers=HTML)
    assert page.content_type.startswith("text/html")
    assert page.status_code == 403
    assert "<script>" not in page.text
    assert "charter_no" in page.text


def test_waiting_time_is_told(client: FlaskClient) -> None:
    answer = get(client, "/busy")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")


def test_an_unforeseen_error_tells_nothing_and_is_logged_without_its_text(
    client: FlaskClient,
) -> None:
    with structlog.testing.capture_logs() as lines:
        answer = get(client, "/crash")
    assert answer.status_code == 500
    assert answer.json["code"] == "internal"
    assert "canary" not in answer.text + json.dumps(lines)
    assert [line["error"] for line in lines if line["event"] == "unexpected"] == ["ValueError"]


def test_the_log_names_the_route_and_no_value(client: FlaskClient) -> None:
    with structlog.testing.capture_logs() as lines:
        post(client, "/sign-in?next=/canary", {"login": "canary", "password": "canary"})
        get(client, "/canary")
    assert "canary" not in json.dumps(lines)
    assert [line["route"] for line in lines] == ["/sign-in", "-"]


@pytest.mark.parametrize("path", ["/nowhere", "/v1/nowhere"])
def test_an_unknown_path_is_a_problem(client: FlaskClient, path: str) -> None:
    assert get(client, path).json["code"] == "not_found"
    assert get(client, "/v1/nowhere", headers=HTML).json["code"] == "not_found"


def test_a_wrong_method_names_the_right_ones(client: FlaskClient) -> None:
    answer = post(client, "/refused")
    assert (answer.status_code, answer.json["code"]) == (405, "method_not_allowed")
    assert "GET" in answer.headers["Allow"]


def test_a_body_that_is_too_large_is_refused(client: FlaskClient) -> None:
    answer = post(client, "/open", b"x" * 2000)
    assert answer.status_code in {403, 413}
    answer = post(client, "/open", {"csrf_token": "x" * 2000})
    assert (answer.status_code, answer.json["code"]) == (413, "body_too_large")


def test_a_signed_route_takes_only_signed_requests(client: FlaskClient, world: World) -> None:
    enter(client)
    assert get(client, "/signed-page").json["code"] == "signature_missing"
    headers = signed("GET", "/signed-page", world.now)
    assert get(client, "/signed-page", headers=headers).text == KEY.kid.hex()
    assert get(client, "/signed-page", headers=headers).json["code"] == "nonce_replayed"
    answer = client.get("/signed-page", base_url="http://evil.test", headers=headers)
    assert answer.status_code == 400


def test_a_signed_request_is_bound_to_its_query_and_body(client: FlaskClient, world: World) -> None:
    headers = signed("GET", "/signed-page", world.now, query="a=b")
    assert get(client, "/signed-page?a=c", headers=headers).status_code == 401
    headers = signed("POST", "/v1/things", world.now, b'{"n":1}')
    assert post(client, "/v1/things", b'{"n":2}', headers=headers).json["code"] == "digest_wrong"
    assert post(client, "/v1/things", b'{"n":1}', headers=headers).json == {"n": 1}


@pytest.mark.parametrize(
    "body",
    [
        b'{"n":"1"}',
        b'{"n":1,"m":2}',
        b"{}",
        b"[]",
        b"",
        b"nonsense",
        b'{"n":10}',
        b"null",
        b'{"n":1,"n":2}',
        b'{"\\ud800":1}',
        b'{"n":"\xff"}',
        b'{"n":NaN}',
    ],
)
def test_a_body_of_another_form_is_refused(client: FlaskClient, world: World, body: bytes) -> None:
    answer = post(client, "/v1/things", body, headers=signed("POST", "/v1/things", world.now, body))
    assert (answer.status_code, answer.json["code"]) == (400, "request_invalid")
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limt=3", "request_invalid"),
        ("limit=11", "request_invalid"),
        ("limit=+1", "request_invalid"),
        ("limit=1&limit=2", "query_twice"),
    ],
)
def test_a_query_of_another_form_is_refused(client: FlaskClient, query: str, code: str) -> None:
    assert get(client, "/v1/things?limit=3").json == {"limit": 3}
    assert get(client, "/v1/things").json == {"limit": 5}
    answer = get(client, f"/v1/things?{query}")
    assert (answer.status_code, answer.json["code"]) == (400, code)


def test_a_refused_member_is_named_without_its_value(client: FlaskClient) -> None:
    answer = get(client, "/v1/things?limit=canary")
    assert answer.json["observed"] == "query.limit"
    assert "canary" not in answer.text


def test_a_path_without_a_query_schema_takes_no_query(client: FlaskClient) -> None:
    assert get(client, "/v1/plain").text == "plain"
    assert get(client, "/v1/plain?x=1").json["code"] == "query_unknown"


def test_the_openapi_document_is_served(client: FlaskClient) -> None:
    document = get(client, "/v1/openapi.json").json
    assert document["openapi"] == "3.1.0"
    assert set(document["paths"]) == {"/v1/things", "/v1/plain"}


def test_a_route_without_a_declared_action_stops_the_start() -> None:
    app = make_app("hub", instance_id="x", secret_key=bytes(32), https=False, hosts=[HOST])
    assert set(check_routes(app, signed_requests=False)) == {"static"}
    app.add_url_rule("/bare", "bare", lambda: "x")
    with pytest.raises(RuntimeError, match="/bare"):
        check_routes(app, signed_requests=False)


def test_a_signed_route_without_a_verifier_stops_the_start() -> None:
    app = make_app("hub", instance_id="x", secret_key=bytes(32), https=False, hosts=[HOST])
    app.add_url_rule("/s", "s", declare("a:b", who=Who.SIGNED)(lambda: "x"))
    with pytest.raises(RuntimeError, match="/s"):
        check_routes(app, signed_requests=False)


def test_a_route_added_after_the_check_is_closed(world: World) -> None:
    world.app.view_functions["late"] = lambda: "open"
    world.app.url_map.add(world.app.url_rule_class("/late", endpoint="late"))
    assert get(world.app.test_client(), "/late").status_code == 404


def test_a_chart_has_its_table_and_escapes_its_words(client: FlaskClient) -> None:
    page = get(client, "/chart").text
    assert page.count("1 250") == 2
    assert "btc &lt;i&gt;" in page
    assert "<i>" not in page
    assert page.count("&lt;10") == 2
    assert "style=" not in page
    assert "<script" not in page


def test_pages_have_a_skip_link_one_heading_and_labels(client: FlaskClient) -> None:
    page = get(client, "/sign-in").text
    assert 'class="skip" href="#main"' in page
    assert page.count("<h1>") == 1
    assert set(re.findall(r'<label for="(\w+)"', page)) == {"login", "password"}
    assert 'lang="en"' in page


def test_the_throttle_counts_names_in_any_case_and_every_source() -> None:
    throttle = SignInThrottle(per_account=2, per_source=3)
    throttle.attempt(account="Anna", source="a", now=0)
    throttle.attempt(account=" anna ", source="b", now=1)
    with pytest.raises(Unavailable, match="too_many_attempts"):
        throttle.attempt(account="ANNA", source="c", now=2)
    throttle.succeeded(account="anna")
    throttle.attempt(account="anna", source="c", now=3)
    throttle.attempt(account="1", source="c", now=3)
    with pytest.raises(Unavailable, match="too_many_attempts"):
        throttle.attempt(account="2", source="c", now=3)
    throttle.attempt(account="2", source="c", now=WINDOW + 3)


def test_the_throttle_keeps_no_long_names() -> None:
    throttle = SignInThrottle()
    throttle.attempt(account="a" * 60_000, source="x", now=0)
    assert max(len(name) for _, name in throttle._counters) <= 80


def test_the_style_sheet_needs_nothing_from_elsewhere(world: World) -> None:
    assert isinstance(world.app, Flask)
    sheet = get(world.app.test_client(), "/static/accord.css").text
    assert "url(" not in sheet
    assert "@import" not in sheet


def test_an_error_page_tells_how_long_to_wait(client: FlaskClient) -> None:
    assert "Try again in 7 seconds." in get(client, "/busy", headers=HTML).text


def test_a_route_for_programs_needs_no_form_token(client: FlaskClient) -> None:
    assert post(client, "/programs", b"{}").text == "taken"
    assert post(client, "/open", b"{}").status_code == 403


def test_templates_hand_no_variable_to_the_translator(project: Path) -> None:
    for path in (project / "platform").rglob("templates/**/*.html"):
        for argument in re.findall(r"\b(?:_|gettext|ngettext)\(\s*(.)", path.read_text("utf-8")):
            assert argument in {'"', "'"}, path.name
        assert "|safe" not in path.read_text("utf-8")


def test_a_name_may_break_behind_its_dots_and_stays_text() -> None:
    assert parted("bank@hub.example") == "bank@<wbr>hub.<wbr>example"
    assert parted("<b>.") == "&lt;b&gt;.<wbr>"
