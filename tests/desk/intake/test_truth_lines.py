"""The messy exports with one truth line a row, and the public lists, go through whole."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from accord.desk.intake.guard_lists import load_guards
from accord.desk.intake.results import Result, RowResult
from accord.desk.intake.service import IntakeOptions, read_export
from accord.kernel.indicators import normalise, parse_line

MESSY = {
    "bank_de_semicolon_bom.csv": 2500,
    "exchange_utf8.csv": 3000,
    "police_utf16_tab.txt": 1500,
}
SENDABLE = {Result.READY, Result.CHANGED, Result.DUPLICATE}


def read(path: Path, **options: object) -> list[RowResult]:
    intake = read_export(path, IntakeOptions(**options))  # type: ignore[arg-type]
    return [result for block in intake for result in block]


def truths_of(path: Path) -> list[dict[str, Any]]:
    text = path.with_suffix(".truth.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.split("\n") if line]


def agrees(truth: dict[str, Any], result: RowResult) -> bool:
    """The three outcomes of the truth files, in our words."""
    if truth["outcome"] == "ok":
        return result.result in SENDABLE and result.value == truth["canonical"]
    if truth["outcome"] == "flag":
        return result.result is Result.HELD
    if truth["outcome"] == "conflict":
        return result.result in {Result.HELD, Result.REFUSED}
    return result.result is Result.REFUSED


@pytest.mark.parametrize("name", MESSY)
def test_each_row_of_a_messy_export_has_its_true_outcome_without_lists(
    shared: Path, name: str
) -> None:
    path = shared / "data" / "messy" / name
    truths = truths_of(path)
    results = read(path)
    assert len(truths) == MESSY[name]
    wrong = [
        (truth, result)
        for truth, result in zip(truths, results, strict=False)
        # Known exchange wallets can only be told with the list of them.
        if not agrees(truth, result) and "known exchange wallet" not in truth["note"]
    ]
    assert wrong == []
    assert all(result.result is Result.BLANK for result in results[len(truths) :])


@pytest.mark.parametrize("name", MESSY)
def test_with_the_lists_only_listed_values_are_held(shared: Path, name: str) -> None:
    data = shared / "data"
    path = data / "messy" / name
    truths = truths_of(path)
    guards = load_guards([data])
    assert len(guards.names) == 24
    for truth, result in zip(truths, read(path, guards=(data,)), strict=False):
        if agrees(truth, result):
            continue
        # The truth of a row does not know the lists; a listed value waits for a person.
        assert truth["outcome"] == "ok"
        assert result.result is Result.HELD
        assert result.value == truth["canonical"]
        found = normalise(truth["canonical"], network=truth.get("chain"))
        assert guards.hit(found) is not None


@pytest.mark.parametrize("name", MESSY)
def test_dates_of_messy_exports_are_the_true_ones(shared: Path, name: str) -> None:
    path = shared / "data" / "messy" / name
    truths = truths_of(path)
    seen = 0
    for truth, result in zip(truths, read(path), strict=False):
        if result.record_line is None or not truth["date"]:
            continue
        first = parse_line(result.record_line).first
        if first is None:
            continue
        seen += 1
        true = dt.date.fromisoformat(truth["date"])
        day = dt.datetime.fromtimestamp(first.t, dt.UTC).date()
        if first.p == "month":
            assert (day.year, day.month) == (true.year, true.month)
        else:
            # Times with an offset may fall on the day before in UTC.
            assert 0 <= (true - day).days <= (1 if first.p == "second" else 0)
    assert seen > len(truths) // 3


@pytest.mark.parametrize(
    ("name", "rows", "refused"),
    [
        ("ofac_addresses.csv", 654, 2),
        ("ransomware_addresses.csv", 7585, 0),
        ("filehosting_domains.csv", 939, 3),
        ("mixer_and_hack_addresses.csv", 866, 2),
        ("usdt_frozen_evm.csv", 774, 0),
    ],
)
def test_a_public_list_goes_through_whole(shared: Path, name: str, rows: int, refused: int) -> None:
    results = read(shared / "data" / name)
    assert [result.row for result in results] == list(range(1, rows + 1))
    assert sum(result.result is Result.REFUSED for result in results) == refused
    for result in results:
        if result.record_line is not None:
            assert parse_line(result.record_line).value == result.value


def test_a_guard_list_guarded_by_itself_ends_all_held(shared: Path) -> None:
    path = shared / "data" / "exchange_wallets_guard.csv"
    results = read(path, guards=(path,))
    assert {result.result for result in results} == {Result.HELD, Result.REFUSED}
