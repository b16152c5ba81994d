"""T17: text that a spreadsheet would run leaves no program of ours as it came."""

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.hub_world import World

from accord.cli.main import main
from accord.hub.summaries import Table
from accord.hub.web.summary_files import summary_csv

CELLS = (
    '=HYPERLINK("http://evil.example")',
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1)",
    "\t=1+1",
    "\r=1+1",
    " =1+1",
)


@pytest.fixture(scope="module")
def mended(tmp_path_factory: pytest.TempPathFactory) -> list[list[str]]:
    """The refused rows of a hostile export, as they are written out for mending."""
    folder = tmp_path_factory.mktemp("formulas")
    path, out = folder / "hostile.csv", folder / "refused.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(["wallet", "note", CELLS[0]])
        writer.writerows([cell, f"{cell} too", cell] for cell in CELLS)
    done = CliRunner().invoke(
        main, ["submit", str(path), "--dry-run", "--json", "--refused", str(out)]
    )
    assert done.exit_code in {1, 5}, done.output
    assert json.loads(done.stdout)["totals"]["refused"] > 0
    return list(csv.reader(io.StringIO(out.read_text("utf-8-sig"))))


def test_no_cell_of_the_refused_rows_begins_a_formula(mended: list[list[str]]) -> None:
    cells = [cell for row in mended for cell in row]
    assert len(cells) > len(CELLS)
    assert [cell for cell in cells if cell[:1] in set("=+-@\t\r")] == []


def test_the_summary_file_holds_closed_codes_and_numbers_only(world: World, project: Path) -> None:
    assert world
    assert set(Table)
    source = (project / "platform/accord/hub/web/summary_files.py").read_text("utf-8")
    assert summary_csv.__doc__ is not None
    assert "closed code or number" in source
