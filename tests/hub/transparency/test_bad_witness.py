"""A witness that answers badly, endlessly or not at all never stops the rounds."""

import threading
from collections.abc import Iterator

import httpx2
import pytest
from tests.support.hub_world import World

from accord.hub.services import Services, build_services
from accord.hub.transparency import LogName, WitnessPlace, WitnessRound
from accord.hub.transparency.witnesses import MAX_ANSWER


class BadWitness(httpx2.BaseTransport):
    """Gives one answer to everything, or fails, and counts how often it was asked."""

    def __init__(self, answer: httpx2.Response | Exception) -> None:
        """Answer with ``answer``, or raise it."""
        self.answer = answer
        self.asked = 0
        self.asked_twice = threading.Event()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:  # noqa: ARG002
        self.asked += 1
        if self.asked > 2:
            self.asked_twice.set()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Endless(httpx2.SyncByteStream):
    """Bytes without end, counted."""

    def __init__(self) -> None:
        """Begin with nothing given."""
        self.given = 0

    def __iter__(self) -> Iterator[bytes]:
        """Give kibibyte after kibibyte."""
        while True:
            self.given += 1024
            yield b"x" * 1024


def hub_with(world: World, transport: httpx2.BaseTransport) -> Services:
    world.services.close()
    world.clock.now += 3600
    world.services = build_services(
        world.config,
        root=world.root,
        root_bytes=world.root_bytes,
        keys=world.log_keys,
        clock=world.clock,
        transport=transport,
    )
    return world.services


def test_an_endless_answer_is_cut(world: World) -> None:
    stream = Endless()
    services = hub_with(world, BadWitness(httpx2.Response(200, stream=stream)))
    assert not services.jobs.round(LogName.DIRECTORY)
    assert stream.given <= MAX_ANSWER + 64 * 1024


def test_a_dripping_answer_is_given_up(world: World) -> None:
    world.clock.now += 3600
    stream = Endless()
    transport = BadWitness(httpx2.Response(200, stream=stream))
    with httpx2.Client(transport=transport) as client:
        rounds = WitnessRound(
            reader=world.services.reader,
            writer=world.services.writer,
            witnesses=[WitnessPlace(name=world.witness_keys.name, url="http://witness.test")],
            policies={name: world.root.log_policy(name) for name in LogName},
            client=client,
            clock=world.clock,
            answer_seconds=0.0,
        )
        assert not rounds.run(LogName.DIRECTORY)
    assert stream.given <= 1024


@pytest.mark.parametrize("size", [b"", b"-1", b"one", b"9" * 5000])
def test_a_senseless_size_is_passed_over(world: World, size: bytes) -> None:
    services = hub_with(world, BadWitness(httpx2.Response(409, content=size)))
    assert not services.jobs.round(LogName.DIRECTORY)


def test_an_address_that_cannot_be_asked_is_passed_over(world: World) -> None:
    services = hub_with(world, BadWitness(httpx2.InvalidURL("no such place")))
    assert not services.jobs.round(LogName.DIRECTORY)


def test_an_error_that_nobody_foresaw_does_not_end_the_rounds(world: World) -> None:
    witness = BadWitness(RuntimeError("unforeseen"))
    services = hub_with(world, witness)
    services.jobs.start()
    assert witness.asked_twice.wait(20)
