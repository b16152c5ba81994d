"""What is wrong with a witness's installation, and how to mend it."""

from functools import partial

from accord.clock import Clock
from accord.config import read_passphrase
from accord.findings import (
    Finding,
    attempt,
    examine_cryptography,
    examine_disk_speed,
    examine_modes,
    examine_passphrase_file,
    examine_room,
)
from accord.kernel.errors import Conflict, Refused
from accord.witness.cli.identity import load_witness_keys
from accord.witness.config import WitnessConfig
from accord.witness.service import LogBook, Witness
from accord.witness.storage import WitnessDatabase


def examine_witness(config: WitnessConfig, *, clock: Clock) -> list[Finding]:
    """Return the findings about the witness of ``config``."""
    findings = examine_modes([config.home, config.keys, config.database])
    findings += [
        examine_passphrase_file(),
        examine_cryptography(),
        attempt("state", lambda: _state(config)),
        attempt("keys", lambda: _keys(config, clock)),
        *_logs(config, clock),
        examine_room(config.home),
        examine_disk_speed(config.home),
    ]
    return findings


def _state(config: WitnessConfig) -> str:
    database = WitnessDatabase.open(config.database)
    database.close()
    return f"of {database.identity.name}"


def _keys(config: WitnessConfig, clock: Clock) -> str:
    passphrase = read_passphrase()
    if passphrase is None:
        return "not opened: no passphrase file is set"
    keys = load_witness_keys(config.keys, passphrase)
    database = WitnessDatabase.open(config.database)
    try:
        Witness(database, keys, clock)
    finally:
        database.close()
    return "opened; the state is theirs"


def _logs(config: WitnessConfig, clock: Clock) -> list[Finding]:
    try:
        database = WitnessDatabase.open(config.database)
    except Refused:
        return []
    try:
        book = LogBook(database, clock)
        return [
            attempt(f"log {one.origin}", partial(_log, book, one.origin)) for one in book.logs()
        ]
    finally:
        database.close()


def _log(book: LogBook, origin: str) -> str:
    head, forks = book.head(origin), len(book.evidence(origin))
    if forks:
        raise Conflict(
            "log_forked",
            "The log's keys have signed two histories; the proof is kept here.",
            observed=f"{forks} contradicting checkpoints",
            next_step="Publish them; see the runbook on log disagreement.",
        )
    return f"{head.size} entries cosigned" if head else "nothing cosigned yet"
