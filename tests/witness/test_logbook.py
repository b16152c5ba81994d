"""Which logs a witness follows, and to whom its state belongs."""

import sqlite3
from pathlib import Path

import pytest
from tests.support.logs import LOG_KEYS, NOW, ORIGIN, WITNESSES, MadeLog, numbered, seed
from tests.witness.conftest import IDENTITY, KEYS, TurnedClock

from accord.kernel.errors import AccordError, Conflict, Malformed, Refused, VerificationFailed
from accord.kernel.tlog.notes import LogKeyPair
from accord.kernel.tlog.submission import format_submission
from accord.witness.config import MAX_LOGS
from accord.witness.service import LogBook, Witness
from accord.witness.storage import MAX_EVIDENCE, Head, WitnessDatabase, WitnessedLog


def test_a_log_is_added_once_and_its_keys_never_change(book: LogBook) -> None:
    assert book.follow(ORIGIN, LOG_KEYS.vkeys)
    assert not book.follow(ORIGIN, LOG_KEYS.vkeys[::-1])
    with pytest.raises(Conflict) as caught:
        book.follow(ORIGIN, LogKeyPair(ORIGIN, seed(3), seed(4)).vkeys)
    assert caught.value.code == "log_keys_differ"
    assert [log.origin for log in book.logs()] == [ORIGIN]


@pytest.mark.parametrize(
    ("origin", "vkeys"),
    [
        (ORIGIN, []),
        (ORIGIN, [LOG_KEYS.vkeys[0]] * 2),
        (ORIGIN, WITNESSES[0].vkeys),
        ("other.example", LOG_KEYS.vkeys),
        ("two words", LOG_KEYS.vkeys),
        (ORIGIN, ["x"]),
        (ORIGIN, [LogKeyPair(ORIGIN, seed(n), seed(9)).vkeys[0] for n in range(9)]),
    ],
)
def test_keys_that_are_not_those_of_the_log_are_refused(
    book: LogBook, origin: str, vkeys: list[str]
) -> None:
    with pytest.raises(Malformed):
        book.follow(origin, vkeys)
    assert book.logs() == []


def test_a_running_log_can_be_pinned(
    book: LogBook, database: WitnessDatabase, clock: TurnedClock
) -> None:
    log = MadeLog().append(numbered(300))
    pin = log.sign()
    with pytest.raises(VerificationFailed):
        book.follow(
            ORIGIN, LOG_KEYS.vkeys, pin=MadeLog(LogKeyPair(ORIGIN, seed(7), seed(8))).sign()
        )
    assert book.logs() == []
    book.follow(ORIGIN, LOG_KEYS.vkeys, pin=pin)
    witness = Witness(database, KEYS, clock)
    other = MadeLog().append(numbered(600, start=1))
    with pytest.raises(AccordError) as caught:
        witness.add_checkpoint(format_submission(0, [], other.sign()))
    assert caught.value.code == "witness_size_differs"
    log.append(numbered(300, start=300))
    assert witness.add_checkpoint(format_submission(300, log.consistency(300), log.sign()))
    with pytest.raises(Conflict) as late:
        book.follow(ORIGIN, LOG_KEYS.vkeys, pin=pin)
    assert late.value.code == "log_pinned_late"


def test_a_pinned_head_is_not_shown_as_cosigned(
    book: LogBook, database: WitnessDatabase, clock: TurnedClock
) -> None:
    book.follow(ORIGIN, LOG_KEYS.vkeys, pin=MadeLog().append(numbered(3)).sign())
    (log,) = book.logs()
    with pytest.raises(AccordError):
        Witness(database, KEYS, clock).last_checkpoint(log.origin_sha256)


def test_state_survives_and_belongs_to_one_key(tmp_path: Path, clock: TurnedClock) -> None:
    path = tmp_path / "witness.sqlite"
    made = WitnessDatabase.create(path, IDENTITY)
    LogBook(made, clock).follow(ORIGIN, LOG_KEYS.vkeys)
    log = MadeLog().append(numbered(9))
    Witness(made, KEYS, clock).add_checkpoint(format_submission(0, [], log.sign()))
    made.close()
    assert path.stat().st_mode & 0o077 == 0
    again = WitnessDatabase.open(path)
    assert Witness(again, KEYS, clock).book.head(ORIGIN) is not None
    with pytest.raises(Refused) as caught:
        Witness(again, WITNESSES[1], clock)
    assert caught.value.code == "witness_state_other"
    again.close()


def test_lost_or_strange_state_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        WitnessDatabase.open(tmp_path / "missing.sqlite")
    assert caught.value.code == "witness_state_missing"
    (tmp_path / "noise.sqlite").write_bytes(b"x" * 4096)
    sqlite3.connect(tmp_path / "empty.sqlite").execute("VACUUM").connection.close()
    (tmp_path / "zero.sqlite").touch()
    for name in ("noise", "empty", "zero"):
        with pytest.raises(Refused) as caught:
            WitnessDatabase.open(tmp_path / f"{name}.sqlite")
        assert caught.value.code == "witness_state_unknown"


def test_state_is_made_once(tmp_path: Path) -> None:
    WitnessDatabase.create(tmp_path / "witness.sqlite", IDENTITY).close()
    with pytest.raises(Conflict):
        WitnessDatabase.create(tmp_path / "witness.sqlite", IDENTITY)


def test_logs_and_evidence_are_bounded(book: LogBook, database: WitnessDatabase) -> None:
    book.follow(ORIGIN, LOG_KEYS.vkeys)
    with database.transaction() as transaction:
        for number in range(MAX_EVIDENCE + 5):
            head = Head(size=number, root=bytes(32), note=b"", time=NOW)
            transaction.add_evidence(ORIGIN, head)
        for number in range(MAX_LOGS - 1):
            log = WitnessedLog(origin=f"log{number}.example", vkeys=("x",))
            assert transaction.add_log(log, now=NOW)
    assert len(book.evidence(ORIGIN)) == MAX_EVIDENCE
    other = LogKeyPair("other.example", seed(0), seed(1))
    with pytest.raises(Refused) as caught:
        book.follow(other.name, other.vkeys)
    assert caught.value.code == "too_many_logs"
