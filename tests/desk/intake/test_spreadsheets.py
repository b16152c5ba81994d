"""Spreadsheets: typed cells, several sheets, old XLS, and files built to exhaust memory."""

import contextlib
import datetime as dt
import io
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import xlsxwriter
import xlwt
from hypothesis import given
from hypothesis import strategies as st

from accord.desk.intake import bookreader
from accord.desk.intake.limits import MAX_SHEET_CELLS
from accord.desk.intake.oldbooks import check_old_book
from accord.desk.intake.results import Result, RowResult
from accord.desk.intake.service import Intake, IntakeOptions, read_export
from accord.desk.intake.spreadsheets import check_book, open_sheet
from accord.kernel.errors import Malformed
from accord.kernel.indicators import parse_line

BTC = "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"
EVM = "0x52908400098527886e0f7030069857d2e4169ee7"
HEADER = ["Nr", "Wallet", "Coin", "Datum", "Betrag", "Bemerkung"]


def read(path: Path, **options: object) -> tuple[Intake, list[RowResult]]:
    intake = read_export(path, IntakeOptions(**options))  # type: ignore[arg-type]
    return intake, [result for block in intake for result in block]


def xlsx(path: Path, *, top: int = 0, left: int = 0) -> Path:
    """A typed export with its first cell at (top, left), behind an empty sheet."""
    book = xlsxwriter.Workbook(str(path))
    book.add_worksheet("Cover")
    sheet = book.add_worksheet("Export")
    day = book.add_format({"num_format": "dd.mm.yyyy"})
    for column, name in enumerate(HEADER):
        sheet.write_string(top, left + column, name)
    for row, (value, coin) in enumerate([(BTC, "BTC"), (EVM, "ERC-20")], start=top + 1):
        sheet.write_number(row, left, row)
        sheet.write_string(row, left + 1, value)
        sheet.write_string(row, left + 2, coin)
        sheet.write_datetime(row, left + 3, dt.datetime(2024, 1, 5), day)  # noqa: DTZ001 - a sheet knows no zone
        sheet.write_number(row, left + 4, 12.5)
        sheet.write_string(row, left + 5, "Größe")
    sheet.write_number(top + 3, left + 1, 1.05e34)
    book.close()
    return path


@pytest.mark.parametrize(("top", "left"), [(0, 0), (2, 3)])
def test_an_xlsx_is_read_with_its_types(tmp_path: Path, top: int, left: int) -> None:
    intake, results = read(xlsx(tmp_path / "a.xlsx", top=top, left=left))
    assert (intake.source.format, intake.source.sheet) == ("xlsx", "Export")
    assert intake.source.header_row == top + 1
    assert intake.mapping["Wallet"] == "value"
    assert [result.value for result in results[:2]] == [BTC, EVM]
    record = parse_line(results[0].record_line or b"")
    assert record.first is not None
    assert (record.first.t, record.first.p) == (1704412800, "day")
    assert record.note == "Größe"
    assert results[2].result is Result.REFUSED
    assert results[2].code == "spreadsheet_damage"


def test_a_named_sheet_is_taken_and_an_unknown_one_refused(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "a.xlsx")
    assert read(path, sheet="Export")[0].source.sheet == "Export"
    with pytest.raises(Malformed, match="sheet_unknown"):
        read(path, sheet="Other")
    with pytest.raises(Malformed, match="file_empty"):
        read(path, sheet="Cover")


def test_an_xls_is_read(tmp_path: Path) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Liste")
    for row, cells in enumerate(
        [["Adresse", "Coin", "Datum"], [BTC, "btc", 44686], [EVM, "eth", ""]]
    ):
        for column, cell in enumerate(cells):
            sheet.write(row, column, cell)
    book.save(str(tmp_path / "a.xls"))
    intake, results = read(tmp_path / "a.xls")
    assert (intake.source.format, intake.source.sheet) == ("xls", "Liste")
    assert [result.value for result in results] == [BTC, EVM]
    record = parse_line(results[0].record_line or b"")
    assert record.first is not None
    assert record.first.t == 1651708800


def rewrite(source: Path, target: Path, change: Callable[[bytes], bytes]) -> Path:
    """Copy a book, changing the XML of its second sheet."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, change(data) if name.endswith("sheet2.xml") else data)
    return target


def rows(xml: bytes) -> Callable[[bytes], bytes]:
    return lambda data: data.replace(b"</sheetData>", xml + b"</sheetData>")


@pytest.mark.parametrize(
    ("xml", "code"),
    [
        (b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>', "sheet_too_large"),
        (b"<row r='1048576'><c r = 'xfd1048576'><v>1</v></c></row>", "sheet_too_large"),
        (b'<row r="4000000000"><c r="A1"><v>1</v></c></row>', "sheet_too_large"),
        (b'<row r="9"><c r="ZZZZZZZ9"><v>1</v></c></row>', "sheet_too_large"),
        (b'<row r="9"><c r="A9" t="str"><v>' + b"A" * 40_000_000 + b"</v></c></row>", "book_too_dense"),
    ],
)  # fmt: skip
def test_a_bomb_is_refused_before_it_is_read(tmp_path: Path, xml: bytes, code: str) -> None:
    bomb = rewrite(xlsx(tmp_path / "a.xlsx"), tmp_path / "bomb.xlsx", rows(xml))
    with pytest.raises(Malformed) as caught:
        check_book(bomb)
    assert caught.value.code == code


def test_a_text_shown_in_many_cells_ends_the_reader_not_the_desk(tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(str(tmp_path / "a.xlsx"))
    sheet = book.add_worksheet()
    sheet.write(0, 0, "A" * 32_000)
    book.close()
    many = b"".join(b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>' % (k, k) for k in range(2, 50_000))  # fmt: skip
    with zipfile.ZipFile(tmp_path / "a.xlsx") as old:
        parts = {name: old.read(name) for name in old.namelist()}
    name = "xl/worksheets/sheet1.xml"
    parts[name] = parts[name].replace(b"</sheetData>", many + b"</sheetData>")
    with zipfile.ZipFile(tmp_path / "b.xlsx", "w", zipfile.ZIP_DEFLATED) as new:
        for part, data in parts.items():
            new.writestr(part, data)
    check_book(tmp_path / "b.xlsx")
    with pytest.raises(Malformed) as caught:
        open_sheet(tmp_path / "b.xlsx", None, memory=400 << 20)
    assert caught.value.code == "book_too_large"


def test_a_directory_that_lies_about_sizes_is_not_believed(tmp_path: Path) -> None:
    path = rewrite(
        xlsx(tmp_path / "a.xlsx"), tmp_path / "b.xlsx", rows(b"<!--" + b"A" * 40_000_000 + b"-->")
    )
    data = bytearray(path.read_bytes())
    # In the central directory, claim that the sheet unpacks to 100 bytes.
    at = data.find(b"PK\x01\x02", data.find(b"PK\x01\x02") + 4)
    while data[at + 46 :].find(b"sheet2.xml") > 40:
        at = data.find(b"PK\x01\x02", at + 4)
    data[at + 24 : at + 28] = (100).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(Malformed, match="book_too_dense"):
        check_book(path)


@pytest.mark.parametrize("cut", [40, 2000, -300])
def test_a_damaged_book_is_refused(tmp_path: Path, cut: int) -> None:
    path = xlsx(tmp_path / "a.xlsx")
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(Malformed, match="book_unreadable"):
        read(path)


def test_a_zip_that_is_no_book_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("letter.txt", "hello")
    with pytest.raises(Malformed, match="book_unreadable"):
        read(tmp_path / "a.xlsx")


def test_broken_xml_is_refused(tmp_path: Path) -> None:
    bad = rewrite(
        xlsx(tmp_path / "a.xlsx"), tmp_path / "b.xlsx", lambda data: data[: len(data) // 2]
    )
    with pytest.raises(Malformed, match="book_unreadable"):
        read(bad)


def test_an_old_book_of_far_cells_is_refused(tmp_path: Path) -> None:
    book = xlwt.Workbook()
    for number in range(2):
        sheet = book.add_sheet(f"S{number}")
        sheet.write(0, 0, "address")
        sheet.write(65_535, 255, "x")
    book.save(str(tmp_path / "a.xls"))
    with pytest.raises(Malformed) as caught:
        check_book(tmp_path / "a.xls")
    assert caught.value.code == "sheet_too_large"
    assert str(f"{2 * 65_536 * 256:,}") in (caught.value.observed or "")
    assert MAX_SHEET_CELLS < 2 * 65_536 * 256


@pytest.mark.parametrize(
    "data",
    [
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 2000,
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(22) + b"\x09\x00\x06\x00" + bytes(3000),
    ],
)
def test_what_is_no_old_book_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(Malformed, match="book_unreadable"):
        check_old_book(data)
    path = tmp_path / "a.xls"
    path.write_bytes(data)
    with pytest.raises(Malformed, match="book_unreadable"):
        read(path)


@given(data=st.binary(max_size=3000))
def test_any_bytes_after_the_mark_of_an_old_book_are_judged(data: bytes) -> None:
    with contextlib.suppress(Malformed):
        check_old_book(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + data)


@given(changes=st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), max_size=30))
def test_an_old_book_with_changed_bytes_is_judged(changes: list[tuple[int, int]]) -> None:
    out = io.BytesIO()
    book = xlwt.Workbook()
    book.add_sheet("a").write(3, 4, "x")
    book.save(out)
    data = bytearray(out.getvalue())
    for place, value in changes:
        data[place % len(data)] = value
    with contextlib.suppress(Malformed):
        check_old_book(bytes(data))


def test_the_reader_leaves_quietly_when_nobody_reads_on(tmp_path: Path) -> None:
    name, lines = open_sheet(xlsx(tmp_path / "a.xlsx"), None)
    assert name == "Export"
    assert next(lines) == HEADER
    lines.close()  # type: ignore[attr-defined]


def test_the_reader_is_a_program_that_imports_nothing_of_ours(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "a.xlsx")
    done = subprocess.run(
        [sys.executable, "-I", bookreader.__file__, str(path), "Export", str(1 << 30)],
        capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert lines[0] == b'{"sheets":["Cover","Export"],"sheet":"Export"}'
    assert lines[-1] == b'"end"'
    assert "accord" not in Path(bookreader.__file__).read_text(encoding="utf-8").replace("ours", "")


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (1.0, "1"), (12.5, "12.5"), (1.05e34, "1.05e+34"), (True, "true"), ("x", "x"), (None, ""),
        (dt.date(2024, 1, 5), "2024-01-05"), (dt.time(8, 30), "08:30:00"),
        (dt.datetime(2024, 1, 5), "2024-01-05"), (dt.datetime(2024, 1, 5, 8, 30), "2024-01-05 08:30:00"),  # noqa: DTZ001
    ],
)  # fmt: skip
def test_cells_become_text(cell: object, text: str) -> None:
    assert bookreader.cell_text(cell) == text
