"""A large file is judged in a process of its own: the same answers, and nothing is lost silently."""

import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from accord.demo.samples import write_csv
from accord.desk.intake import apart
from accord.desk.intake.apart import AlreadySent, Block, judged_apart
from accord.desk.intake.limits import MAX_LINE_CHARS
from accord.desk.intake.results import Result, RowResult, Totals
from accord.desk.intake.service import Intake, IntakeOptions, read_export
from accord.kernel.errors import Malformed, Refused, Unavailable

ROW = RowResult(1, Result.BLANK, code="blank_row", message="The row is empty.")


def opened(path: Path, *, beside: bool, asked: list[int] | None = None) -> Intake:
    def sent(keys: Sequence[bytes]) -> list[str | None]:
        if asked is not None:
            asked.append(os.getpid())
        return ["Sent before." if key.endswith(b"a|") else None for key in keys]

    return read_export(path, IntakeOptions(apart=beside, already_sent=sent, now=1_790_000_000))


@pytest.fixture
def _all_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "LARGE", 0)  # a constant of ours
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


@pytest.mark.usefixtures("_all_are_large")
def test_another_process_gives_the_same_rows_cells_and_counts(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    write_csv(path, 9_000)
    asked: list[int] = []
    here, there = opened(path, beside=False), opened(path, beside=True, asked=asked)
    assert list(there.with_cells()) == list(here.with_cells())
    assert there.totals == here.totals
    assert there.totals.by_result[Result.DUPLICATE]
    assert set(asked) == {os.getpid()}, "what was sent before is asked where the vault is open"
    assert list(opened(path, beside=True)) == list(opened(path, beside=False))


@pytest.mark.usefixtures("_all_are_large")
def test_a_file_that_turns_bad_far_down_is_refused_with_the_same_code(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    good = "\n".join(["address", *["0x" + f"{n:040x}" for n in range(1, 9_000)]])
    path.write_text(good + "\n" + "x" * (MAX_LINE_CHARS + 10) + "\n", encoding="ascii")
    codes = []
    for beside in (False, True):
        with pytest.raises(Malformed) as caught:
            list(opened(path, beside=beside))
        codes.append((caught.value.code, caught.value.observed, caught.value.next_step))
    assert codes[0] == codes[1]


def test_a_process_that_is_killed_is_an_error_and_no_end_of_the_file() -> None:
    def dies(_ask: AlreadySent) -> Iterator[Block]:
        yield [ROW], [["x"]]
        os.kill(os.getpid(), signal.SIGKILL)

    blocks = judged_apart(dies, Totals(), lambda _keys: [], cells=True)
    assert next(blocks) == ([ROW], [["x"]])
    with pytest.raises(Unavailable) as caught:
        next(blocks)
    assert caught.value.code == "intake_worker"


def test_a_refusal_crosses_with_its_kind_and_words() -> None:
    def refuses(_ask: AlreadySent) -> Iterator[Block]:
        yield [ROW], []
        raise Refused("not_so", "No.", observed="1", next_step="Stop.")

    blocks = judged_apart(refuses, Totals(), lambda _keys: [], cells=False)
    next(blocks)
    with pytest.raises(Refused, match=r"No\. \(saw: 1\) Stop\. \[not_so\]"):
        next(blocks)


def test_whoever_stops_early_leaves_no_process_behind() -> None:
    def goes_on(_ask: AlreadySent) -> Iterator[Block]:
        while True:
            yield [named(os.getpid())], []

    blocks = judged_apart(goes_on, Totals(), lambda _keys: [], cells=False)
    ((row,), _) = next(blocks)
    blocks.close()
    with pytest.raises(ProcessLookupError):
        os.kill(row.row, 0)


def named(pid: int) -> RowResult:
    return RowResult(pid, Result.BLANK)


def test_a_small_file_is_judged_here(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    write_csv(path, 50)
    asked: list[int] = []
    assert list(opened(path, beside=True, asked=asked))
    assert not apart.worth_it(path.stat().st_size)
