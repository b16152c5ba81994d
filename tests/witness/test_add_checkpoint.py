"""The protocol's status table, over WSGI, and the promise behind it: state never goes back."""

import hashlib
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.logs import LOG_KEYS, NOW, ORIGIN, MadeLog, numbered, seed
from tests.witness.conftest import KEYS, TurnedClock

from accord.kernel.errors import AccordError, Unavailable, VerificationFailed
from accord.kernel.tlog.checkpoint import (
    Checkpoint,
    add_cosignatures,
    open_cosigned,
    verify_cosigned,
)
from accord.kernel.tlog.notes import LogKeyPair, parse_note, parse_signature_lines
from accord.kernel.tlog.policy import make_policy
from accord.kernel.tlog.submission import format_submission
from accord.witness.service import StaleSize, Witness
from accord.witness.storage import WitnessDatabase

POLICY = make_policy(LOG_KEYS.vkeys, [KEYS.vkeys], quorum=1)
LOG_300 = MadeLog().append(numbered(300))
NOTE_300 = LOG_300.sign()
PLACE = f"/{hashlib.sha256(ORIGIN.encode()).hexdigest()}/checkpoint"


def first(log: MadeLog) -> bytes:
    return format_submission(0, [], log.sign())


def test_a_growing_log_is_cosigned_step_by_step(client: FlaskClient) -> None:
    log = MadeLog()
    last = 0
    for size in (0, 1, 255, 256, 256, 300, 1000):
        log.append(numbered(size - log.edge.size, start=log.edge.size))
        answer = client.post(
            "/add-checkpoint", data=format_submission(last, log.consistency(last), log.sign())
        )
        assert answer.status_code == 200, answer.data
        assert len(parse_signature_lines(answer.data)) == 2
        note = add_cosignatures(log.files["checkpoint"], answer.data)
        assert verify_cosigned(note, POLICY, now=NOW, max_age=0) == log.checkpoint
        assert client.get(PLACE).data == note
        last = size


def test_the_same_tree_again_gets_a_fresh_time(client: FlaskClient, clock: TurnedClock) -> None:
    client.post("/add-checkpoint", data=first(LOG_300))
    clock.now += 100
    answer = client.post("/add-checkpoint", data=format_submission(300, [], NOTE_300))
    opened = open_cosigned(add_cosignatures(NOTE_300, answer.data), POLICY)
    assert set(opened.times.values()) == {NOW + 100}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "submission_malformed"),
        (b"old 0\n", "submission_malformed"),
        (first(LOG_300).replace(b"old 0", b"old 00"), "submission_malformed"),
        (first(LOG_300).replace(b"old 0", b"old 301"), "submission_malformed"),
        (first(LOG_300).replace(b"old 0\n", b"old 0\n" + (b"A" * 43 + b"=\n") * 64), "submission_malformed"),
        (first(LOG_300).replace(b"old 0\n", b"old 0\nAAAA\n"), "base64_invalid"),
        (first(LOG_300).replace(b"\n300\n", b"\n0300\n"), "checkpoint_malformed"),
        (first(LOG_300).replace(b"\n\n\xe2", b"\nextension\n\n\xe2"), "checkpoint_extension"),
        (first(LOG_300)[:-1], "note_malformed"),
    ],
)  # fmt: skip
def test_malformed_requests_are_400(client: FlaskClient, body: bytes, code: str) -> None:
    answer = client.post("/add-checkpoint", data=body)
    assert (answer.status_code, answer.json["code"]) == (400, code)


def test_an_unknown_log_is_404(client: FlaskClient) -> None:
    other = MadeLog(LogKeyPair("other.example/audit", seed(0), seed(1)))
    answer = client.post("/add-checkpoint", data=first(other))
    assert (answer.status_code, answer.json["code"]) == (404, "log_unknown")


def test_anything_but_all_of_the_logs_signatures_is_403(client: FlaskClient) -> None:
    parsed = parse_note(NOTE_300)
    thief = MadeLog(LogKeyPair(ORIGIN, seed(1), seed(2))).append(numbered(300)).sign()
    notes = [
        *(parsed.body + b"\n" + line.line() for line in parsed.signatures),
        thief,
        NOTE_300.replace(b"\n300\n", b"\n301\n", 1),
        NOTE_300 + parsed.signatures[0].line(),
    ]
    for note in notes:
        answer = client.post("/add-checkpoint", data=format_submission(0, [], note))
        assert (answer.status_code, answer.json["code"]) == (403, "log_signature_refused")
    assert client.get(PLACE).status_code == 404


def test_another_old_size_is_409_with_the_size(client: FlaskClient) -> None:
    too_far = client.post("/add-checkpoint", data=format_submission(5, [], NOTE_300))
    assert (too_far.status_code, too_far.data) == (409, b"0\n")
    client.post("/add-checkpoint", data=first(LOG_300))
    for old in (0, 299):
        answer = client.post("/add-checkpoint", data=format_submission(old, [], NOTE_300))
        assert (answer.status_code, answer.data) == (409, b"300\n")
        assert answer.headers["Content-Type"] == "text/x.tlog.size"
    smaller = MadeLog().append(numbered(200))
    answer = client.post("/add-checkpoint", data=format_submission(200, [], smaller.sign()))
    assert (answer.status_code, answer.data) == (409, b"300\n")


def test_what_does_not_continue_is_422(client: FlaskClient) -> None:
    bad_empty = Checkpoint(origin=ORIGIN, size=0, root=bytes(32))
    cases = [
        format_submission(0, [], LOG_KEYS.sign(bad_empty, NOW)),
        format_submission(0, [bytes(32)], NOTE_300),
    ]
    for body in cases:
        assert client.post("/add-checkpoint", data=body).status_code == 422
    assert client.post("/add-checkpoint", data=first(LOG_300)).status_code == 200
    grown = MadeLog().append(numbered(300)).append(numbered(300, start=300))
    forked = MadeLog().append(numbered(600, start=1))
    path = grown.consistency(300)
    for body in (
        format_submission(300, path[:-1], grown.sign()),
        format_submission(300, [], grown.sign()),
        format_submission(300, path, forked.sign()),
        format_submission(300, [bytes(32)], NOTE_300),
    ):
        answer = client.post("/add-checkpoint", data=body)
        assert (answer.status_code, answer.json["code"]) == (422, "consistency_wrong")
    assert b"\n300\n" in client.get(PLACE).data


def test_two_trees_of_one_size_are_422_and_kept_as_evidence(
    client: FlaskClient, witness: Witness
) -> None:
    client.post("/add-checkpoint", data=first(LOG_300))
    fork = MadeLog().append(numbered(300, start=1)).sign()
    for _ in range(2):
        answer = client.post("/add-checkpoint", data=format_submission(300, [], fork))
        assert (answer.status_code, answer.json["code"]) == (422, "log_forked")
    (kept,) = witness.book.evidence(ORIGIN)
    assert parse_note(kept.note) == parse_note(fork)
    assert b"\n300\n" in client.get(PLACE).data


def test_a_clock_that_went_back_stops_cosigning(client: FlaskClient, clock: TurnedClock) -> None:
    client.post("/add-checkpoint", data=first(LOG_300))
    clock.now -= 1
    answer = client.post("/add-checkpoint", data=format_submission(300, [], NOTE_300))
    assert (answer.status_code, answer.json["code"]) == (503, "clock_went_back")
    assert "Retry-After" in answer.headers
    clock.now += 1
    assert (
        client.post("/add-checkpoint", data=format_submission(300, [], NOTE_300)).status_code == 200
    )


def test_a_body_that_is_too_long_is_413_and_other_paths_are_404(client: FlaskClient) -> None:
    assert client.post("/add-checkpoint", data=b"x" * 300_000).status_code == 413
    assert client.get("/add-checkpoint").status_code == 405
    assert client.get("/nothing").status_code == 404
    assert client.get(f"/{'0' * 64}/checkpoint").status_code == 404
    assert client.get("/healthz").status_code == client.get("/readyz").status_code == 200


def test_lines_of_other_keys_are_not_passed_on(client: FlaskClient) -> None:
    note = NOTE_300 + "— grease.example AAAAAAECAwQF\n".encode()
    answer = client.post("/add-checkpoint", data=format_submission(0, [], note))
    assert answer.status_code == 200
    assert b"grease" not in client.get(PLACE).data


@given(data=st.binary(max_size=200) | st.binary(max_size=30).map(lambda x: x + b"\n\n" + NOTE_300))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
def test_no_request_of_a_stranger_breaks_it(client: FlaskClient, data: bytes) -> None:
    assert client.post("/add-checkpoint", data=data).status_code in {200, 400, 403, 404, 409, 422}


def test_of_many_at_once_each_size_is_cosigned_for_one_tree_and_the_largest_stays(
    witness: Witness,
) -> None:
    left, right = MadeLog(), MadeLog()
    left.append(numbered(10))
    right.append(numbered(10))
    witness.add_checkpoint(first(left))
    left.append([b"left"] * 5)
    right.append([b"right"] * 5)
    bodies = [format_submission(10, log.consistency(10), log.sign()) for log in (left, right)] * 20

    def submit(body: bytes) -> bytes | str:
        try:
            return witness.add_checkpoint(body)
        except AccordError as error:
            return error.code

    with ThreadPoolExecutor(max_workers=8) as pool:
        answers = list(pool.map(submit, bodies))
    signed = [index for index, answer in enumerate(answers) if isinstance(answer, bytes)]
    assert len(signed) == 1
    assert {answer for answer in answers if isinstance(answer, str)} == {"witness_size_differs"}


def test_a_race_of_two_sizes_never_rolls_back(witness: Witness) -> None:
    log = MadeLog().append(numbered(10))
    witness.add_checkpoint(first(log))
    bodies = []
    for _ in range(8):
        log.append(numbered(1, start=log.edge.size))
        bodies.append(format_submission(10, log.consistency(10), log.sign()))

    def submit(body: bytes) -> int | None:
        try:
            witness.add_checkpoint(body)
        except StaleSize as error:
            return error.size
        return None

    with ThreadPoolExecutor(max_workers=8) as pool:
        told = [size for size in pool.map(submit, bodies) if size is not None]
    head = witness.book.head(ORIGIN)
    assert head is not None
    assert len(told) == 7
    assert set(told) == {head.size}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE head SET size = 299",
        "UPDATE head SET root = zeroblob(32)",
        "UPDATE head SET time = time - 1",
        "UPDATE head SET origin = 'other'",
        "DELETE FROM head",
        "UPDATE log SET vkeys = ''",
        "DELETE FROM log",
        "INSERT INTO identity VALUES (2, 'x', 'y')",
    ],
)
def test_the_database_itself_refuses_to_go_back(
    client: FlaskClient, tmp_path: Path, statement: str
) -> None:
    client.post("/add-checkpoint", data=first(LOG_300))
    other = sqlite3.connect(tmp_path / "witness.sqlite")
    with pytest.raises(sqlite3.IntegrityError):
        other.execute(statement)
    other.close()


def test_what_cannot_be_kept_is_not_signed(
    client: FlaskClient, database: WitnessDatabase, tmp_path: Path
) -> None:
    client.post("/add-checkpoint", data=first(LOG_300))
    spoiler = sqlite3.connect(tmp_path / "witness.sqlite")
    spoiler.execute(
        "CREATE TRIGGER full BEFORE UPDATE ON head BEGIN SELECT RAISE(ABORT, 'disk full'); END"
    )
    answer = client.post("/add-checkpoint", data=format_submission(300, [], NOTE_300))
    assert (answer.status_code, answer.json["code"]) == (503, "witness_storage_failed")
    spoiler.execute("DROP TRIGGER full")
    spoiler.close()
    again = client.post("/add-checkpoint", data=format_submission(300, [], NOTE_300))
    assert again.status_code == 200
    database.close()
    with pytest.raises(Unavailable), database.transaction():
        pass


def test_a_forked_log_is_no_quorum_for_its_readers(witness: Witness) -> None:
    witness.add_checkpoint(first(LOG_300))
    fork = MadeLog().append(numbered(300, start=1)).sign()
    with pytest.raises(VerificationFailed):
        witness.add_checkpoint(format_submission(300, [], fork))
    with pytest.raises(VerificationFailed):
        verify_cosigned(fork, POLICY)
