"""The page of screening: the rules of the command, bounded, for people who signed in alone."""

import http.client
import io
import os
import resource
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient
from tests.desk.conftest import described, put, records_of
from tests.desk.test_pages import (  # noqa: F401 - fixtures
    BASE,
    EVM,
    PORT,
    analyst,
    app,
    desk,
    post,
    token,
    visitor,
)
from waitress import wasyncore
from waitress.server import create_server
from werkzeug.test import TestResponse

from accord.desk.app import Desk
from accord.desk.indicators.search import MAX_VALUES
from accord.desk.keyring.people import People
from accord.desk.storage.screenings import screenings
from accord.desk.web.bodies import MAX_PASTE, MAX_SERVED, admits_large
from accord.webbase.large_bodies import SMALL_BODY, guard_bodies

CSV = f"wallet,note\n{EVM},<b>x</b>\n0x00000000219ab540356cbb839cbe05303d7705fa,\n".encode()


def screen(client: FlaskClient, data: bytes = CSV, **fields: str) -> TestResponse:
    name = fields.pop("name", "own.csv")
    said: dict[str, Any] = {"reason": "monthly check"} | fields
    form = token(client, "/screening") | said | {"file": (io.BytesIO(data), name)}
    return client.post("/screening", base_url=BASE, data=form)


def seen(client: FlaskClient, answer: TestResponse) -> str:
    """Return the page of a run that has ended."""
    assert answer.status_code == 303
    for _ in range(2000):
        page = client.get(answer.location, base_url=BASE).get_data(as_text=True)
        if 'role="status"' not in page:
            return page
    pytest.fail("the run does not end")


def left(desk: Desk) -> list[Path]:  # noqa: F811
    return [path for path in desk.config.home.glob("screening-*/*") if path.is_file()]


@pytest.fixture
def filled(desk: Desk) -> Desk:  # noqa: F811
    put(desk.vault, described(1, kind="list", title="List of October"), records_of([EVM]))
    return desk


def test_a_file_is_compared_told_and_handed_over_as_a_report(
    analyst: FlaskClient,  # noqa: F811
    filled: Desk,
) -> None:
    answer = screen(analyst, name="/home/ana/payments.csv")
    page = seen(analyst, answer)
    (entry,) = screenings(filled.vault)
    assert "1 of 2 rows match" in page
    assert EVM in page
    for digest in (entry.sha256, entry.list_sha256):
        assert digest.hex() in page
    assert (entry.person, entry.reason, entry.name) == ("ana", "monthly check", "payments.csv")
    report = analyst.get(f"{answer.location.split('?')[0]}/report.csv", base_url=BASE)
    assert report.headers["Cache-Control"] == "no-store"
    assert report.get_data().count(b",match,,") == 1
    report.close()
    assert left(filled) == []
    listed = analyst.get("/screening", base_url=BASE).get_data(as_text=True)
    assert "ana: monthly check" in listed


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"reason": ""}, 422, "reason_missing"),
        ({"reason": "x" * 501}, 422, "reason_long"),
        ({"network": "<b>"}, 422, "network_unknown"),
        ({"name": ""}, 422, "file_none"),
        ({"csrf_token": "x"}, 403, "csrf_wrong"),
    ],
)
def test_a_form_that_is_refused_compares_nothing_and_leaves_no_file(
    analyst: FlaskClient,  # noqa: F811
    filled: Desk,
    fields: dict[str, str],
    status: int,
    code: str,
) -> None:
    answer = screen(analyst, **fields)
    assert code in answer.get_data(as_text=True)
    assert answer.status_code in {status, 400}
    answer.close()
    assert left(filled) == []
    assert list(screenings(filled.vault)) == []


def test_a_file_that_is_no_table_is_told_with_its_code(
    analyst: FlaskClient,  # noqa: F811
    filled: Desk,
) -> None:
    page = seen(analyst, screen(analyst, b"name,age\nana,7\n"))
    assert "value_column_unclear" in page
    assert "Name the columns" in page
    assert left(filled) == []


def test_a_result_is_for_who_asked_alone(
    app: Flask,  # noqa: F811
    analyst: FlaskClient,  # noqa: F811
    filled: Desk,
) -> None:
    place = screen(analyst).location.split("?")[0]
    other, people = app.test_client(), People(filled.vault)
    post(other, "/sign-in", login="ben", password=people.set_password("ben", by="root", now=0))
    for path in (place, f"{place}/report.csv", "/screening/0", "/screening/1x"):
        assert other.get(path, base_url=BASE).status_code == 404
    assert EVM not in other.get("/screening", base_url=BASE).get_data(as_text=True)


@contextmanager
def guarded(app: Flask, folder: Path | None = None) -> Iterator[int]:  # noqa: F811
    """Serve ``app`` as ``accord desk serve`` does."""
    sockets: dict[int, Any] = {}
    server = create_server(
        app, map=sockets, host="127.0.0.1", port=0, max_request_body_size=MAX_SERVED
    )
    guard_bodies(
        server,
        lambda method, _path, _, headers: admits_large(app, method, headers),
        folder=folder,
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield int(server.effective_port)
    finally:
        server.trigger.pull_trigger(lambda: wasyncore.close_all(sockets))
        thread.join(5)
        server.task_dispatcher.shutdown()


def send(
    port: int, path: str, body: bytes | Iterator[bytes], **headers: str
) -> tuple[int, str, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    told = {"Host": f"localhost:{PORT}", "Accept": "text/html"} | headers
    told = {name.replace("_", "-"): text for name, text in told.items()}
    try:
        connection.request("POST", path, body, told)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Location") or "", answer.read().decode()
    except (BrokenPipeError, ConnectionResetError):  # refused while we were still sending
        return 413, "", ""
    finally:
        connection.close()


def signed_in(client: FlaskClient, **headers: str) -> dict[str, str]:
    """Return the headers that the client sends."""
    (held,) = client._cookies.values()
    agent = f"Werkzeug/{version('werkzeug')}"
    return {"Cookie": held._to_request_header(), "User_Agent": agent} | headers


def form_with(client: FlaskClient, rows: bytes) -> bytes:
    """Return the form as a browser sends it, its parts divided by ``x``."""
    head = token(client, "/screening") | {"reason": "monthly check"}
    parts = "".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'
        for name, text in head.items()
    )
    parts += '--x\r\nContent-Disposition: form-data; name="file"; filename="own.csv"\r\n\r\n'
    return parts.encode() + rows + b"\r\n--x--\r\n"


def test_a_large_file_comes_only_from_who_signed_in_and_only_to_be_screened(
    app: Flask,  # noqa: F811
    analyst: FlaskClient,  # noqa: F811
    filled: Desk,  # noqa: ARG001 - the run needs a list
) -> None:
    rows = CSV + b"0x00000000219ab540356cbb839cbe05303d7705fa,\n" * (SMALL_BODY // 40)
    body = form_with(analyst, rows)
    assert len(body) > SMALL_BODY
    headers = signed_in(analyst, Content_Type="multipart/form-data; boundary=x")
    with guarded(app) as port:
        assert send(port, "/screening", body, **(headers | {"Cookie": "a=b"}))[0] == 413
        status, _, page = send(port, "/watches", body, **headers)
        assert (status, "body_too_large" in page) == (413, True)
        status, place, _ = send(port, "/screening", body, **headers)
    assert (status, place.split("?")[0]) == (303, "/screening/1")
    assert "own.csv" in analyst.get("/screening/1", base_url=BASE).get_data(as_text=True)


def test_a_search_takes_the_longest_paste_and_tells_on_a_page_what_is_too_much(
    app: Flask,  # noqa: F811
    analyst: FlaskClient,  # noqa: F811
) -> None:
    links = [f"https://a.example/{number:0>210}" for number in range(MAX_VALUES)]
    form = token(analyst, "/search") | {"reason": "case 114"}
    headers = signed_in(analyst, Content_Type="application/x-www-form-urlencoded")
    with guarded(app) as port:
        body = urlencode(form | {"values": "\n".join(links)}).encode()
        assert len(body) > SMALL_BODY
        status, _, page = send(port, "/search", body, **headers)
        assert (status, f"0 of {MAX_VALUES} found" in page) == (200, True)
        status, _, page = send(port, "/search", b"values=" + b"x" * MAX_PASTE, **headers)
    assert (status, "body_too_large" in page) == (413, True)


@contextmanager
def little_room(size: int) -> Iterator[None]:
    """Let no file grow beyond ``size`` bytes; to a program that is a full disk."""
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limit[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, ignored)


def test_a_full_disk_has_its_code_where_the_application_keeps_the_file(
    analyst: FlaskClient,  # noqa: F811
    filled: Desk,
) -> None:
    body = form_with(analyst, CSV + b"\n" * 3_000_000)
    with little_room(2_000_000):
        answer = analyst.post(
            "/screening",
            base_url=BASE,
            data=body,
            content_type="multipart/form-data; boundary=x",
            headers={"Accept": "text/html"},
        )
    page = answer.get_data(as_text=True)
    assert (answer.status_code, "disk_full" in page) == (507, True)
    assert "frees space; then send it again" in page
    assert left(filled) == []
    assert list(screenings(filled.vault)) == []
    assert "1 of 2 rows match" in seen(analyst, screen(analyst)), "it goes on afterwards"


def test_a_full_disk_has_its_code_where_the_server_buffers_the_body(
    app: Flask,  # noqa: F811
    analyst: FlaskClient,  # noqa: F811
    filled: Desk,
) -> None:
    size = 2_000_000
    headers = signed_in(analyst, Content_Type="multipart/form-data; boundary=x")
    with guarded(app, filled.config.home) as port:
        with little_room(size):  # so little that the last byte of all has no place
            status, _, told = send(port, "/screening", b"-" * (size + 1), **headers)
        assert (status, "disk_full: " in told) == (507, True)
        assert send(port, "/screening", b"-", **headers)[0] in {400, 403}, "it goes on afterwards"
    assert left(filled) == []


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="looks at open files as Linux does")
def test_a_body_is_buffered_in_the_desks_own_folder_under_no_name(
    app: Flask,  # noqa: F811
    analyst: FlaskClient,  # noqa: F811
    filled: Desk,
) -> None:
    home, looked = filled.config.home, threading.Event()
    before = set(home.iterdir())

    def nameless() -> bool:
        found = [os.path.realpath(one) for one in Path("/proc/self/fd").iterdir()]
        return any(path.startswith(f"{home}/") and "(deleted)" in path for path in found)

    def body() -> Iterator[bytes]:
        yield b"-" * 1_500_000
        for _ in range(1000):
            if nameless() or looked.wait(0.01):
                looked.set()
                break
        yield b"-" * 500_000

    headers = signed_in(analyst, Content_Type="multipart/form-data; boundary=x")
    with guarded(app, home) as port:
        send(port, "/screening", body(), Content_Length="2000000", **headers)
    assert looked.is_set()
    assert set(home.iterdir()) == before
