"""Several processes of one hub over one PostgreSQL database, each a world's services here.

The processes as such, under load: tests/adversary/test_t31_two_processes.py.
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import psycopg
import pytest
from click.testing import CliRunner
from tests.support import postgres
from tests.support.hub_world import HOST, NOW, Desk, Places, World

from accord.cli.main import main
from accord.hub.access.nonces import KEPT_SECONDS, SharedNonceCache
from accord.hub.app import make_hub
from accord.hub.services import Services
from accord.hub.storage import WITNESSES, Listener, Turn
from accord.hub.transparency import LogName, recompute
from accord.kernel.errors import Unavailable
from accord.kernel.identifiers import KeyId
from accord.kernel.markings import OrgKind

OWN_SERVER = True
"""Only PostgreSQL is served by several processes."""

SECRET = secrets.token_bytes(32)


@dataclass(frozen=True, kw_only=True)
class Two:
    """One hub, two processes' services; the world's own client speaks to the first."""

    world: World
    second: Services
    other: httpx2.Client
    bank: Desk
    police: Desk


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    if postgres.server_folder() is None:
        pytest.skip("no PostgreSQL 15 or newer on this machine: not tested on PostgreSQL")
    with Places.on("postgresql"):
        world = World(tmp_path_factory.mktemp("hub"))
        second = world.open_services()
        app = make_hub(second, secret_key=SECRET, port=8600)
        other = httpx2.Client(transport=httpx2.WSGITransport(app=app), base_url=f"http://{HOST}")
        yield Two(
            world=world,
            second=second,
            other=other,
            bank=world.enrol("first-bank", OrgKind.FINANCIAL),
            police=world.enrol("police", OrgKind.LAW_ENFORCEMENT),
        )
        other.close()
        second.close()
        world.close()


def eventually(holds: Callable[[], bool]) -> bool:
    """Wait until the server has noticed that a connection is gone."""
    end = time.monotonic() + 20
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def put(two: Two, client: httpx2.Client, made: tuple[str, bytes]) -> httpx2.Response:
    path, kind = f"/v1/bundles/{made[0]}", "application/vnd.accord.bundle"
    headers = two.bank.headers("PUT", path, body=made[1], content_type=kind)
    return client.put(path, content=made[1], headers=headers)


def test_a_request_that_one_process_took_is_refused_by_the_other(two: Two) -> None:
    headers = two.bank.headers("GET", "/v1/feed")
    assert two.world.client.get("/v1/feed", headers=headers).status_code == 200
    for client in (two.other, two.world.client):
        answer = client.get("/v1/feed", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "nonce_replayed")


def test_a_nonce_outlives_the_process_that_took_it(two: Two) -> None:
    headers = two.bank.headers("GET", "/v1/feed")
    third = two.world.open_services()
    app = make_hub(third, secret_key=SECRET, port=8600)
    with httpx2.Client(transport=httpx2.WSGITransport(app=app), base_url=f"http://{HOST}") as one:
        assert one.get("/v1/feed", headers=headers).status_code == 200
    third.close()
    assert two.other.get("/v1/feed", headers=headers).json()["code"] == "nonce_replayed"


def test_of_requests_that_come_at_once_each_is_taken_by_one_process(two: Two) -> None:
    """They share statements, and both processes have the same ones in another order."""
    both = [two.world.services.nonces, two.second.nonces]
    kid, names = KeyId(b"at-once"), [secrets.token_hex(8) for _ in range(60)]
    start, taken = threading.Barrier(24), []

    def claim(number: int) -> None:
        start.wait()
        for name in names if number % 3 else reversed(names):
            nonces = both[number % 2]
            assert nonces is not None
            if nonces.claim(kid, name, until=NOW + 300, now=NOW):
                taken.append(name)

    threads = [threading.Thread(target=claim, args=(number,)) for number in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(names)


def test_dropped_nonces_are_not_taken_again_when_the_clock_goes_back(two: Two) -> None:
    nonces, others = two.world.services.nonces, two.second.nonces
    assert nonces is not None
    assert others is not None
    kid = KeyId(b"kid")
    assert nonces.claim(kid, "old", until=NOW, now=NOW)
    nonces.drop_old(now=NOW + KEPT_SECONDS + 1)
    others.drop_old(now=NOW)
    with pytest.raises(Unavailable) as caught:
        others.claim(kid, "old", until=NOW, now=NOW)
    assert caught.value.code == "nonce_unknowable"
    assert others.claim(kid, "new", until=NOW + 300, now=NOW)
    beside = two.world.services.database.beside
    assert beside is not None
    with pytest.raises(Unavailable) as caught:  # a process that starts on the clock set back
        SharedNonceCache(beside).claim(kid, "old", until=NOW, now=NOW)
    assert caught.value.code == "nonce_unknowable"


def test_both_write_by_turns_and_the_log_is_one(two: Two) -> None:
    made = [two.bank.seal(two.police) for _ in range(6)]
    answers = [
        put(two, client, one)
        for one, client in zip(made, (two.world.client, two.other) * 3, strict=True)
    ]
    assert {answer.status_code for answer in answers} == {202}
    indexes = [answer.json()["index"] for answer in answers]
    assert indexes == sorted(set(indexes))
    for one, index in zip(made, indexes, strict=True):
        for client in (two.world.client, two.other):
            again = put(two, client, one).json()
            assert again["index"] == index
            # The checkpoint that comes along covers it, whoever stored it.
            assert int(again["checkpoint"].split("\n")[1]) > index
    for services in (two.world.services, two.second):
        assert recompute(services.reader, services.root, LogName.AUDIT) is not None


def test_a_poll_at_one_process_is_woken_by_the_other(two: Two) -> None:
    two.second.jobs.start()
    page = two.police.get("/v1/feed", "after=0&limit=1000").json()
    path, query = "/v1/feed", f"after={page['next']}&feed={page['feed']}&wait=20"
    answers: list[httpx2.Response] = []

    def poll() -> None:
        headers = two.police.headers("GET", path, query=query)
        answers.append(two.other.get(f"{path}?{query}", headers=headers))

    polling = threading.Thread(target=poll)
    polling.start()
    made = two.bank.seal(two.police)
    time.sleep(0.3)
    begun = time.monotonic()
    assert put(two, two.world.client, made).status_code == 202
    polling.join()
    assert time.monotonic() - begun < 10
    assert answers[0].status_code == 200, answers[0].text
    assert [item["bundle"] for item in answers[0].json()["items"]] == [made[0]]


def test_a_commit_is_heard_and_a_broken_connection_is_made_again(two: Two) -> None:
    """What shortens the waiting: not the look that each makes every second anyway."""
    heard = threading.Event()
    listener = Listener(two.world.config.database, [heard.set], name="a-third-process")
    listener.start()
    assert heard.wait(20), "it looks once when it has connected"
    for breaks in (False, True):
        if breaks:
            postgres.shared_server().query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE query LIKE 'LISTEN%' AND datname = current_database()",
                two.world.config.database.rpartition("/")[2],
            )
            heard.clear()
            assert heard.wait(20), "it connects again"
        heard.clear()
        assert put(two, two.other, two.bank.seal(two.police)).status_code == 202
        assert heard.wait(20)
    listener.stop()


def test_a_process_is_not_woken_by_what_it_announced_itself() -> None:
    heard: list[bool] = []
    connected, told = threading.Event(), threading.Event()

    def wake() -> None:
        heard.append(connected.is_set())
        (told if connected.is_set() else connected).set()

    with postgres.fresh_address() as address:
        listener = Listener(address, [wake], name="ours")
        listener.start()
        assert connected.wait(20)
        with psycopg.connect(address, autocommit=True) as connection:
            for name in ("ours", "ours", "theirs"):
                connection.execute(f"NOTIFY accord_hub, '{name}'")
        assert told.wait(20)
        listener.stop()
    assert heard == [False, True], "when it had connected, and for the other process"


def test_both_see_what_was_enrolled_at_one(two: Two) -> None:
    desk = two.world.enrol("third-bank", OrgKind.FINANCIAL)
    headers = desk.headers("GET", "/v1/feed")
    assert two.other.get("/v1/feed", headers=headers).status_code == 200


def test_one_process_at_a_time_asks_the_witnesses_and_the_next_follows() -> None:
    if postgres.server_folder() is None:
        pytest.skip("no PostgreSQL 15 or newer on this machine: not tested on PostgreSQL")
    with postgres.fresh_address() as address:
        first, second = Turn(address, WITNESSES), Turn(address, WITNESSES)
        assert first.is_mine()
        assert not second.is_mine()
        assert first.is_mine()
        # As when its process is killed: the server sees the connection end.
        name = address.rpartition("/")[2]
        postgres.shared_server().query(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'", name
        )
        assert not first.is_mine()
        assert eventually(second.is_mine)
        assert not first.is_mine()
        second.give_up()
        assert eventually(first.is_mine)
        first.give_up()


def test_a_process_that_reads_late_does_not_take_the_witness_for_ahead(two: Two) -> None:
    """The witness has cosigned what another process added after this one had read the head."""
    third = two.world.open_services()
    rounds, head = third.rounds, third.reader.head(LogName.AUDIT)
    assert head is not None
    two.world.witness_round()
    assert put(two, two.world.client, two.bank.seal(two.police)).status_code == 202
    two.world.witness_round()
    with pytest.raises(Unavailable) as caught:
        rounds._ask(LogName.AUDIT, head, rounds._witnesses[0])
    assert caught.value.code == "witness_refused"
    assert third.logs.stopped is None
    third.close()


def test_sqlite_is_served_by_one_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Places.on("sqlite"):
        world = World(tmp_path)
    passphrase = tmp_path / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_bytes(b"of the keys")
    monkeypatch.setenv("ACCORD_PASSPHRASE_FILE", str(passphrase))
    world.lay_keys(b"of the keys")
    words = ["hub", "serve", "--json", "--processes", "2", "--home", str(world.config.home)]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 1
    assert '"processes_need_server"' in done.stdout
    world.close()
