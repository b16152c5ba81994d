"""The monitor: a whole log holds; each planted change is found by the check that is named for it."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.logs import LOG_KEYS, NOW, ORIGIN, MadeLog, numbered, policy

from accord.kernel.errors import AccordError, Malformed, NotFound, Unavailable, VerificationFailed
from accord.kernel.tlog.leaf import parse_leaf
from accord.kernel.tlog.monitor import examine_log, log_paths, verify_log
from accord.kernel.tlog.notes import LogKeyPair


def log_of(size: int) -> MadeLog:
    log = MadeLog().append(numbered(size))
    log.sign(witnesses=2)
    return log


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 511, 512, 65_536, 65_537, 66_000])
def test_a_log_of_any_size_holds(size: int) -> None:
    log = log_of(size)
    report = verify_log(log.fetch, policy(2), origin=ORIGIN, now=NOW, max_age=60)
    assert report.ok
    assert report.checkpoint == log.checkpoint
    assert [check.name for check in report.checks] == ["checkpoint", "entries", "tiles", "root"]
    assert report.checks[1].observed == f"{size} entries hashed"
    asked = [path for path in log.files if path.startswith("tile/") and "entries" not in path]
    assert report.checks[2].observed == f"{len(asked)} tiles compared"


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 600, 65_535, 65_536, 65_537, 66_000])
def test_the_paths_of_a_log_are_known_from_its_size(size: int) -> None:
    log = log_of(size)
    asked: list[str] = []

    def fetch(path: str) -> bytes:
        asked.append(path)
        return log.fetch(path)

    verify_log(fetch, policy(2))
    assert asked == ["checkpoint", *log_paths(size)]
    assert set(asked) == set(log.files)


def test_a_policy_may_ask_for_no_witness() -> None:
    report = verify_log(log_of(3).fetch, policy(0))
    assert report.checks[0].observed.endswith("4 witness keys, oldest time 1795000000")
    log = MadeLog().append(numbered(3))
    log.sign()
    assert verify_log(log.fetch, policy(0)).checks[0].observed.endswith("0 witness keys")


def test_log_keys_alone_can_be_the_trust() -> None:
    log = log_of(3)
    report = verify_log(log.fetch, LOG_KEYS.vkeys)
    assert "no witness" in report.checks[0].observed
    with pytest.raises(VerificationFailed):
        verify_log(log.fetch, LOG_KEYS.vkeys, origin="other.example/audit")
    with pytest.raises(VerificationFailed):
        verify_log(log.fetch, LogKeyPair.generate(ORIGIN).vkeys)
    with pytest.raises(VerificationFailed):
        verify_log(log.fetch, [])


@pytest.mark.parametrize("earlier", [0, 1, 255, 256, 300, 511, 512, 600])
def test_an_earlier_checkpoint_is_a_prefix(earlier: int) -> None:
    log = MadeLog().append(numbered(earlier))
    before = log.sign(witnesses=2)
    log.append(numbered(600 - earlier, start=earlier)).sign(witnesses=2)
    report = verify_log(log.fetch, policy(2), earlier=before)
    assert [check.name for check in report.checks][-1] == "consistency"
    assert report.note == log.files["checkpoint"]


def test_a_second_history_is_found() -> None:
    before = MadeLog().append(numbered(300, start=1)).sign(witnesses=2)
    log = log_of(600)
    report = examine_log(log.fetch, policy(2), earlier=before)
    assert (report.ok, report.checks[-1].name) == (False, "consistency")
    with pytest.raises(VerificationFailed) as caught:
        verify_log(log.fetch, policy(2), earlier=before)
    assert caught.value.code == "consistency_wrong"


def test_a_log_that_shrank_is_found() -> None:
    before = log_of(301).files["checkpoint"]
    report = examine_log(log_of(300).fetch, policy(2), earlier=before)
    assert report.failure is not None
    assert (report.failure.code, report.checks[-1].name) == ("log_went_back", "earlier")


def change_entry(log: MadeLog) -> None:
    log.files["tile/entries/000"] = log.files["tile/entries/000"].replace(b"entry 7", b"entry X", 1)


def change_entry_and_tile(log: MadeLog) -> None:
    forged = MadeLog().append([b"forged", *numbered(299, start=1)])
    forged.files["checkpoint"] = log.files["checkpoint"]
    log.files.clear()
    log.files.update(forged.files)


def drop_entry(log: MadeLog) -> None:
    data = log.files["tile/entries/000"]
    log.files["tile/entries/000"] = data[: -2 - len(b"entry 255")]


def drop_entry_at_the_edge(log: MadeLog) -> None:
    data = log.files["tile/entries/001.p/44"]
    log.files["tile/entries/001.p/44"] = data[: -2 - len(b"entry 299")]


@pytest.mark.parametrize(
    ("harm", "step", "code"),
    [
        (change_entry, "entries", "tile_wrong"),
        (change_entry_and_tile, "root", "root_wrong"),
        (drop_entry, "entries", "entries_wrong"),
        (drop_entry_at_the_edge, "entries", "entries_wrong"),
        (lambda log: log.files.pop("tile/entries/000"), "entries", "log_file_missing"),
        (lambda log: log.files.pop("tile/entries/001.p/44"), "entries", "log_file_missing"),
        (lambda log: log.files.pop("tile/0/000"), "entries", "log_file_missing"),
        (lambda log: log.files.pop("tile/1/000.p/1"), "entries", "log_file_missing"),
        (lambda log: log.files.pop("checkpoint"), "checkpoint", "log_file_missing"),
        (lambda log: log.files.update({"checkpoint": b""}), "checkpoint", "note_malformed"),
        (lambda log: log.files.update({"checkpoint": log.sign(witnesses=1)}), "checkpoint", "quorum_missing"),
        (lambda log: log.files.update({"tile/0/000": bytes(8192)}), "entries", "tile_wrong"),
        (lambda log: log.files.update({"tile/0/001.p/44": bytes(44 * 32)}), "entries", "tile_wrong"),
        (lambda log: log.files.update({"tile/1/000.p/1": bytes(32)}), "entries", "tile_wrong"),
        (lambda log: log.files.update({"tile/1/000.p/1": b""}), "entries", "tile_wrong"),
        (lambda log: log.files.update({"tile/entries/000": b"\0"}), "entries", "entries_malformed"),
    ],
)  # fmt: skip
def test_each_harm_is_found(harm: Callable[[MadeLog], object], step: str, code: str) -> None:
    log = log_of(300)
    harm(log)
    report = examine_log(log.fetch, policy(2))
    assert not report.ok
    assert report.checks[-1].name == step
    assert report.checks[-1].observed.startswith(code)
    assert report.failure is not None
    assert report.failure.code == code
    with pytest.raises((Malformed, VerificationFailed, NotFound)):
        verify_log(log.fetch, policy(2))


@given(st.data())
@settings(max_examples=300)
def test_no_flipped_bit_in_any_file_goes_unseen(data: st.DataObject) -> None:
    log = log_of(300)
    path = data.draw(st.sampled_from(sorted(log.files)))
    broken = bytearray(log.files[path])
    bit = data.draw(st.integers(0, len(broken) * 8 - 1))
    broken[bit // 8] ^= 1 << bit % 8
    log.files[path] = bytes(broken)
    assert not examine_log(log.fetch, policy(2)).ok


def test_partial_files_may_have_given_way_to_full_ones() -> None:
    log = log_of(300)
    note = log.files["checkpoint"]
    log.append(numbered(700, start=300))
    for path in [path for path in log.files if "000.p/1" in path or "001.p/" in path]:
        if path.startswith(("tile/0", "tile/entries")):
            del log.files[path]
    log.files["checkpoint"] = note
    assert verify_log(log.fetch, policy(2)).ok


def test_a_full_bundle_in_place_of_a_partial_one_must_be_full() -> None:
    log = log_of(300)
    log.files["tile/entries/001"] = log.files.pop("tile/entries/001.p/44")
    report = examine_log(log.fetch, policy(2))
    assert report.failure is not None
    assert report.failure.code == "entries_wrong"


def test_each_entry_can_be_inspected() -> None:
    seen: list[int] = []

    def inspect(index: int, entry: bytes) -> None:
        assert entry == b"entry %d" % index
        seen.append(index)

    verify_log(log_of(300).fetch, policy(2), inspect=inspect)
    assert seen == list(range(300))
    report = examine_log(
        log_of(3).fetch, policy(2), inspect=lambda _index, entry: parse_leaf(entry) and None
    )
    assert report.failure is not None
    assert report.failure.code == "leaf_invalid"


def test_a_log_that_cannot_be_reached_is_no_verdict() -> None:
    def fetch(_path: str) -> bytes:
        raise Unavailable("log_unreachable", "The log does not answer.")

    with pytest.raises(Unavailable):
        examine_log(fetch, policy(2))
    assert issubclass(Unavailable, AccordError)
