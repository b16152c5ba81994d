"""What columns mean: told, remembered or guessed from name and content."""

import csv
import json
from pathlib import Path

import pytest

from accord.desk.intake.headers import find_header
from accord.desk.intake.memory import FILE_NAME
from accord.desk.intake.results import Result, RowResult
from accord.desk.intake.service import Intake, IntakeOptions, read_export
from accord.desk.intake.words import NAMES, fold
from accord.kernel.errors import Malformed
from accord.kernel.indicators import parse_line

BTC = "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"
BTC_2 = "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"
EVM = "0x52908400098527886e0f7030069857d2e4169ee7"
SITE = "files.example-host.net"


def table(tmp_path: Path, *rows: list[str], name: str = "export.csv") -> Path:
    path = tmp_path / name
    with path.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(rows)
    return path


def read(path: Path, **options: object) -> tuple[Intake, list[RowResult]]:
    intake = read_export(path, IntakeOptions(**options))  # type: ignore[arg-type]
    return intake, [result for block in intake for result in block]


def test_no_column_name_stands_for_two_fields() -> None:
    names = [name for names in NAMES.values() for name in names]
    assert sorted(names) == sorted(set(names))
    assert all(fold(name) == name for name in names)


@pytest.mark.parametrize(
    ("header", "fields"),
    [
        (["Wallet", "Coin", "Opened"], ["value", "network", "first"]),
        (["Wallet-Adresse", "Währung", "Datum"], ["value", "network", "first"]),
        (["Adresse", "Réseau", "Première fois"], ["value", "network", "first"]),
        (["Dirección", "Red", "Fecha"], ["value", "network", "first"]),
        (["Indirizzo", "Rete", "Data"], ["value", "network", "first"]),
        (["Adres", "Netwerk", "Datum gezien"], ["value", "network", "first"]),
        (["address", "blockchain", "last_seen"], ["value", "network", "last"]),
        (["a", "b", "c"], ["value", "network", "ignore"]),
    ],
)
def test_columns_are_told_by_names_of_several_languages_and_by_content(
    tmp_path: Path, header: list[str], fields: list[str]
) -> None:
    path = table(tmp_path, header, [BTC, "bitcoin", "2024-05-06"], [EVM, "ERC-20", "2024-05-07"])
    intake, results = read(path)
    assert list(intake.mapping.values()) == fields
    assert [result.network for result in results] == ["btc", "evm"]


def test_a_name_does_not_count_where_the_content_contradicts_it(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        ["account", "network", "counterparty"],
        ["DE-internal-1", "mainnet", BTC],
        ["DE-internal-2", "mainnet", BTC_2],
    )
    intake, _ = read(path)
    assert intake.mapping == {"account": "ignore", "network": "ignore", "counterparty": "value"}


def test_the_header_is_found_below_titles(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        ["Report of October"],
        [],
        ["made by compliance"],
        ["Wallet", "Coin"],
        [BTC, "BTC"],
    )
    intake, results = read(path)
    assert intake.source.header_row == 4
    assert [(result.row, result.result) for result in results] == [(1, Result.READY)]


def test_a_bare_list_has_no_header_and_loses_no_row(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text(f"{BTC}\n{EVM}\n{SITE}\n", encoding="utf-8")
    intake, results = read(path)
    assert intake.source.header_row == 0
    assert intake.columns == ("column 1",)
    assert [result.kind for result in results] == ["wallet", "wallet", "domain"]


def test_two_columns_of_values_stand_in_for_each_other(tmp_path: Path) -> None:
    path = table(tmp_path, ["wallet", "domain"], [BTC, ""], ["", SITE], [EVM, ""], ["", "a-b.org"])
    intake, results = read(path)
    assert intake.mapping == {"wallet": "value", "domain": "value"}
    assert [result.value for result in results] == [BTC, SITE, EVM, "a-b.org"]


def test_a_row_with_two_values_is_refused_not_halved(tmp_path: Path) -> None:
    path = table(tmp_path, ["wallet", "domain"], [BTC, ""], ["", SITE], [EVM, "a-b.org"])
    _, results = read(path, mapping={"wallet": "value", "domain": "value"})
    assert [result.code for result in results] == [None, None, "two_values"]


def test_a_told_mapping_wins_over_the_guess(tmp_path: Path) -> None:
    path = table(tmp_path, ["address", "other"], [BTC, EVM], [BTC_2, SITE])
    intake, results = read(path, mapping={"OTHER": "value"})
    assert intake.mapping == {"address": "ignore", "other": "value"}
    assert intake.mapping_origin == "given"
    assert [result.value for result in results] == [EVM, SITE]
    intake, _ = read(path, mapping={"2": "value"})
    assert intake.mapping["other"] == "value"


@pytest.mark.parametrize(
    ("mapping", "code"),
    [
        ({"nothing": "value"}, "column_unknown"),
        ({"9": "value"}, "column_unknown"),
        ({"address": "password"}, "field_unknown"),
        ({"address": "first:ymd"}, "field_unknown"),
        ({"address": "note", "other": "note"}, "column_repeated"),
        ({"address": "note"}, "value_column_unclear"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused(
    tmp_path: Path, mapping: dict[str, str], code: str
) -> None:
    path = table(tmp_path, ["address", "other"], [BTC, "x"])
    with pytest.raises(Malformed) as caught:
        read_export(path, IntakeOptions(mapping=mapping))
    assert caught.value.code == code


def test_a_mapping_is_remembered_by_header_where_there_is_a_home(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    path = table(tmp_path, ["A", "B"], [BTC, EVM])
    read(path, mapping={"B": "value"}, home=home)
    again = table(tmp_path, ["a ", "b"], [BTC_2, SITE], name="next.csv")
    intake, results = read(again, home=home)
    assert intake.mapping_origin == "remembered"
    assert [result.value for result in results] == [SITE]
    kept = (home / FILE_NAME).read_text(encoding="utf-8")
    assert BTC not in kept
    assert (home / FILE_NAME).stat().st_mode & 0o077 == 0
    other = table(tmp_path, ["A", "B", "C"], [BTC, "x", "y"], name="other.csv")
    assert read(other, home=home)[0].mapping_origin == "guessed"


def test_without_a_home_nothing_is_written(tmp_path: Path) -> None:
    path = table(tmp_path, ["A", "B"], [BTC, EVM])
    read(path, mapping={"B": "value"}, home=tmp_path / "absent")
    assert not (tmp_path / "absent").exists()


@pytest.mark.parametrize("content", ["", "[]", '{"x": 1}', "{", '{"' + "a" * 70])
def test_a_damaged_memory_is_as_good_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE_NAME).write_text(content, encoding="utf-8")
    path = table(tmp_path, ["A", "B"], [BTC, ""])
    intake, _ = read(path, home=tmp_path)
    assert intake.mapping_origin == "guessed"


def test_a_remembered_column_that_is_gone_does_not_stop_the_file(tmp_path: Path) -> None:
    path = table(tmp_path, ["A", "B"], [BTC, EVM])
    read(path, mapping={"B": "value"}, home=tmp_path)
    kept = json.loads((tmp_path / FILE_NAME).read_text(encoding="utf-8"))
    (tmp_path / FILE_NAME).write_text(
        json.dumps({key: {"gone": "value"} for key in kept}), encoding="utf-8"
    )
    intake, results = read(path, home=tmp_path)
    assert intake.mapping_origin == "guessed"
    assert results[0].value == BTC


def test_repeated_and_empty_column_names_are_told_apart(tmp_path: Path) -> None:
    path = table(tmp_path, ["wallet", "note", "note", ""], [BTC, "a", "b", "c"])
    intake, _ = read(path)
    assert intake.columns == ("wallet", "note", "note (2)", "column 4")


def test_what_a_row_says_beside_its_value_is_in_the_record(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        ["wallet", "coin", "role", "first seen", "last seen", "confidence", "country", "exchange", "basis"],
        [EVM, "ETH", "Cash-out", "5.3.2024", "2024-04-01T10:00:00+02:00", "93%", "UK", "Example Ltd", "observed"],
    )  # fmt: skip
    _, results = read(path)
    line = results[0].record_line
    assert line is not None
    record = parse_line(line)
    assert record.roles == ("cash-out",)
    assert record.first is not None
    assert (record.first.t, record.first.p) == (1709596800, "day")
    assert record.last is not None
    assert (record.last.t, record.last.p) == (1711958400, "second")
    assert (record.confidence, record.countries, record.vasp) == (93, ("GB",), "Example Ltd")
    assert record.basis == "observed"


def test_a_full_movement_is_carried_as_decimal_text(tmp_path: Path) -> None:
    tx = "a" * 63 + "1"
    path = table(
        tmp_path,
        ["wallet", "network", "tx hash", "amount", "asset", "direction"],
        [BTC, "btc", tx, "1.234.567,50", "USDT", "in"],
        [BTC_2, "btc", "nonsense", "8657,42", "", "out"],
    )
    intake, results = read(path)
    record = parse_line(results[0].record_line or b"")
    assert record.moves is not None
    assert (record.moves[0].tx, record.moves[0].amount, record.moves[0].asset) == (
        tx,
        "1234567.50",
        "USDT",
    )
    assert results[1].result is Result.READY
    assert parse_line(results[1].record_line or b"").moves is None
    assert intake.totals.left_out["moves"] == 1


def test_a_list_of_transactions_alone_is_a_list_of_values(tmp_path: Path) -> None:
    path = table(tmp_path, ["type", "tx hash", "chain"], ["transaction", "ab" * 32, "btc"])
    intake, results = read(path)
    assert intake.mapping["tx hash"] == "value"
    assert (results[0].kind, results[0].network) == ("transaction", "btc")


def test_the_strictest_marking_of_the_rows_is_reported(tmp_path: Path) -> None:
    path = table(
        tmp_path, ["wallet", "tlp"], [BTC, "TLP:GREEN"], [BTC_2, "TLP:AMBER+STRICT"], [EVM, "white"]
    )
    intake, _ = read(path)
    assert intake.totals.strictest_tlp == "amber+strict"


def test_a_header_is_not_taken_from_data() -> None:
    assert find_header([[BTC, "x"], ["wallet", "y"]]) is None
    assert find_header([["wallet"], [BTC]]) == 0
    assert find_header([["k1", "k2"], [BTC, "x"]]) == 0
    assert find_header([]) is None


@pytest.mark.parametrize(
    "first",
    [
        BTC[:-1] + "X",
        "5KJvsngHeMpm884wtkJNzQGaCErckhHJBGFsvd3VyK5qMZXj3hS",
        "1.05E+34",
        "expyuzz4wqqyqhjn.onion",
        "127.0.0.1",
        SITE,
    ],
)
def test_a_bare_list_that_begins_with_a_bad_value_has_no_header(tmp_path: Path, first: str) -> None:
    path = table(tmp_path, [first], [BTC], [EVM])
    intake, results = read(path)
    assert len(results) == 3
    assert first not in str(intake.mapping)


def test_a_part_of_a_name_counts_only_where_the_content_agrees(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        ["Date Opened", "Beneficiary Wallet", "Transaction Type", "Exchange rate", "Base currency"],
        ["3/14/2024", BTC, "Withdrawal", "1.08", "EUR"],
        ["45365.52", EVM, "Deposit", "1.09", "USD"],
    )
    intake, results = read(path)
    assert list(intake.mapping.values()) == ["first", "value", "role", "ignore", "ignore"]
    assert [result.result for result in results] == [Result.READY, Result.READY]


def test_free_text_about_a_person_does_not_become_a_note(tmp_path: Path) -> None:
    path = table(tmp_path, ["wallet", "Customer details"], [BTC, "anything"])
    intake, _ = read(path)
    assert intake.mapping["Customer details"] == "ignore"
    intake, _ = read(path, mapping={"Customer details": "note"})
    assert intake.mapping["Customer details"] == "note"


def test_names_with_full_stops_are_names(tmp_path: Path) -> None:
    path = table(tmp_path, ["client.name", "wallet.address", "seen.at"], ["x", BTC, ""])
    intake, results = read(path)
    assert intake.source.header_row == 1
    assert [result.value for result in results] == [BTC]


def test_column_names_cannot_steer_a_terminal(tmp_path: Path) -> None:
    path = table(tmp_path, ["wal\x1b[2Jlet", "no\u202ete"], [BTC, "x"])
    intake, _ = read(path)
    assert intake.columns == ("wal [2Jlet", "no te")
