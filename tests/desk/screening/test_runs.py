"""Runs beside the pages: one at a time, nothing left behind, a result for its owner alone."""

import io
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.desk.conftest import NOW, described, put, records_of

from accord.desk.screening import ScreenOptions
from accord.desk.screening.runs import KEEP_SECONDS, PREFIX, Run, Runs
from accord.desk.storage import Vault
from accord.desk.storage.screenings import screenings
from accord.kernel.errors import Conflict, Malformed, NotFound, Unavailable

WALLET = "0x52908400098527886E0F7030069857D2E4169EE7"


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        """Start at the fixed moment."""
        self.now = NOW

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def runs(vault: Vault, tmp_path: Path, clock: Clock) -> Iterator[Runs]:
    put(vault, described(1, kind="list", title="List of October"), records_of([WALLET]))
    home = tmp_path / "home"
    home.mkdir()
    made = Runs(vault, home, clock)
    yield made
    made.close()


def begin(runs: Runs, text: str, *, person: str = "ana", **said: object) -> Run:
    file = runs.upload()
    file.write(text.encode())
    options = ScreenOptions(name="own.csv", **said)  # type: ignore[arg-type]
    return runs.begin(file, options, person=person, reason="monthly check")


def ended(run: Run) -> Run:
    assert run.over.wait(20)
    return run


def left(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "home").rglob("*") if path.is_file()]


def test_a_run_finds_what_the_command_finds_and_leaves_no_file(
    runs: Runs, vault: Vault, tmp_path: Path
) -> None:
    run = ended(begin(runs, f"wallet\n{WALLET}\n{WALLET.lower()}\n"))
    assert run.error is None
    assert run.done is not None
    assert (run.done.rows, run.done.matched, run.rows) == (2, 2, 2)
    (entry,) = screenings(vault)
    assert (entry.name, entry.person, entry.reason) == ("own.csv", "ana", "monthly check")
    assert left(tmp_path) == []
    with runs.report_of(run) as report, runs.report_of(run) as again:
        data = io.BufferedReader(report).read()
        assert io.BufferedReader(again).read() == data
    assert data.count(b",match,,") == 2


def test_a_file_that_is_handed_over_is_for_its_owner_alone_and_goes_when_it_is_closed(
    runs: Runs, tmp_path: Path
) -> None:
    file = runs.upload()
    file.write(b"wallet\n")
    (path,) = left(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    file.close()
    file.close()
    assert left(tmp_path) == []


def test_a_file_that_is_no_table_ends_with_its_code_and_leaves_nothing(
    runs: Runs, tmp_path: Path
) -> None:
    run = ended(begin(runs, "name,age\nana,7\n"))
    assert run.done is None
    assert run.error is not None
    assert run.error.code == "value_column_unclear"
    assert left(tmp_path) == []
    with pytest.raises(NotFound, match="no report"):
        runs.report_of(run)


def test_a_run_without_a_reason_never_begins(runs: Runs, vault: Vault, tmp_path: Path) -> None:
    with runs.upload() as file, pytest.raises(Malformed) as refused:
        runs.begin(file, ScreenOptions(), person="ana", reason=" ")
    assert refused.value.code == "reason_missing"
    assert list(screenings(vault)) == []
    assert left(tmp_path) == []


def test_only_one_file_is_compared_at_a_time_and_it_can_be_stopped(
    runs: Runs, vault: Vault, tmp_path: Path
) -> None:
    with vault.transaction():  # the run cannot write itself down while somebody else writes
        run = begin(runs, f"wallet\n{WALLET}\n")
        with runs.upload() as file, pytest.raises(Conflict) as busy:
            runs.begin(file, ScreenOptions(), person="ben", reason="monthly check")
        run.stop.set()
    assert busy.value.code == "screening_busy"
    assert ended(run).error is not None
    assert run.error is not None
    assert run.error.code == "screening_stopped"
    (entry,) = screenings(vault)
    assert entry.rows is None  # written down as one that did not end
    assert left(tmp_path) == []
    assert ended(begin(runs, f"wallet\n{WALLET}\n", person="ben")).done is not None


def test_a_result_is_for_who_began_it_and_goes_after_an_hour(runs: Runs, clock: Clock) -> None:
    run = ended(begin(runs, f"wallet\n{WALLET}\n"))
    assert runs.find(run.no, "ana") is run
    with pytest.raises(NotFound):
        runs.find(run.no, "ben")
    clock.now += KEEP_SECONDS + 1
    with pytest.raises(NotFound):
        runs.find(run.no, "ana")
    assert run.report is None


def test_closing_removes_every_file_and_takes_no_more(runs: Runs, tmp_path: Path) -> None:
    run = ended(begin(runs, f"wallet\n{WALLET}\n"))
    waiting = runs.upload()
    runs.close()
    assert list((tmp_path / "home").iterdir()) == []
    assert run.report is None
    waiting.close()
    with pytest.raises(Unavailable):
        runs.upload()


def test_what_a_kill_left_behind_is_removed_by_the_next_start(vault: Vault, tmp_path: Path) -> None:
    folder = tmp_path / f"{PREFIX}old"
    folder.mkdir()
    (folder / "file-1").write_text(WALLET)
    Runs(vault, tmp_path, lambda: NOW)
    assert not os.path.lexists(folder)


def test_a_second_process_of_the_same_home_leaves_the_first_ones_files(
    runs: Runs, vault: Vault, tmp_path: Path, project: Path
) -> None:
    file = runs.upload()
    file.write(f"wallet\n{WALLET}\n".encode())
    left_alone = tmp_path / "home" / f"{PREFIX}old"
    left_alone.mkdir()
    sweep = (
        "import sys; from pathlib import Path; from accord.desk.screening.runs import Runs; "
        "Runs(None, Path(sys.argv[1]), lambda: 0)"
    )
    subprocess.run(
        [sys.executable, "-c", sweep, str(tmp_path / "home")],
        check=True,
        env={"PYTHONPATH": str(project / "platform")},
    )
    assert not left_alone.exists(), "a leftover of nobody goes"
    assert file.path.exists()
    beside = Runs(vault, tmp_path / "home", lambda: NOW)
    beside.close()
    options = ScreenOptions(name="own.csv")
    run = ended(runs.begin(file, options, person="ana", reason="monthly check"))
    assert run.done is not None
    assert run.done.matched == 1


def test_a_folder_is_free_again_when_its_runs_are_closed(vault: Vault, tmp_path: Path) -> None:
    first = Runs(vault, tmp_path, lambda: NOW)
    with first.upload() as file:
        kept = file.path.parent
    first.close()
    assert not kept.exists()
    kept.mkdir()
    Runs(vault, tmp_path, lambda: NOW)
    assert not kept.exists()
