"""What the hub does when its PostgreSQL server stalls, dies, fills up or waits for a standby.

Rules and their reasons: docs/operate/postgresql.md. Whatever happens, an acknowledged bundle is
there, a retry finds its first answer, and the log continues.
"""

import contextlib
import hashlib
import itertools
import re
import secrets
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import psycopg
import pytest
import sqlalchemy as sa
from tests.support import postgres
from tests.support.hub_world import HOST, NOW, Desk, Places, World
from tests.support.postgres import PostgresServer
from tests.support.stalling import Relay

from accord.hub.access.nonces import SharedNonceCache
from accord.hub.audit import Event, EventClass
from accord.hub.storage import Writer, open_database, postgresql
from accord.hub.storage.postgresql import COMMIT_SECONDS, Patience, connect
from accord.hub.transparency import LogName, recompute
from accord.kernel.errors import Refused, Unavailable
from accord.kernel.identifiers import KeyId
from accord.kernel.markings import OrgKind
from accord.protocol.paths import PROBLEM_TYPE

OWN_SERVER = True
"""These tests break the server, and so have one of their own; they are about PostgreSQL alone."""


DOWN = {"database_unavailable", "storage_failed", "not_ready"}
"""Codes of a hub whose server does not answer."""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server of its own, which may be stopped and killed."""
    if postgres.server_folder() is None:
        pytest.skip("no PostgreSQL 15 or newer on this machine: not tested on PostgreSQL")
    made = PostgresServer(["log_min_messages = fatal"])
    yield made
    made.remove()


@dataclass(kw_only=True)
class Hub:
    """A hub on that server, behind the relay."""

    server: PostgresServer
    relay: Relay
    world: World
    sender: Desk
    reader: Desk

    @property
    def name(self) -> str:
        return self.world.config.database.rpartition("/")[2]

    def sending(self) -> Callable[[], httpx2.Response]:
        bundle_id, bundle = self.sender.seal(self.reader)
        return lambda: self.sender.put_bundle(bundle, bundle_id)

    def check(self, sent: int) -> None:
        """The log is whole, and each bundle is in the feed once."""
        services = self.world.services
        for name in LogName:
            assert recompute(services.reader, services.root, name) is not None
        self.world.witness_round()
        items = self.reader.get("/v1/feed", "after=0").json()["items"]
        assert len({item["bundle"] for item in items}) == len(items) == sent


@pytest.fixture
def hub(server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    relay = Relay(server.folder / ".s.PGSQL.5432")
    name = server.make_database()
    address = server.address(name, host=f"127.0.0.1:{relay.port}")
    monkeypatch.setattr(Places, "fresh", lambda: address)
    world = World(tmp_path)
    yield Hub(
        server=server,
        relay=relay,
        world=world,
        sender=world.enrol("first-bank", OrgKind.FINANCIAL),
        reader=world.enrol("police", OrgKind.LAW_ENFORCEMENT),
    )
    relay.stall = None
    world.close()
    relay.close()
    server.drop_database(name)


def refused(answer: httpx2.Response, *codes: str) -> None:
    assert answer.status_code == 503, answer.text
    assert answer.json()["code"] in codes, answer.text
    assert answer.headers["Retry-After"]


@pytest.mark.parametrize("lost", ["request", "answer"])
def test_a_commit_that_is_not_answered_is_unknown_and_a_retry_tells(hub: Hub, lost: str) -> None:
    send = hub.sending()
    hub.relay.stall = lost
    begun = time.monotonic()
    refused(send(), "commit_unconfirmed")
    took = time.monotonic() - begun
    assert COMMIT_SECONDS <= took < COMMIT_SECONDS + 15
    hub.relay.stall = None
    size = hub.world.services.reader.head(LogName.AUDIT)
    again = send()
    assert again.status_code == 202
    # When only the answer was lost, it had been stored, and nothing is stored twice.
    head = hub.world.services.reader.head(LogName.AUDIT)
    assert size is not None
    assert head is not None
    assert head.size - size.size == (1 if lost == "request" else 0)
    assert send().json()["index"] == again.json()["index"]
    hub.check(1)
    assert hub.relay.cancels == 0


def cancelled_without_standby(server: PostgresServer, act: Callable[[], object]) -> str:
    """The code with which ``act``, done again and again, fails when its wait for a standby is cancelled.

    The forged acknowledgement: a cancel lets the server report success for what may be lost.
    """
    codes: list[str] = []

    def run() -> None:
        try:
            while True:  # the server's processes learn of the new setting one after the other
                act()
        except Unavailable as error:
            codes.append(error.code)

    server.query("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    server.query("SELECT pg_reload_conf()")
    try:
        acting = threading.Thread(target=run)
        acting.start()
        waits = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        while not (found := server.query(waits)):
            assert acting.is_alive()
        server.query(f"SELECT pg_cancel_backend({found[0][0]})")
        acting.join()
    finally:
        server.query("ALTER SYSTEM RESET synchronous_standby_names")
        server.query("SELECT pg_reload_conf()")
    return codes[0]


def test_a_success_without_the_standby_is_a_failure(hub: Hub) -> None:
    services = hub.world.services
    event = Event(what=EventClass.BACKUP_MADE, outcome="ok")
    code = cancelled_without_standby(
        hub.server,
        lambda: services.writer.run(
            lambda connection: services.recorder.record(connection, event, now=NOW)
        ),
    )
    assert code == "commit_unconfirmed"
    assert hub.sending()().status_code == 202
    hub.check(1)


def test_a_nonce_without_the_standby_is_a_failure_too(hub: Hub) -> None:
    beside = hub.world.services.database.beside
    assert beside is not None
    nonces, names = SharedNonceCache(beside), map(str, itertools.count())
    code = cancelled_without_standby(
        hub.server,
        lambda: nonces.claim(KeyId(b"k" * 32), next(names), until=NOW + 300, now=NOW),
    )
    assert code == "database_unavailable"


def test_a_killed_backend_fails_its_transaction_and_the_next_one_works(hub: Hub) -> None:
    writer = hub.world.services.writer
    with pytest.raises(Unavailable) as caught:
        writer.run(lambda c: c.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())"))
    assert caught.value.code == "storage_failed"
    assert hub.sending()().status_code == 202
    send = hub.sending()
    # Readers' connections die too: each is told once, in our own words, and then all is well.
    hub.server.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
        hub.name,
    )
    for again in (send, lambda: hub.reader.get("/v1/feed", "after=0")):
        answers = [again() for _ in range(4)]
        for answer in answers[:-1]:
            if answer.status_code >= 400:
                refused(answer, "database_unavailable", "storage_failed")
        assert answers[-1].status_code in {200, 202}
    hub.check(2)


def test_a_server_that_was_started_anew_is_noticed_by_nobody(hub: Hub) -> None:
    """What lay in a pool while it went down is not used: the end of a connection is there to see."""
    assert hub.sending()().status_code == 202
    assert hub.reader.get("/v1/feed", "after=0").status_code == 200
    hub.server.stop()
    hub.server.start()
    assert hub.sending()().status_code == 202
    assert hub.reader.get("/v1/feed", "after=0").status_code == 200
    hub.check(2)


@pytest.mark.parametrize("state", ["40001", "40P01"])
def test_a_serialization_failure_or_deadlock_stores_nothing_of_the_batch(
    hub: Hub, state: str
) -> None:
    fail = f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{state}'; END $$"
    with pytest.raises(Unavailable) as caught:
        hub.world.services.writer.run(lambda c: c.exec_driver_sql(fail))
    assert caught.value.code == "storage_failed"
    assert hub.sending()().status_code == 202
    hub.check(1)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["stopped", "crashed"])
def test_a_server_that_goes_away_is_said_and_all_goes_on_when_it_is_back(
    hub: Hub, how: signal.Signals
) -> None:
    send, later = hub.sending(), hub.sending()
    assert send().status_code == 202
    index = send().json()["index"]
    hub.server.stop(how)
    try:
        for _ in range(2):
            refused(later(), "database_unavailable", "storage_failed", "nonce_unknowable")
    finally:
        hub.server.start()
    for _ in range(20):
        answer = later()
        if answer.status_code == 202:
            break
        refused(answer, "database_unavailable", "storage_failed")
    assert answer.status_code == 202
    assert send().json()["index"] == index
    hub.check(2)


WORD = re.compile("<[^>]+>")
ACCEPTS = {"a program": PROBLEM_TYPE, "a browser": "text/html"}


def test_no_route_says_more_or_less_than_that_the_database_is_down(hub: Hub) -> None:
    """Strangers, members and browsers with a session get an answer of ours, and never a 500."""
    app = hub.world.app
    browser = app.test_client()
    with browser.session_transaction(base_url=f"http://{HOST}") as session:
        session["_user_id"] = secrets.token_urlsafe(32)
        session["browser"] = hashlib.sha256(b"127.0.0.1\0a browser").hexdigest()
    tried: Counter[str] = Counter()
    hub.server.stop()
    try:
        for rule in app.url_map.iter_rules():
            path = WORD.sub("2026-01", rule.rule)
            for method in (rule.methods or set()) & {"GET", "PUT", "POST"}:
                body = None if method == "GET" else b"{}"
                kind = None if body is None else "application/json"
                signed = hub.reader.headers(method, path, body=body, content_type=kind)
                unsigned = {} if kind is None else {"Content-Type": kind}
                for accept, headers in itertools.product(ACCEPTS.values(), (signed, unsigned)):
                    answer = browser.open(
                        path,
                        base_url=f"http://{HOST}",
                        method=method,
                        data=body,
                        headers={**headers, "Accept": accept, "User-Agent": "a browser"},
                        buffered=True,
                    )
                    tried[str(answer.status_code)] += 1
                    if answer.status_code < 500:
                        continue
                    assert answer.status_code == 503, (method, rule.rule, answer.text)
                    assert int(answer.headers["Retry-After"]) > 0
                    if answer.content_type.startswith("text/html"):
                        assert "database_unavailable" in answer.text, rule.rule
                    else:
                        assert answer.content_type == PROBLEM_TYPE, rule.rule
                        assert answer.json["code"] in DOWN, (rule.rule, answer.text)
                        assert answer.json["next_step"], rule.rule
    finally:
        hub.server.start()
    assert tried["503"] > 50, tried
    assert hub.sending()().status_code == 202


def test_a_statement_that_takes_too_long_is_given_up_and_never_cancelled(
    server: PostgresServer,
) -> None:
    relay = Relay(server.folder / ".s.PGSQL.5432")
    address = server.address("postgres", host=f"127.0.0.1:{relay.port}")
    for give_up in (
        lambda one: one.execute("SELECT pg_sleep(30)"),
        lambda one: one.cancel(),
        lambda one: one.cancel_safe(),
    ):
        connection = connect(address)
        with Patience(connection, 0.3):
            try:
                give_up(connection)
            except psycopg.OperationalError as error:
                assert "did not answer within 0.3 seconds" in str(error)  # noqa: PT017
        assert connection.closed
    relay.close()
    assert relay.cancels == 0


def test_a_writer_waits_for_the_turn_of_another_process(hub: Hub) -> None:
    other = open_database(hub.server.address(hub.name))
    answers = []
    send = hub.sending()
    with other.writing.begin():
        sending = threading.Thread(target=lambda: answers.append(send()))
        sending.start()
        waits = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        while not hub.server.query(waits, hub.name):
            assert sending.is_alive()
        assert answers == []
    sending.join()
    other.close()
    assert answers[0].status_code == 202
    hub.check(1)


def test_when_all_connections_are_busy_the_next_reader_is_told(
    server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a server that stalls, more requests wait than there are connections."""
    monkeypatch.setattr(postgresql, "POOL_SECONDS", 0.1)
    engines = (
        postgresql.open_reading(server.address("postgres")),
        postgresql.open_beside(server.address("postgres")),
    )
    for engine in engines:
        with contextlib.ExitStack() as busy:
            for _ in range(postgresql.READERS + postgresql.MORE_READERS):
                busy.enter_context(engine.connect())
            with pytest.raises(Unavailable) as caught:
                engine.connect()
        assert caught.value.code == "database_unavailable"
        with engine.connect() as connection:
            assert connection.scalar(sa.text("SELECT 1")) == 1
        engine.dispose()


@pytest.mark.parametrize("setting", ["off", "local", "remote_write"])
def test_a_server_that_would_lose_what_it_confirmed_is_refused(
    server: PostgresServer, setting: str
) -> None:
    name = server.make_database()
    server.query(f"ALTER DATABASE {name} SET synchronous_commit = {setting}")
    with pytest.raises(Refused) as caught:
        open_database(server.address(name))
    assert (caught.value.code, caught.value.observed) == ("database_unsafe", setting)
    server.drop_database(name)


def test_a_database_of_another_encoding_is_refused(server: PostgresServer) -> None:
    server.query("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1'")
    with pytest.raises(Refused) as caught:
        open_database(server.address("latin"))
    assert caught.value.observed == "LATIN1"
    server.drop_database("latin")


def test_a_server_that_is_not_there_is_said() -> None:
    with pytest.raises(Unavailable) as caught:
        open_database("postgresql://accord@127.0.0.1:9/hub")
    assert caught.value.code == "database_unavailable"


def test_readers_cannot_write(hub: Hub) -> None:
    with (
        hub.world.services.database.reading.connect() as connection,
        pytest.raises(Unavailable) as caught,
    ):
        connection.execute(sa.text("DELETE FROM log_heads"))
    assert caught.value.observed == "ReadOnlySqlTransaction"


@pytest.fixture
def small_disk(server: PostgresServer) -> Iterator[Path]:
    place = server.folder / "disk"
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=24m,mode=0777", "tmpfs", str(place)]
    if subprocess.run(words, capture_output=True, check=False).returncode != 0:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=False)


def test_a_full_disk_of_the_server_refuses_clearly_and_loses_nothing(
    server: PostgresServer, small_disk: Path
) -> None:
    (small_disk / "space").mkdir()
    server.own(small_disk / "space")
    filler = small_disk / "filler"
    filler.write_bytes(bytes(4_000_000))
    server.query(f"CREATE TABLESPACE small LOCATION '{small_disk}/space'")
    server.query("CREATE DATABASE small TEMPLATE template0 TABLESPACE small")
    database = open_database(server.address("small"))
    writer = Writer(database.writing)
    writer.run(lambda c: c.exec_driver_sql("CREATE TABLE big (content bytea)"))
    add = "INSERT INTO big SELECT decode(repeat('00', 4000), 'hex') FROM generate_series(1, 100)"
    writer.run(lambda c: c.exec_driver_sql("ALTER TABLE big ALTER content SET STORAGE PLAIN"))
    kept = 0

    def fill() -> None:
        nonlocal kept
        while kept < 200:
            writer.run(lambda c: c.exec_driver_sql(add))
            kept += 1

    with pytest.raises(Unavailable) as caught:
        fill()
    assert caught.value.code == "storage_failed"
    with database.reading.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM big")) == kept * 100
    filler.unlink()
    writer.run(lambda c: c.exec_driver_sql(add))
    writer.close()
    database.close()
    server.drop_database("small")
    server.query("DROP TABLESPACE small")
