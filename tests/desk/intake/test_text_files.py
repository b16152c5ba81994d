"""Text files as they come: encodings, delimiters, quotes, broken rows, bombs."""

import csv
import io
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accord.desk.intake.delimited import DELIMITERS, guess_delimiter, read_rows, sep_line
from accord.desk.intake.encodings import decode_chunks, guess_encoding
from accord.desk.intake.limits import MAX_LINE_CHARS
from accord.desk.intake.results import Result, RowResult
from accord.desk.intake.service import Intake, IntakeOptions, read_export
from accord.kernel.errors import AccordError, Malformed, NotFound

BTC = "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"
EVM = "0x52908400098527886e0f7030069857d2e4169ee7"


def read(path: Path, content: bytes, **options: object) -> tuple[Intake, list[RowResult]]:
    path.write_bytes(content)
    intake = read_export(path, IntakeOptions(**options))  # type: ignore[arg-type]
    return intake, [result for block in intake for result in block]


@pytest.mark.parametrize(
    ("encoding", "mark", "found"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8", b"\xef\xbb\xbf", "utf-8-sig"),
        ("cp1252", b"", "cp1252"),
        ("utf-16-le", b"\xff\xfe", "utf-16"),
        ("utf-16-be", b"\xfe\xff", "utf-16"),
        ("utf-16-le", b"", "utf-16-le"),
        ("utf-16-be", b"", "utf-16-be"),
    ],
)
def test_the_encoding_is_told_with_and_without_a_mark(
    tmp_path: Path, encoding: str, mark: bytes, found: str
) -> None:
    text = f"Währung;Wallet;Bemerkung\r\nBTC;{BTC};Größe geprüft – schön\r\n"
    intake, results = read(tmp_path / "a.csv", mark + text.encode(encoding))
    assert intake.source.encoding == found
    assert list(intake.mapping) == ["Währung", "Wallet", "Bemerkung"]
    assert "Größe geprüft – schön".encode() in (results[0].record_line or b"")


def test_one_foreign_byte_does_not_turn_the_file_into_another_encoding(tmp_path: Path) -> None:
    rows = "".join(f"{BTC};Straße {i}\n" for i in range(200)).encode()
    _, results = read(
        tmp_path / "a.csv", b"wallet;note\n" + rows + f"{EVM};Stra".encode() + b"\xdfe\n"
    )
    assert "Straße 0".encode() in (results[0].record_line or b"")
    assert "Straße".encode() in (results[-1].record_line or b"")


@pytest.mark.parametrize("delimiter", DELIMITERS)
def test_the_delimiter_is_told(tmp_path: Path, delimiter: str) -> None:
    content = delimiter.join(["date", "wallet", "note"]) + "\n"
    content += delimiter.join(["2024-01-01", BTC, '"a, b; c | d"']) + "\n"
    intake, results = read(tmp_path / "a.csv", content.encode())
    assert intake.source.delimiter == delimiter
    assert results[0].value == BTC


def test_a_sep_line_names_the_delimiter_and_is_no_row(tmp_path: Path) -> None:
    for line in ("sep=;", "SEP=;", '"sep=;"'):
        intake, results = read(
            tmp_path / "a.csv", f"{line}\r\nwallet;a,b\r\n{BTC};1,2\r\n".encode()
        )
        assert intake.source.delimiter == ";"
        assert [result.row for result in results] == [1]
    assert sep_line("separator\n") is None
    assert sep_line("sep=\t\nx") == "\t"


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_all_line_ends_are_read(tmp_path: Path, ends: str) -> None:
    content = ends.join(["wallet,coin", f"{BTC},btc", f"{EVM},eth", ""])
    _, results = read(tmp_path / "a.csv", content.encode())
    assert [result.value for result in results] == [BTC, EVM]


def test_a_carriage_return_inside_a_cell_is_no_row_end(tmp_path: Path) -> None:
    _, results = read(tmp_path / "a.csv", f"wallet,coin\r\n1BoatSLRH\rtKNngkdXEeobR76b53LETtpyT,btc\r\n{EVM},eth\r\n".encode())  # fmt: skip
    assert [result.value for result in results] == [BTC, EVM]


def test_a_quoted_cell_may_hold_lines_quotes_and_delimiters(tmp_path: Path) -> None:
    content = f'wallet,note\n{BTC},"one\ntwo, ""three"""\n{EVM},x\n'
    _, results = read(tmp_path / "a.csv", content.encode())
    assert [result.row for result in results] == [1, 2]
    assert b'one\\ntwo, \\"three\\"' in (results[0].record_line or b"")


@pytest.mark.parametrize(
    "bad",
    [
        '{0},"never closed',
        '{0},"closed" too early',
        '"{0},x',
        '{0},"a"b"c',
        '{0},a"b',
    ],
)
def test_a_broken_quote_spoils_its_own_row_alone(tmp_path: Path, bad: str) -> None:
    rows = [f"{EVM},{i}" for i in range(2500)]
    content = "\n".join(["wallet,note", bad.format(BTC), *rows, ""])
    _, results = read(tmp_path / "a.csv", content.encode())
    assert len(results) == 1 + len(rows)
    assert results[1].value == EVM
    assert {result.result for result in results[2:]} == {Result.DUPLICATE}


@pytest.mark.parametrize("process_limit", [128 * 1024, 1 << 20])
@pytest.mark.parametrize("cell", ["x" * 200_000, '"' + "x" * 200_000 + '"'])
def test_a_huge_cell_spoils_its_own_row_alone(
    tmp_path: Path, process_limit: int, cell: str
) -> None:
    before = csv.field_size_limit(process_limit)
    try:
        content = f"wallet,note\n{BTC},{cell}\n{EVM},y\n"
        _, results = read(tmp_path / "a.csv", content.encode())
    finally:
        csv.field_size_limit(before)
    assert [result.code for result in results] == ["row_unreadable", None]


def test_blank_rows_and_totals_are_counted_not_refused(tmp_path: Path) -> None:
    content = f"wallet;amount\n{BTC};1\n\n;\n;5\nSumme;99\nTotal:;3\n"
    _, results = read(tmp_path / "a.csv", content.encode())
    assert [result.code for result in results] == [
        None, "blank_row", "blank_row", "no_value", "total_row", "total_row",
    ]  # fmt: skip
    assert all(result.result is Result.BLANK for result in results[1:])


def test_a_row_with_more_cells_than_the_header_is_refused(tmp_path: Path) -> None:
    content = f"wallet,amount\n{BTC},1\n{EVM},5,00\n{EVM},5,\n"
    _, results = read(tmp_path / "a.csv", content.encode())
    assert [result.code for result in results] == [None, "columns_extra", None]


@pytest.mark.parametrize(
    "last", ["b,pay-site-two.co", '"b","pay-site-two.co', '"b",pay-site-two.co']
)
def test_a_file_that_was_cut_in_the_middle_of_a_row_sends_no_half_name(
    tmp_path: Path, last: str
) -> None:
    content = f"reference,domain,amount,note\na,pay-site-one.com,100,x\n{last}"
    _, results = read(tmp_path / "a.csv", content.encode())
    assert [result.code for result in results] == [None, "row_cut"]
    assert results[1].result is Result.REFUSED


def test_a_whole_last_row_needs_no_line_end(tmp_path: Path) -> None:
    for content in (f"wallet,amount\n{BTC},1\n{EVM},5", f"wallet\n{BTC}", f'wallet,a\n"{BTC}","x"'):
        _, results = read(tmp_path / "a.csv", content.encode())
        assert {result.code for result in results} == {None}


def test_a_quote_that_never_ends_is_named_as_the_cause(tmp_path: Path) -> None:
    content = f'wallet,note\n"{BTC},"unterminated quote\n{EVM},x\n'
    _, results = read(tmp_path / "a.csv", content.encode())
    assert [result.code for result in results] == ["row_unreadable", None]


def test_told_encoding_and_delimiter_win(tmp_path: Path) -> None:
    content = f"wallet|note\n{BTC}|\xb6\n".encode("cp1250")
    intake, _ = read(tmp_path / "a.csv", content, encoding="cp1250", delimiter="|")
    assert (intake.source.encoding, intake.source.delimiter) == ("cp1250", "|")


@pytest.mark.parametrize(
    ("content", "options", "code"),
    [
        (b"", {}, "file_empty"),
        (b"\n;;\n;;\n", {}, "file_empty"),
        (b"wallet\0\1\2\3abc\n" * 50, {}, "not_text"),
        (b"hello,world\nfoo,bar\n", {}, "value_column_unclear"),
        (b"wallet\nx\n", {"encoding": "klingon"}, "encoding_unknown"),
        (b"wallet\nx\n", {"delimiter": ";;"}, "delimiter_invalid"),
        (b"wallet\n" + b"1" * (MAX_LINE_CHARS + 2_000_000) + b"\n", {}, "line_too_long"),
        (b"wallet\n" + BTC.encode() + b"," * 2000, {}, None),
        (b"," * 5000 + b"\n", {}, "file_empty"),
        (b"a," * 5000 + b"\n", {}, "columns_too_many"),
        (b"%PDF-1.7 binary \xff\xfe\x00\x01" * 20, {}, "not_text"),
    ],
)
def test_what_is_no_table_is_refused_with_a_code(
    tmp_path: Path, content: bytes, options: dict[str, str], code: str | None
) -> None:
    if code is None:
        assert read(tmp_path / "a.csv", content, **options)[1][0].value == BTC
        return
    with pytest.raises(Malformed) as caught:
        read(tmp_path / "a.csv", content, **options)
    assert caught.value.code == code


def test_a_missing_file_and_a_directory_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="file_missing"):
        read_export(tmp_path / "absent.csv")
    with pytest.raises(Malformed, match="file_unreadable"):
        read_export(tmp_path)
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(Malformed, match="file_unreadable"):
        read_export(tmp_path / "pipe.csv")


def test_an_endless_line_is_refused_before_it_is_held_in_memory() -> None:
    served = 0

    class Endless:
        def read(self, size: int, /) -> bytes:
            nonlocal served
            served += size
            return b"x" * size

    with pytest.raises(Malformed, match="line_too_long"):
        list(read_rows(decode_chunks(Endless(), "utf-8"), ","))
    assert served <= 4 * MAX_LINE_CHARS


def test_a_quote_that_never_closes_does_not_take_the_rest_of_the_file_into_memory() -> None:
    def chunks() -> object:
        yield 'a,"open\n'
        for _ in range(50):
            yield "b,c\n" * 10_000

    rows = list(read_rows(chunks(), ","))  # type: ignore[arg-type]
    assert len(rows) == 500_001
    assert rows[0] == ["a", '"open']
    assert rows[1] == rows[-1] == ["b", "c"]


cells = st.text(
    alphabet=st.characters(codec="utf-8", exclude_categories=("Cs",), exclude_characters="\r\0"),
    max_size=12,
)


@given(
    rows=st.lists(st.lists(cells, min_size=2, max_size=5), min_size=1, max_size=12),
    delimiter=st.sampled_from(DELIMITERS),
    size=st.integers(1, 40),
)
def test_what_a_spreadsheet_writes_is_read_as_it_was(
    rows: list[list[str]], delimiter: str, size: int
) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n", quoting=csv.QUOTE_ALL).writerows(
        rows
    )
    data = out.getvalue().encode()

    class Slow:
        def __init__(self) -> None:
            self.left = data

        def read(self, _size: int, /) -> bytes:
            piece, self.left = self.left[:size], self.left[size:]
            return piece

    assert list(read_rows(decode_chunks(Slow(), "utf-8"), delimiter)) == rows


@given(text=st.text(alphabet='ab",;|\t\n ', max_size=80), size=st.integers(1, 20))
def test_any_text_gives_rows_and_never_loses_a_line(text: str, size: int) -> None:
    pieces = [text[i : i + size] for i in range(0, len(text), size)]
    for delimiter in DELIMITERS:
        rows = list(read_rows(iter(pieces), delimiter))
        whole = "".join(cell for row in rows for cell in row or [])
        for letter in "ab":
            assert whole.count(letter) == text.count(letter)
    assert guess_delimiter(text) in DELIMITERS


@given(text=st.text(alphabet='ab",;\n\0 ', max_size=120), delimiter=st.sampled_from(",;"))
def test_rows_read_in_one_go_are_those_read_one_by_one(text: str, delimiter: str) -> None:
    # Letter by letter no line is ever at hand when it is asked for, so none is read with others.
    assert list(read_rows(iter([text]), delimiter)) == list(read_rows(iter(text), delimiter))


@given(data=st.binary(max_size=400))
def test_any_bytes_give_a_table_or_a_stable_code(
    data: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(data)
    try:
        intake = read_export(path)
    except AccordError:
        return
    rows = [result.row for block in intake for result in block]
    assert rows == list(range(1, len(rows) + 1))


@given(
    names=st.lists(cells, min_size=1, max_size=4),
    rows=st.lists(st.lists(cells | st.just(BTC), max_size=5), max_size=8),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le"]),
)
def test_each_row_gets_exactly_one_result(
    names: list[str],
    rows: list[list[str]],
    encoding: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.getbasetemp() / "rows.csv"
    with path.open("w", encoding=encoding, newline="") as out:
        writer = csv.writer(out, quoting=csv.QUOTE_ALL)
        writer.writerow([*names, "wallet"])
        writer.writerow([*names, BTC])
        writer.writerows(rows)
    try:
        intake = read_export(path, IntakeOptions(encoding=encoding, delimiter=","))
    except Malformed:
        return
    results = [result for block in intake for result in block]
    assert [result.row for result in results] == list(range(1, len(results) + 1))
    assert intake.totals.rows == len(results)
    for result in results:
        sendable = result.result in {Result.READY, Result.CHANGED}
        assert (result.record_line is not None) is sendable
        assert (result.code is None) is (result.result is Result.READY)


def test_a_sample_cut_inside_a_character_is_still_utf_8() -> None:
    assert guess_encoding("wallet;Währung".encode()[:9]) == "utf-8"
