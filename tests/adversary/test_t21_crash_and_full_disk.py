"""T21: processes are killed, disks fill up, clocks are wrong. Nothing acknowledged is lost."""

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest
import sqlalchemy as sa
import structlog
from click.testing import CliRunner
from tests.desk.conftest import records_of
from tests.desk.test_commands import Live, enrolled
from tests.desk.test_commands import _serve as serve_hub
from tests.desk.wire import DeskAt, plan
from tests.support import hub_world
from tests.support.hub_world import BTC, Desk, World
from tests.support.light_keys import save_light_keys
from waitress.server import create_server

from accord.cli.main import main
from accord.clock import system_clock
from accord.desk.storage.bundles import list_bundles
from accord.hub.storage import Writer, open_database
from accord.hub.storage.bodies import INLINE_LIMIT, BodyStore
from accord.kernel.directory.rootfile import LogName
from accord.kernel.errors import Unavailable
from accord.kernel.identifiers import BundleId
from accord.kernel.markings import OrgKind
from accord.protocol.paths import BUNDLE_TYPE

PASSPHRASE = b"a passphrase for the killed"
BUNDLES = 40


@dataclass
class Killable:
    """`accord hub serve` as a process of its own, over a home that a world has made."""

    home: Path
    environment: dict[str, str]
    process: subprocess.Popen[str] | None = None
    url: str = ""

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "accord", "hub", "serve", "--json", "--home", str(self.home)],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        self.url = json.loads(self.process.stdout.readline())["url"]

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            assert self.process.wait(10) == -signal.SIGKILL
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None

    def send(
        self, method: str, path: str, sender: Desk, body: bytes | None = None
    ) -> httpx2.Response:
        kind = None if body is None else BUNDLE_TYPE
        host = self.url.removeprefix("http://")
        path, _, query = path.partition("?")
        headers = sender.headers(
            method,
            path,
            query=query,
            body=body,
            content_type=kind,
            authority=host,
            now=system_clock(),
        )
        url = f"{self.url}{path}" + (f"?{query}" if query else "")
        return httpx2.request(method, url, headers=headers, content=body, timeout=20)

    def stored(self) -> int:
        """Return how many bundles are committed, read beside the process."""
        engine = sa.create_engine(f"sqlite:///file:{self.home / 'hub.db'}?mode=ro&uri=true")
        with engine.connect() as connection:
            count = connection.scalar(sa.text("SELECT count(*) FROM bundles"))
        engine.dispose()
        return int(count or 0)


@dataclass
class Installation:
    """A hub to be killed, a sender, a reader, and bundles that are sealed already."""

    hub: Killable
    sender: Desk
    reader: Desk
    bundles: list[tuple[BundleId, bytes]]
    acknowledged: dict[BundleId, int] = field(default_factory=dict)


def witness_server() -> tuple[object, str]:
    server = create_server(lambda _e, _s: [b""], host="127.0.0.1", port=0, threads=2)
    return server, f"http://127.0.0.1:{server.effective_port}"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("killed")
    server, url = witness_server()
    world = World(folder, witness_url=url)
    world.clock.now = system_clock()
    world.witness_round()
    sender = world.enrol("first-bank", OrgKind.FINANCIAL)
    reader = world.enrol("police", OrgKind.LAW_ENFORCEMENT)
    large = [f"shop{secrets.token_hex(20)}.evil-example.org" for _ in range(9000)]
    bundles = [sender.seal(reader, values=large if at == 0 else [BTC]) for at in range(BUNDLES)]
    home = world.config.home
    world.services.close()
    world.client.close()
    keys = {}
    for name, pair in world.log_keys.items():
        keys |= {f"{name}.ed25519": pair.ed25519_seed, f"{name}.mldsa44": pair.mldsa44_seed}
    save_light_keys(home / "keys.accord", keys, PASSPHRASE)
    (home / "root.json").write_bytes(world.root_bytes)
    settings = (home / "hub.toml").read_text().replace("port = 8600", "port = 0")
    (home / "hub.toml").write_text(settings)
    passphrase = folder / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_bytes(PASSPHRASE)
    server.application = world.witness_app  # type: ignore[attr-defined]
    loop = threading.Thread(target=server.run, daemon=True)  # type: ignore[attr-defined]
    loop.start()
    environment = {
        "PYTHONPATH": str(Path(__file__).resolve().parents[2] / "platform"),
        "ACCORD_PASSPHRASE_FILE": str(passphrase),
        "PATH": os.environ.get("PATH", ""),
    }
    made = Installation(
        hub=Killable(home=home, environment=environment),
        sender=sender,
        reader=reader,
        bundles=bundles,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACCORD_PASSPHRASE_FILE", str(passphrase))
        yield made
    made.hub.kill()
    server.close()  # type: ignore[attr-defined]
    loop.join(5)
    world.witness_database.close()


def put(installed: Installation, at: int) -> httpx2.Response:
    bundle_id, raw = installed.bundles[at]
    return installed.hub.send("PUT", f"/v1/bundles/{bundle_id}", installed.sender, raw)


def check(installed: Installation) -> None:
    """Every acknowledged bundle is there at its place; the log is whole; each is delivered once."""
    for bundle_id, index in installed.acknowledged.items():
        at = next(at for at, one in enumerate(installed.bundles) if one[0] == bundle_id)
        again = put(installed, at)
        assert (again.status_code, again.json()["index"]) == (202, index)
    page = installed.hub.send("GET", "/v1/feed?after=0&limit=1000", installed.reader).json()
    delivered = [item["bundle"] for item in page["items"]]
    assert len(delivered) == len(set(delivered))
    assert set(installed.acknowledged) <= set(delivered)
    done = CliRunner().invoke(main, ["hub", "check", "--json", "--home", str(installed.hub.home)])
    assert done.exit_code == 0, done.stdout


def test_what_was_acknowledged_outlives_kills_of_the_hub(installed: Installation) -> None:
    """Killed between commit and answer, then under load, then run to the end of all sending.

    The first bundle is large: its body is a file beside the database.
    """
    hub, acknowledged, lock = installed.hub, installed.acknowledged, threading.Lock()
    waiting = list(range(1, BUNDLES))

    def send(at: int) -> bool:
        try:
            answer = put(installed, at)
        except httpx2.HTTPError:
            return False
        if answer.status_code == 202:
            acknowledged[installed.bundles[at][0]] = answer.json()["index"]
        return answer.status_code == 202

    def work() -> None:
        while waiting:
            with lock:
                at = waiting.pop() if waiting else 0
            if not send(at):
                waiting.append(at)
                return

    hub.start()
    sending = threading.Thread(target=send, args=(0,))
    sending.start()
    while hub.stored() == 0 and sending.is_alive():
        sending.join(0.001)
    hub.kill()
    sending.join()
    acknowledged.clear()  # as if the answer was never heard
    hub.start()
    assert send(0)
    assert hub.stored() == 1
    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    while len(acknowledged) < BUNDLES // 2 and workers[0].is_alive():
        workers[0].join(0.002)
    hub.kill()
    for worker in workers:
        worker.join()
    hub.start()
    work()
    assert len(acknowledged) == BUNDLES
    check(installed)
    hub.kill()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few megabytes, and the means to fill it."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    options = ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(place)]
    if subprocess.run(options, capture_output=True, check=False).returncode != 0:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=False)


def fill(place: Path) -> Path:
    filler = place / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(65_536)):
                pass
            while file.write(b"0"):
                pass
        except OSError:
            pass
    return filler


def test_a_full_disk_of_the_hub_refuses_clearly_and_loses_nothing(small_disk: Path) -> None:
    world = World(small_disk)
    sender = world.enrol("first-bank", OrgKind.FINANCIAL)
    reader = world.enrol("police", OrgKind.LAW_ENFORCEMENT)
    kept, raw = sender.seal(reader)
    assert sender.put_bundle(raw, kept).status_code == 202
    large = [f"shop{secrets.token_hex(24)}.evil-example.org" for _ in range(9000)]
    later = [sender.seal(reader), sender.seal(reader, values=large)]
    assert len(later[1][1]) > INLINE_LIMIT
    filler = fill(small_disk)
    for bundle_id, bundle in later:
        answer = sender.put_bundle(bundle, bundle_id)
        assert (answer.status_code, answer.json()["code"]) == (503, "storage_failed")
        assert answer.headers["Retry-After"]
    assert [path for path in world.config.bodies.rglob("*") if path.is_file()] == []
    filler.unlink()
    for bundle_id, bundle in [*later, (kept, raw)]:
        assert sender.put_bundle(bundle, bundle_id).status_code == 202
    assert len(reader.deliveries()) == 3
    world.close()


def test_a_full_disk_of_a_desk_stops_clearly_and_goes_on_later(
    world: World, police: DeskAt, small_disk: Path
) -> None:
    bank = DeskAt(world, small_disk / "bank", "small-bank", OrgKind.FINANCIAL, "NL")
    values = [f"shop{number}.evil-example.org" for number in range(50)]
    filler = fill(small_disk)
    with pytest.raises(Unavailable) as caught, bank.open() as desk:
        desk.submissions.send(plan(world, police.org), records_of(values))
    assert caught.value.code == "vault_full", caught.value
    filler.unlink()
    with bank.open() as desk:
        report = desk.submissions.send(plan(world, police.org), records_of(values))
        assert report.complete
        assert sum(bundle.n for bundle in list_bundles(desk.vault)) == len(values)
    with police.open() as desk:
        assert desk.pull.pull(retention_days=30).records == len(values)


def test_bodies_that_come_twice_at_once_are_whole(tmp_path: Path) -> None:
    """A client that gave up sends the same large bundle again while the first is being written."""
    store = BodyStore(tmp_path / "bodies")
    data = secrets.token_bytes(3 * INLINE_LIMIT)
    errors: list[BaseException] = []
    names: set[str] = set()

    def write() -> None:
        try:
            names.add(store.put(data, now=hub_world.NOW))
        except OSError as error:
            errors.append(error)

    for _ in range(5):
        workers = [threading.Thread(target=write) for _ in range(8)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        (name,) = names
        assert errors == []
        assert store.get(name) == data
        assert len([path for path in (tmp_path / "bodies").rglob("*") if path.is_file()]) == 1
        store.delete(name)


class Broken:
    """A participant of the writer that fails in a way that nobody foresaw."""

    def __init__(self) -> None:
        """Fail once."""
        self.left = 1

    def begin(self, connection: object) -> None: ...

    def mark(self) -> object: ...

    def rewind(self, mark: object) -> None: ...

    def before_commit(self, _connection: object) -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyError

    def after_commit(self) -> None: ...

    def after_rollback(self) -> None: ...


@pytest.mark.timeout(20)
def test_an_unforeseen_error_stops_one_commit_and_not_the_writer(tmp_path: Path) -> None:
    database = open_database(tmp_path / "hub.db")
    writer = Writer(database.writing, [Broken()])
    with pytest.raises(Unavailable) as caught:
        writer.run(lambda _: 1)
    assert caught.value.code == "storage_failed"
    assert writer.run(lambda _: 2) == 2
    writer.close()
    with pytest.raises(Unavailable):
        writer.run(lambda _: 3)
    database.close()


CLOCKS: dict[int, str] = {-3600: "signature_old", 3600: "clock_skew", -86_400: "signature_old"}


@pytest.mark.parametrize("skew", CLOCKS)
def test_a_desk_with_a_wrong_clock_is_told(world: World, mallory: Desk, skew: int) -> None:
    headers = mallory.headers("GET", "/v1/feed", now=world.clock() + skew)
    answer = world.client.get("/v1/feed", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, CLOCKS[skew])
    assert "clock" in answer.json()["next_step"]


def test_the_logs_do_not_go_back_with_the_hubs_clock(world: World) -> None:
    sizes = []
    for step in (0, -86_400, 86_400):
        world.clock.now += step
        world.services.enrolments.invite(f"x{len(sizes)}", OrgKind.NGO, now=world.clock())
        head = world.services.reader.head(LogName.AUDIT)
        assert head is not None
        sizes.append(head.size)
    assert sizes == sorted(set(sizes))


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    (tmp_path / "hub-side").mkdir()
    passphrase = tmp_path / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_bytes(PASSPHRASE)
    with (tmp_path / "hub.log").open("w") as log, pytest.MonkeyPatch.context() as patch:
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(file=log))
        patch.setattr(hub_world, "NOW", system_clock())
        patch.setattr(hub_world, "MovingClock", lambda: system_clock)
        patch.setenv("ACCORD_PASSPHRASE_FILE", str(passphrase))
        yield from serve_hub(tmp_path / "hub-side")
        structlog.reset_defaults()


def test_a_submit_killed_anywhere_is_taken_up_and_doubles_nothing(
    live: Live, tmp_path: Path, project: Path
) -> None:
    """Killed after it sealed, again after the hub took it; then run to its end."""
    schemas = project / "schemas" / "cli"
    bank = enrolled(live, tmp_path / "bank", schemas, "first-bank", OrgKind.FINANCIAL)
    police = enrolled(live, tmp_path / "police", schemas, "police", OrgKind.LAW_ENFORCEMENT)
    values = [f"shop{number}.evil-example.org" for number in range(500)]
    export = tmp_path / "export.csv"
    export.write_text("\n".join(["domain", *values]) + "\n")
    words = [
        *("submit", str(export), "--to", "police", "--tlp", "amber"),
        *("--purpose", "suspicion-report"),
    ]
    command = [sys.executable, "-m", "accord", *words, "--json", "--home", str(bank.home)]
    environment = {
        "PYTHONPATH": str(project / "platform"),
        "ACCORD_PASSPHRASE_FILE": str(tmp_path / "passphrase"),
    }
    taken = sa.text("SELECT count(*) FROM bundles")

    def at_the_hub() -> bool:
        with live.world.services.database.reading.connect() as connection:
            return bool(connection.scalar(taken))

    def sealed() -> bool:
        return any((bank.home / "outbox").glob("*.asb"))

    for moment in (sealed, at_the_hub):
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while not moment() and process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    done = CliRunner().invoke(main, [*words, "--json", "--home", str(bank.home)])
    data = json.loads(done.stdout)
    if data["bundles"]:
        assert done.exit_code == 0, done.stderr
        (part,) = data["bundles"]
        assert (part["state"], Path(part["receipt"]).is_file()) == ("receipted", True)
    else:
        # On a busy machine the second run was through before the signal reached it.
        assert (done.exit_code, data["totals"]["duplicate"]) == (1, len(values))
    assert police.run("pull")["records"] == len(values)
    assert len(bank.run("inbox", "--sent")["items"]) == 1
