"""Screening: the fast way finds exactly what the rule says, locally, whole or not at all."""

import csv
import errno
import hashlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pyarrow import parquet
from tests.desk.conftest import BANK, NOW, bundle_id, described, put, records_of

from accord.desk.cli.screen import _data, _text
from accord.desk.screening import Screened, ScreenOptions, screen
from accord.desk.screening import reading as reading_room
from accord.desk.screening.lists import lists_in_force
from accord.desk.screening.matching import candidates, judge_cells, row_terms, via
from accord.desk.screening.reading import OwnRows
from accord.desk.screening.workers import judge_all
from accord.desk.storage import Mark, MarkState, Vault, Way
from accord.desk.storage.bundles import WHOLE, add_mark, lines_of, list_bundles
from accord.desk.storage.exports import who_took
from accord.desk.storage.screenings import screenings
from accord.kernel.errors import AccordError, Conflict, Malformed, Refused
from accord.kernel.indicators import IndicatorRecord, Normalised, normalise

WALLET = "0x52908400098527886E0F7030069857D2E4169EE7"
BITCOIN = "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"
CASH = "bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a"
LEGACY = "1BpEi6DfDAUFd7GtittLSdBeYJvcoaVggu"
ONION = "j7rpp5avvfz2ktikr7nlr7sqhequqspbs3qngumxctp2vsspsbaeeuad.onion"
TX = "5c504ed432cb51138bcf09aa5e8a410dd4a1e204ef84bfed1be16dfba1b22060"
LISTED = (WALLET, BITCOIN, CASH, "evil-site.org", "https://files.evil-host.net/a", ONION)
SCHEMA = Path(__file__).resolve().parents[3] / "schemas" / "cli" / "screen.v1.json"


@pytest.fixture
def filled(vault: Vault) -> Vault:
    (transaction,) = records_of([TX], network="btc")
    put(
        vault,
        described(1, kind="list", title="List of October"),
        [*records_of(LISTED), transaction],
    )
    return vault


def file_of(folder: Path, *rows: str, name: str = "own.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def run(
    vault: Vault, path: Path, *, reason: str = "monthly check", now: int = NOW, **said: Any
) -> Screened:
    return screen(vault, path, ScreenOptions(**said), person="ana", reason=reason, now=now)


def lines(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_every_cell_of_a_row_is_compared_and_told_with_its_list(
    filled: Vault, tmp_path: Path
) -> None:
    path = file_of(
        tmp_path,
        "date,sender,receiver,tx hash,amount",
        f"2026-11-01,{WALLET.lower()},{BITCOIN},{TX},10",
        "2026-11-02,0x00000000219ab540356cbb839cbe05303d7705fa,,,5",
        f"2026-11-03,{CASH.upper()},pay.evil-site.org,,7",
        "2026-11-04,1BoatSLRHtKNngkdXEeobR76b53LETtpyX,,,7",
    )
    report = tmp_path / "report.csv"
    done = run(filled, path, report=report)
    assert done.columns == ("sender", "receiver", "tx hash")
    assert (done.rows, done.cells, done.matched, done.refused) == (4, 7, 2, 1)
    assert dict(done.codes) == {"checksum_wrong": 1}
    told = {(row["row"], row["column"], row["match"], row["record"]) for row in lines(report)}
    assert told == {
        ("1", "sender", "value", "0"),
        ("1", "receiver", "value", "1"),
        ("1", "tx hash", "value", "6"),
        ("3", "sender", "value", "2"),
        ("3", "receiver", "subdomain", "3"),
        ("4", "sender", "", ""),
    }
    assert {row["org"] for row in lines(report) if row["result"] == "match"} == {BANK}
    Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(_data(done))
    assert "2 rows match" in _text(done)


def test_the_run_is_written_down_with_what_it_compared(filled: Vault, tmp_path: Path) -> None:
    path = file_of(tmp_path, "wallet", WALLET)
    report = tmp_path / "report.csv"
    done = run(filled, path, report=report)
    (entry,) = screenings(filled)
    assert (entry.person, entry.reason, entry.name) == ("ana", "monthly check", "own.csv")
    assert entry.sha256 == hashlib.sha256(path.read_bytes()).digest()
    assert (entry.list_records, entry.rows, entry.matched, entry.refused) == (7, 1, 1, 0)
    (one,) = done.lists
    bundle = list_bundles(filled)[0]
    joined = b"".join(line + b"\n" for line in lines_of(filled, bundle))
    assert (one.records, one.sha256) == (7, hashlib.sha256(joined).digest())
    assert done.report_sha256 == hashlib.sha256(report.read_bytes()).digest()
    assert [row[0] for row in filled.connection.execute("SELECT act FROM acts")] == [
        "screening:run"
    ]
    assert [one.form for one in who_took(filled, bundle.no, [0])] == ["screening"]
    assert who_took(filled, bundle.no, [1]) == [], "only what the report holds"


def test_only_what_stands_and_was_received_is_used(filled: Vault, tmp_path: Path) -> None:
    sites = [f"list{n}-site.org" for n in range(6)]
    put(filled, described(2, expires=NOW), records_of(sites[:1]))
    put(filled, described(3), records_of(sites[1:3]))
    put(filled, described(4, way=Way.SENT), records_of(sites[3:4]))
    put(filled, described(5, tlp="red"), records_of(sites[4:5]))
    put(filled, described(6), records_of(sites[5:]))
    with filled.transaction() as connection:
        for number, record, state in (
            (3, 1, MarkState.RETRACTED),
            (6, WHOLE, MarkState.DISPUTED),
        ):
            mark = Mark(
                record=record, state=state, by_org=BANK, by_id=bundle_id(9), code="error", at=NOW
            )
            add_mark(connection, BANK, bundle_id(number), mark)
    path = file_of(tmp_path, "site", *sites)
    done = run(filled, path)
    assert [one.row for one in done.matches] == [2, 6]
    assert done.matches[1].states == ("disputed",), "a dispute silences nobody"
    assert done.listed.withheld == {"ended": 2, "tlp_red": 1}
    assert [one.row for one in run(filled, path, red=True).matches] == [2, 5, 6]
    assert run(filled, path, only_lists=True).matched == 0
    assert [one.row for one in run(filled, path, now=NOW - 1).matches] == [1, 2, 6]


@pytest.mark.parametrize(
    ("cells", "said", "code"),
    [
        (["wallet", WALLET], {"reason": " "}, "reason_missing"),
        (["wallet", WALLET], {"columns": ("other",)}, "column_unknown"),
        (["name", "Anna"], {}, "value_column_unclear"),
        ([""], {}, "file_empty"),
    ],
)
def test_what_cannot_be_screened_leaves_no_report(
    filled: Vault, tmp_path: Path, cells: list[str], said: dict[str, Any], code: str
) -> None:
    path = file_of(tmp_path, *cells)
    with pytest.raises(Malformed) as caught:
        run(filled, path, report=tmp_path / "report.csv", **said)
    assert caught.value.code == code
    assert sorted(one.name for one in tmp_path.glob("*.csv*")) == ["own.csv"]
    assert list(tmp_path.glob(".*")) == []
    assert screenings(filled) == []


def test_without_a_list_nothing_is_compared_and_that_is_said(vault: Vault, tmp_path: Path) -> None:
    put(vault, described(1, tlp="red"), records_of([WALLET]))
    with pytest.raises(Refused) as caught:
        run(vault, file_of(tmp_path, "wallet", WALLET))
    assert (caught.value.code, caught.value.observed) == ("lists_none", "tlp_red 1")


def test_a_report_is_whole_or_not_there_and_replaces_nothing(filled: Vault, tmp_path: Path) -> None:
    path = file_of(tmp_path, "wallet", WALLET)
    report = tmp_path / "report.csv"
    report.write_text("mine")
    with pytest.raises(Conflict) as caught:
        run(filled, path, report=report)
    assert (caught.value.code, report.read_text()) == ("export_exists", "mine")
    report.unlink()
    filled.connection.execute("DROP TABLE exported")
    with pytest.raises(Exception, match="exported"):
        run(filled, path, report=report)
    assert sorted(one.name for one in tmp_path.iterdir() if "report" in one.name) == []


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOSPC])
def test_a_disk_without_links_has_the_report_and_a_full_one_has_nothing(
    filled: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fail(*_: object) -> NoReturn:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", fail)
    report = tmp_path / "report.csv"
    path = file_of(tmp_path, "wallet", WALLET)
    if number == errno.EPERM:
        assert run(filled, path, report=report).report == report
        assert len(lines(report)) == 1
    else:
        with pytest.raises(AccordError) as caught:
            run(filled, path, report=report)
        assert caught.value.code == "report_unwritable"
    assert [one.name for one in tmp_path.glob("*report*")] == ["report.csv"][
        : number == errno.EPERM
    ]
    assert list(tmp_path.glob(".*report*")) == []


def test_the_report_starts_no_formula_shows_no_secret_and_is_the_owners_alone(
    vault: Vault, tmp_path: Path
) -> None:
    (wallet,) = records_of(["rDsbeomae4FXwgQTJp9Rs64Qg9vDiTCdBv"])
    put(vault, described(1, org="=cmd@hub.example"), [msgspec.structs.replace(wallet, memo="=1+1")])
    secret = "5KJvsngHeMpm884wtkJNzQGaCErckhHJBGFsvd3VyK5qMZXj3hS"
    path = file_of(tmp_path, "wallet", wallet.value, secret)
    report = tmp_path / "report.csv"
    done = run(vault, path, report=report)
    assert (done.matched, done.refused, dict(done.codes)) == (1, 1, {"private_key": 1})
    text = report.read_text("utf-8-sig")
    assert secret not in text + _text(done) + json.dumps(_data(done))
    assert (lines(report)[0]["memo"], lines(report)[0]["org"]) == ("'=1+1", "'=cmd@hub.example")
    assert report.stat().st_mode & 0o777 == 0o600


def test_another_destination_tag_is_another_owner() -> None:
    (wallet,) = records_of(["rDsbeomae4FXwgQTJp9Rs64Qg9vDiTCdBv"])
    tagged = msgspec.structs.replace(wallet, memo="7")
    for memo, match in ((None, "value"), ("7", "value"), ("8", None)):
        row = msgspec.structs.replace(normalise(wallet.value), memo=memo)
        assert via(row, tagged) == match


def test_no_request_leaves_the_machine_during_a_screening(
    filled: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        pytest.fail("a screening opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert run(filled, file_of(tmp_path, "wallet", WALLET)).matched == 1


ROWS = st.sampled_from(
    [
        *(WALLET, WALLET.lower(), f" {WALLET} ", BITCOIN, CASH, LEGACY, CASH.upper(), ONION, TX),
        *("evil-site.org", "EVIL-SITE.ORG.", "a.b.evil-site.org", "notevil-site.org", f"0x{TX}"),
        *(
            "hxxps://files.evil-host[.]net/a",
            "https://files.evil-host.net/b",
            "files.evil-host.net",
        ),
        *(
            f"http://{ONION}/x",
            f"https://x.{ONION}/",
            f"https://{ONION}.ws/",
            "https://pay.evil-site.org/1",
        ),
        *(
            "1BoatSLRHtKNngkdXEeobR76b53LETtpyX",
            "nothing here",
            "192.0.2.1",
            "co.uk",
            "ΑΒΓ",
            "0x12",
        ),
        *("0x00000000219ab540356cbb839cbe05303d7705fa", "example.com", "LTC", "bitcoin:" + BITCOIN),
    ]
)
NETWORKS = st.sampled_from([None, "btc", "bch", "evm", "ltc", "sol"])


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    cells=st.lists(st.tuples(ROWS, NETWORKS), min_size=1, max_size=60),
    listed=st.sets(st.sampled_from([*LISTED, LEGACY, f"https://{ONION}.ws/"]), min_size=1),
    data=st.data(),
)
def test_the_fast_way_finds_exactly_what_the_rule_says(
    cells: list[tuple[str, str | None]], listed: set[str], data: st.DataObject
) -> None:
    (transaction,) = records_of([TX], network=data.draw(st.sampled_from(["btc", "evm", "trx"])))
    records: list[IndicatorRecord] = [*records_of(sorted(listed)), transaction]
    terms: dict[str, int | tuple[int, ...]] = {}
    for number, record in enumerate(records):
        for term in (record.value, *(record.alias or ())):
            if term == record.value or record.network is not None:
                before = terms.get(term, ())
                terms[term] = (*((before,) if isinstance(before, int) else before), number)
    texts, networks = [text for text, _ in cells], [network for _, network in cells]
    outcomes = judge_cells(texts, networks, ())
    for text, network, outcome in zip(texts, networks, outcomes, strict=True):
        alone = judge_cells([text], [network], ())[0]
        if isinstance(outcome, Malformed):
            assert isinstance(alone, Malformed)
            assert alone.code == outcome.code
            continue
        assert alone == outcome
        rule = [n for n, record in enumerate(records) if via(outcome, record) is not None]
        near = candidates(terms, outcome)
        assert [n for n in near if via(outcome, records[n]) is not None] == rule


@settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(cells=st.lists(ROWS, min_size=1, max_size=40))
def test_a_cell_is_judged_as_a_single_value_is(cells: list[str]) -> None:
    for text, outcome in zip(cells, judge_cells(cells, (), ()), strict=True):
        try:
            expected: Normalised | str = normalise(text)
        except Malformed as error:
            expected = error.code
        if isinstance(outcome, Malformed):
            assert outcome.code == expected
        elif expected == "network_needed":
            assert outcome.kind == "transaction"
        else:
            assert outcome == expected


def test_many_processes_say_what_one_says_in_the_same_order(
    filled: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_room, "BLOCK_ROWS", 7)
    path = file_of(
        tmp_path,
        "wallet,note",
        *(
            f"{[WALLET, BITCOIN, 'nothing here', f'a{n}.evil-site.org', ''][n % 5]},{n}"
            for n in range(100)
        ),
    )
    listed = lists_in_force(filled, now=NOW, red=False, only_lists=False)
    one, three = (
        [
            verdicts
            for _, verdicts in judge_all(listed.terms, OwnRows(path).blocks(), workers=workers)
        ]
        for workers in (0, 3)
    )
    assert one == three
    assert len(one) == 15


def test_a_worker_that_ends_is_told_and_leaves_no_report(
    filled: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accord.desk.screening.service.SMALL", 0)
    monkeypatch.setattr("accord.desk.screening.workers.judge_block", lambda *_: os._exit(9))
    report = tmp_path / "report.csv"
    with pytest.raises(AccordError) as caught:
        run(filled, file_of(tmp_path, "wallet", WALLET), report=report, jobs=2)
    assert caught.value.code == "screening_worker"
    assert list(tmp_path.glob("*report*")) == []
    assert list(tmp_path.glob(".*report*")) == []
    (entry,) = screenings(filled)
    assert entry.rows is None, "begun, and never ended"


def test_parquet_is_read_as_text_and_damage_is_told(filled: Vault, tmp_path: Path) -> None:
    path = tmp_path / "own.parquet"
    table = pa.table(
        {
            "wallet": pa.array([WALLET, None, "example.com"]).dictionary_encode(),
            "amount": [1, 2, 3],
            "more": [[1], [2], []],
        }
    )
    parquet.write_table(table, path)
    done = run(filled, path)
    assert (done.format, done.columns, done.rows, done.matched) == ("parquet", ("wallet",), 3, 1)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(Malformed) as caught:
        run(filled, path)
    assert caught.value.code == "parquet_unreadable"


def test_without_its_library_parquet_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "own.parquet"
    parquet.write_table(pa.table({"wallet": [WALLET]}), path)
    program = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "import pathlib\n"
        "from accord.desk.screening.reading import OwnRows\n"
        "from accord.kernel.errors import AccordError\n"
        "try:\n    OwnRows(pathlib.Path(sys.argv[1]))\n"
        "except AccordError as error:\n    print(error.code)\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
    )
    assert said.stdout == "parquet_missing\n"


def test_rows_that_cannot_be_read_are_told_and_the_rest_is_compared(
    filled: Vault, tmp_path: Path
) -> None:
    path = file_of(tmp_path, "wallet,amount", f"{WALLET},1", f"{BITCOIN},2,3,4", ",5", '"open,6')
    report = tmp_path / "report.csv"
    done = run(filled, path, report=report)
    assert (done.rows, done.matched) == (4, 2)
    assert ("2", "columns_extra") in {(row["row"], row["code"]) for row in lines(report)}


def test_row_terms_are_what_a_value_is_looked_up_by() -> None:
    assert row_terms(normalise("a.b.evil-site.org")) == (
        "a.b.evil-site.org", "a.b.evil-site.org", "b.evil-site.org", "evil-site.org", "evil-site.org",
    )  # fmt: skip
