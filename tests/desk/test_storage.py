"""The vault: encrypted at rest, exact at any size, durable, never rolled back by a newer schema."""

import sqlite3
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.desk.conftest import BANK, NOW, VAULT_KEY, bundle_id, described, put, records_of

from accord.desk.storage import (
    Mark,
    MarkState,
    Vault,
    Way,
    blocks,
    create_vault,
    deliveries,
    journal,
    mirror,
    open_vault,
    outbox,
    terms,
)
from accord.desk.storage.bundles import (
    WHOLE,
    add_bundle,
    add_mark,
    find_bundle,
    find_records,
    has_bundle,
    lines_of,
    list_bundles,
    marks_of,
    purge_expired,
    quarantined_of,
)
from accord.desk.storage.vault import explained
from accord.kernel.errors import Conflict, NotFound, Refused, VerificationFailed
from accord.kernel.identifiers import OrgId
from accord.kernel.indicators import encode_line

CANARY = "canary-7f3a9b-never-in-the-clear"
WALLET = "0x52908400098527886e0f7030069857d2e4169ee7"
BITCOIN = "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"


def test_plaintext_never_stands_in_any_file_of_the_vault(vault: Vault) -> None:
    records = records_of([WALLET, "evil-canary-site.example.org"])
    put(vault, described(1, title=CANARY, head=CANARY.encode()), records)
    journal.begin_search(
        vault, person="ana", reason=CANARY, values=[WALLET], manner="values", now=NOW
    )
    files = [path for path in vault.path.parent.rglob("*") if path.is_file()]
    assert len(files) >= 2, "the write-ahead log is looked at too"
    for path in files:
        data = path.read_bytes().lower()
        for word in (CANARY, WALLET[2:], "evil-canary-site", "suspicion-report", "CREATE TABLE"):
            assert word.lower().encode() not in data, (path.name, word)


def test_another_key_does_not_open_the_vault(vault: Vault) -> None:
    vault.close()
    with pytest.raises(VerificationFailed) as caught:
        open_vault(vault.path, bytes(32))
    assert caught.value.code == "vault_key_wrong"


def test_a_changed_page_is_refused(vault: Vault) -> None:
    put(vault, described(1), records_of([WALLET]))
    vault.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    vault.close()
    data = bytearray(vault.path.read_bytes())
    data[100] ^= 1
    vault.path.write_bytes(data)
    with pytest.raises(VerificationFailed) as caught:
        open_vault(vault.path, VAULT_KEY)
    assert caught.value.code == "vault_key_wrong"
    assert "first page is damaged" in caught.value.message


def test_a_vault_that_was_cut_is_damaged_and_not_of_another_key(vault: Vault) -> None:
    vault.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    vault.close()
    vault.path.write_bytes(vault.path.read_bytes()[:3000])
    with pytest.raises(VerificationFailed) as caught:
        open_vault(vault.path, VAULT_KEY)
    assert caught.value.code == "vault_damaged"


def test_a_page_that_is_changed_later_is_explained(
    vault: Vault, capfd: pytest.CaptureFixture[str]
) -> None:
    put(vault, described(1), records_of([f"shop{n}.example.org" for n in range(900)]))
    vault.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    vault.close()
    data = bytearray(vault.path.read_bytes())
    for at in range(8192, len(data), 8192):
        data[at + 100] ^= 1
    vault.path.write_bytes(data)

    def read_all() -> None:
        with explained():
            found = open_vault(vault.path, VAULT_KEY)
            find_records(found, ["shop5.example.org"], limit=3)
            list(lines_of(found, find_bundle(found, bundle_id(1))))

    with pytest.raises(VerificationFailed) as caught:
        read_all()
    assert caught.value.code == "vault_damaged"
    assert capfd.readouterr().err == "", "the engine talks to the user"


def test_an_existing_vault_is_never_overwritten(vault: Vault) -> None:
    with pytest.raises(Conflict) as caught:
        create_vault(vault.path, VAULT_KEY)
    assert caught.value.code == "vault_exists"


def test_a_missing_vault_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        open_vault(tmp_path / "none.db", VAULT_KEY)
    assert caught.value.code == "vault_missing"


def test_a_vault_of_a_newer_accord_is_refused(vault: Vault) -> None:
    vault.connection.execute("PRAGMA user_version = 99")
    vault.close()
    with pytest.raises(Refused) as caught:
        open_vault(vault.path, VAULT_KEY)
    assert caught.value.code == "vault_newer"


def test_the_vault_keeps_its_durability_settings(vault: Vault) -> None:
    connection = vault.connection
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert vault.path.stat().st_mode & 0o077 == 0


def test_an_error_undoes_the_whole_transaction(vault: Vault) -> None:
    def fail() -> None:
        with vault.transaction() as connection:
            connection.execute("INSERT INTO settings VALUES ('a', x'01')")
            raise KeyError("a")

    with pytest.raises(KeyError):
        fail()
    assert vault.setting("a") is None


def test_a_committed_bundle_survives_a_killed_process(tmp_path: Path, project: Path) -> None:
    script = (
        "import sys, os, signal; from pathlib import Path;"
        "from tests.desk.conftest import *;"
        "v = create_vault(Path(sys.argv[1]), VAULT_KEY);"
        "put(v, described(1), records_of([sys.argv[2]]));"
        "c = v.connection; c.execute('BEGIN IMMEDIATE');"
        "c.execute(\"INSERT INTO settings VALUES ('half', x'01')\");"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    path = tmp_path / "vault.db"
    done = subprocess.run(
        [sys.executable, "-c", script, str(path), WALLET],
        cwd=project,
        env={"PYTHONPATH": f"{project / 'platform'}:{project}"},
        check=False,
    )
    assert done.returncode == -9
    vault = open_vault(path, VAULT_KEY)
    assert has_bundle(vault, BANK, bundle_id(1))
    assert vault.setting("half") is None
    vault.close()


def test_a_bundle_comes_back_as_it_went_in(vault: Vault) -> None:
    records = records_of([WALLET, "example.org", "https://evil.example.net/x"])
    put(vault, described(1, title="One"), records)
    found = find_bundle(vault, bundle_id(1))
    assert (found.title, found.n, found.first, found.way) == ("One", 3, 0, Way.RECEIVED)
    assert list(lines_of(vault, found)) == [encode_line(record) for record in records]
    assert put(vault, described(1), records) is None, "the same bundle twice is one bundle"
    assert [bundle.id for bundle in list_bundles(vault)] == [bundle_id(1)]


def test_two_senders_may_use_one_id_and_are_told_apart(vault: Vault) -> None:
    other = OrgId("other@hub.example")
    put(vault, described(1), [])
    put(vault, described(1, org=other), [])
    with pytest.raises(Refused) as caught:
        find_bundle(vault, bundle_id(1))
    assert caught.value.code == "bundle_ambiguous"
    assert find_bundle(vault, bundle_id(1), other).org == other


def test_an_unknown_bundle_is_said_to_be_unknown(vault: Vault) -> None:
    with pytest.raises(NotFound) as caught:
        find_bundle(vault, bundle_id(9))
    assert caught.value.code == "bundle_unknown"


def test_every_value_and_alias_is_found_and_nothing_else(vault: Vault) -> None:
    values = [f"shop{number}.example.org" for number in range(700)]
    for number in range(10):  # more runs than one level holds: merged on the way
        put(vault, described(number), records_of(values[70 * number : 70 * number + 70]))
    levels = vault.connection.execute("SELECT level FROM term_runs ORDER BY level").fetchall()
    assert (1,) in levels
    found = find_records(vault, [*values, "example.org", ".example.org"], limit=10)
    for number, (count, records) in enumerate(found[:700]):
        assert count == 1
        assert records[0].record == number % 70
        assert records[0].bundle.id == bundle_id(number // 70)
    assert found[700] == (0, [])
    assert found[701][0] == 700, "each lies below its domain, and is not it"
    assert len(found[701][1]) == 10, "the latest ones are read"


@given(
    parts=st.lists(st.lists(st.integers(0, 40), max_size=60), min_size=1, max_size=40),
    chunk=st.integers(1, 7),
    settling=st.integers(0, 2),
)
def test_the_index_agrees_with_a_dictionary(
    parts: list[list[int]], chunk: int, settling: int
) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute(
        "CREATE TABLE term_runs (run INTEGER PRIMARY KEY, level, size, first_chunk, fences, family)"
    )
    connection.execute("CREATE TABLE term_chunks (chunk INTEGER PRIMARY KEY, data)")
    model: dict[int, list[int]] = {}
    number = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(terms, "CHUNK", chunk)  # a constant of ours, made small to reach all borders
        patch.setattr(terms, "SLICE", 16)
        patch.setattr(terms, "SETTLING", settling)
        patch.setattr(terms, "MAX_SETTLED", 200)
        for part in parts:
            # Keys at both ends of the space, so that slices and fences meet equal keys.
            keys = [value * (2**64 // 41) if value % 2 else 2**64 - 1 - value for value in part]
            for key in keys:
                model.setdefault(key, []).append(number)
                number += 1
            terms.add_terms(
                connection,
                np.array(keys, dtype="<u8"),
                np.arange(number - len(keys), number, dtype="<u4"),
            )
        sought = [*model, 1, 2**63]
        found = terms.find_terms(connection, np.array(sought, dtype="<u8"))
    assert found == [model.get(key, []) for key in sought]
    sizes = connection.execute(
        "SELECT size FROM term_runs WHERE level >= ? ORDER BY run", (settling,)
    )
    long = [size for (size,) in sizes]
    assert all(older + newer > 200 or older > 2 * newer for older, newer in pairwise(long)), (
        "long runs are few"
    )
    connection.close()


def test_keys_of_texts_that_repeat_are_those_of_each_alone() -> None:
    texts = ["shop", "page", "shop", "", "page"]
    key = bytes(32)
    assert terms.repeated_keys(texts, key).tolist() == terms.term_keys(texts, key).tolist()
    assert terms.repeated_keys([], key).tolist() == []


def test_lines_in_many_blocks_are_read_singly_and_in_a_row(vault: Vault) -> None:
    lines = [b"%d" % number for number in range(1000)]
    with vault.transaction() as connection:
        blocks.add_lines(connection, 0, lines)
    assert blocks.read_lines(vault.connection, [999, 0, 128, 127, 5000]) == {
        0: b"0",
        127: b"127",
        128: b"128",
        999: b"999",
    }
    assert list(blocks.iterate_lines(vault.connection, 0, 1000)) == lines


def test_quarantined_records_are_kept_apart(vault: Vault) -> None:
    (record,) = records_of([WALLET])
    with vault.transaction() as connection:
        add_bundle(
            connection,
            vault.term_key,
            described(1),
            lines=[encode_line(record), b'{"kind":"image"}'],
            records=[record, None],
            quarantined=[(1, "value_invalid")],
        )
    assert quarantined_of(vault, find_bundle(vault, bundle_id(1))) == [(1, "value_invalid")]


def test_a_mark_may_come_before_its_bundle_and_belongs_to_its_sender(vault: Vault) -> None:
    mark = Mark(
        record=WHOLE,
        state=MarkState.RETRACTED,
        by_org=BANK,
        by_id=bundle_id(2),
        code="error",
        at=NOW,
    )
    with vault.transaction() as connection:
        add_mark(connection, BANK, bundle_id(1), mark)
        add_mark(connection, BANK, bundle_id(1), mark)
    put(vault, described(1), [])
    assert marks_of(vault, BANK, bundle_id(1)) == [mark]
    assert marks_of(vault, "other@hub.example", bundle_id(1)) == []


def test_purging_deletes_the_plaintext_and_keeps_the_row(vault: Vault) -> None:
    put(vault, described(1, expires=NOW - 50), records_of([WALLET]))
    put(vault, described(2), records_of([BITCOIN]))
    gone = purge_expired(vault, before=NOW - 10, now=NOW)
    assert [bundle.id for bundle in gone] == [bundle_id(1)]
    row = find_bundle(vault, bundle_id(1))
    assert (row.purged, row.head, row.title) == (NOW, None, "")
    assert list(lines_of(vault, row)) == []
    assert [len(records) for _, records in find_records(vault, [WALLET, BITCOIN], limit=5)] == [
        0,
        1,
    ]
    assert purge_expired(vault, before=NOW - 10, now=NOW) == []


def test_a_log_that_shows_another_history_is_a_fork(vault: Vault) -> None:
    seen = mirror.SeenCheckpoint(origin="h/directory", size=5, root=b"a" * 32, note=b"n", seen=NOW)
    with vault.transaction() as connection:
        mirror.add_leaves(connection, 0, [b"one", b"two"])
        mirror.add_checkpoint(connection, seen)
    assert mirror.leaves(vault) == [b"one", b"two"]
    assert mirror.latest_checkpoint(vault, "h/directory") == seen
    assert mirror.latest_checkpoint(vault, "h/audit") is None
    fork = mirror.SeenCheckpoint(origin="h/directory", size=5, root=b"b" * 32, note=b"n", seen=NOW)
    with pytest.raises(VerificationFailed) as caught, vault.transaction() as connection:
        mirror.add_checkpoint(connection, fork)
    assert caught.value.code == "log_forked"


def test_the_outbox_goes_from_sealed_to_receipted(vault: Vault) -> None:
    sealed, id_ = b"sealed bytes", bundle_id(1)
    outbox.write_sealed(vault, id_, sealed)
    with vault.transaction() as connection:
        outbox.add_outbox(connection, id_=id_, sealed=sealed, recipients=[BANK], now=NOW)
    (row,) = outbox.unfinished(vault)
    assert outbox.read_sealed(vault, row) == sealed
    outbox.mark_stored(vault, id_, 7)
    assert [row.log_index for row in outbox.unfinished(vault)] == [7]
    outbox.mark_receipted(vault, id_, b"proof", now=NOW)
    assert outbox.unfinished(vault) == []
    done = outbox.outbox_row(vault, id_)
    assert done is not None
    assert (done.state, done.receipt, done.recipients) == ("receipted", b"proof", (BANK,))
    assert not outbox.outbox_path(vault, id_).exists()


def test_changed_bytes_in_the_outbox_are_not_sent(vault: Vault) -> None:
    id_ = bundle_id(1)
    outbox.write_sealed(vault, id_, b"sealed")
    with vault.transaction() as connection:
        outbox.add_outbox(connection, id_=id_, sealed=b"sealed", recipients=[BANK], now=NOW)
    outbox.outbox_path(vault, id_).write_bytes(b"other")
    (row,) = outbox.unfinished(vault)
    with pytest.raises(VerificationFailed) as caught:
        outbox.read_sealed(vault, row)
    assert caught.value.code == "outbox_damaged"


def test_a_sealed_file_without_its_row_is_removed(vault: Vault) -> None:
    outbox.write_sealed(vault, bundle_id(1), b"sealed")
    assert outbox.remove_orphans(vault) == 1
    assert outbox.remove_orphans(vault) == 0


def test_a_submission_that_was_not_finished_is_open_again(vault: Vault) -> None:
    base, source = b"k" * 32, b"s" * 32

    def begin() -> tuple[bytes, bool]:
        return outbox.begin_submission(vault, base, source=source, name="a.csv", now=NOW)

    key, resumed = begin()
    assert not resumed
    assert begin() == (key, True)
    assert outbox.finished_source(vault, source) is None
    outbox.finish_submission(vault, key, now=NOW + 1)
    again, resumed = begin()
    assert again != key
    assert not resumed
    assert outbox.finished_source(vault, source) == NOW + 1


def test_a_delivery_is_remembered_until_it_is_acknowledged(vault: Vault) -> None:
    good = deliveries.DeliveryRow(
        seq=1,
        org=BANK,
        id=bundle_id(1),
        manifest=b"m" * 32,
        state=deliveries.DeliveryState.OPENED,
        at=NOW,
    )
    bad = deliveries.DeliveryRow(
        seq=2,
        org=None,
        id=None,
        manifest=None,
        state=deliveries.DeliveryState.REFUSED,
        code="bundle_magic",
        message="No bundle.",
        at=NOW,
    )
    with vault.transaction() as connection:
        deliveries.add_delivery(connection, good, None)
        deliveries.add_delivery(connection, bad, b"raw")
    assert deliveries.delivery_cursor(vault) == 2
    assert deliveries.unacknowledged(vault, limit=10) == [good]
    assert deliveries.refused_deliveries(vault, limit=10) == [bad]
    deliveries.mark_acknowledged(vault, [1], now=NOW)
    assert deliveries.unacknowledged(vault, limit=10) == []
