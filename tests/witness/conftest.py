"""A witness with its database on disk, a clock that the test turns, and a log that it follows."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from tests.support.logs import LOG_KEYS, NOW, ORIGIN, WITNESSES

from accord.kernel.tlog.notes import WitnessKeyPair
from accord.witness.app import create_app
from accord.witness.service import LogBook, Witness
from accord.witness.storage import Identity, WitnessDatabase


class TurnedClock:
    """A clock that shows what it is told."""

    def __init__(self) -> None:
        """Start at the tests' present."""
        self.now = NOW

    def __call__(self) -> int:
        return self.now


KEYS: WitnessKeyPair = WITNESSES[0]
IDENTITY = Identity(name=KEYS.name, vkeys=KEYS.vkeys)


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[WitnessDatabase]:
    made = WitnessDatabase.create(tmp_path / "witness.sqlite", IDENTITY)
    yield made
    made.close()


@pytest.fixture
def book(database: WitnessDatabase, clock: TurnedClock) -> LogBook:
    return LogBook(database, clock)


@pytest.fixture
def witness(database: WitnessDatabase, book: LogBook, clock: TurnedClock) -> Witness:
    book.follow(ORIGIN, LOG_KEYS.vkeys)
    return Witness(database, KEYS, clock)


@pytest.fixture
def client(witness: Witness) -> FlaskClient:
    return create_app(witness).test_client()
