"""T22: a witness lies, babbles or is not there. It can stop receipts, it cannot make a log true."""

import resource
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from tests.support.hub_world import Desk, World
from tests.support.lies import gzipped_zeros

from accord.kernel.directory.rootfile import LogName
from accord.kernel.markings import OrgKind
from accord.kernel.tlog.notes import WitnessKeyPair, parse_note
from accord.kernel.tlog.treehead import parse_checkpoint


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("hub")
    made = World(folder)
    yield made
    made.close()


class Liar(httpx2.BaseTransport):
    """Answers each request for a cosignature in its own way."""

    def __init__(self, world: World, status: int, body: bytes, **headers: str) -> None:
        """Answer with ``status`` and ``body``; ``forge`` instead of a body signs what it likes."""
        self.world, self.status, self.body, self.headers = world, status, body, headers

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        note = request.read().partition(b"\n\n")[2]
        body = self.body
        if body == b"forge":
            pair = WitnessKeyPair.generate(self.world.witness_keys.name)
            body = pair.cosign(parse_checkpoint(parse_note(note).body), self.world.clock())
        if body == b"other":
            other = self.world.services.reader.head(LogName.DIRECTORY)
            assert other is not None
            point = parse_checkpoint(parse_note(other.note).body)
            body = self.world.witness_keys.cosign(point, self.world.clock())
        return httpx2.Response(self.status, headers=self.headers, stream=httpx2.ByteStream(body))


def grow(world: World) -> None:
    Desk(name="x", kind=OrgKind.NGO, world=world)
    name = f"n{world.services.reader.head(LogName.AUDIT).size}"  # type: ignore[union-attr]
    world.services.enrolments.invite(name, OrgKind.NGO, now=world.clock())


def ask(world: World, liar: Liar) -> bool:
    rounds = world.services.jobs._rounds
    rounds._client = httpx2.Client(transport=liar)
    rounds._seen.clear()
    grow(world)
    try:
        return world.services.jobs.round(LogName.AUDIT)
    finally:
        rounds._client.close()


BABBLE = {
    "nothing": (200, b""),
    "no signature": (200, b"hello\n"),
    "a line of rubbish": (200, b"\xe2\x80\x94 ngo.test/witness AAAA\n"),
    "not text": (200, bytes(range(256))),
    "keys that are not its own": (200, b"forge"),
    "its true keys, over another log": (200, b"other"),
    "a size below zero": (409, b"-5\n"),
    "a size that is no number": (409, b"many\n"),
    "a size with an underscore": (409, b"1_0\n"),
    "a size in other digits": (409, "٣\n".encode()),
    "an error": (500, b""),
    "away": (302, b""),
}


@pytest.mark.parametrize("name", BABBLE)
def test_babble_gives_no_quorum_and_does_not_stop_the_hub(world: World, name: str) -> None:
    status, body = BABBLE[name]
    before = world.services.reader.cosigned(LogName.AUDIT)
    assert ask(world, Liar(world, status, body)) is False
    assert world.services.reader.cosigned(LogName.AUDIT) == before


def test_an_endless_answer_is_cut_off(world: World) -> None:
    bomb = gzipped_zeros(200)
    headers = {"Content-Encoding": "gzip"}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert ask(world, Liar(world, 200, bomb, **headers)) is False
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024


@pytest.mark.parametrize("status", [409, 422], ids=["a longer log", "another log"])
def test_a_claim_without_proof_stops_nothing(world: World, status: int) -> None:
    """Only a checkpoint under the hub's own keys proves that this database is an older copy."""
    assert ask(world, Liar(world, status, b"1000000\n")) is False
    assert world.services.logs.stopped is None
