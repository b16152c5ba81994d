"""Guards hold and never drop; notes are masked and never refuse; secrets stay nowhere."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accord.desk.indicators.cells import protect, unprotect
from accord.desk.intake.guard_lists import load_guards
from accord.desk.intake.lines import Defaults
from accord.desk.intake.mending import ADDED, RefusedRows
from accord.desk.intake.moments import DateOrder, guess_order, read_moment
from accord.desk.intake.notes import MASK, MAX_NOTE, guard_note
from accord.desk.intake.numbers import guess_decimal_mark, read_amount, read_confidence
from accord.desk.intake.results import Result, RowResult
from accord.desk.intake.seen import Seen
from accord.desk.intake.service import Intake, IntakeOptions, read_export
from accord.kernel.errors import Malformed, NotFound
from accord.kernel.indicators import Network, parse_line

BTC = "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"
EVM = "0x52908400098527886e0f7030069857d2e4169ee7"
WIF = "5KJvsngHeMpm884wtkJNzQGaCErckhHJBGFsvd3VyK5qMZXj3hS"
SEED = (
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
)
ONION = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd"


def read(tmp_path: Path, content: str, **options: object) -> tuple[Intake, list[RowResult]]:
    path = tmp_path / "export.csv"
    path.write_text(content, encoding="utf-8")
    intake = read_export(path, IntakeOptions(**options))  # type: ignore[arg-type]
    return intake, [result for block in intake for result in block]


def warninglist(place: Path, kind: str, entries: list[str], **more: object) -> Path:
    path = place / f"{kind}.json"
    path.write_text(json.dumps({"name": f"List {kind}", "type": kind, "list": entries} | more))
    return path


@pytest.mark.parametrize(
    ("kind", "entries", "held", "free"),
    [
        ("hostname", ["big-host.com"], ["big-host.com", "a.b.big-host.com"], ["notbig-host.com"]),
        ("hostname", [".big-host.com"], ["big-host.com", "x.big-host.com"], ["big-host.com.pl"]),
        ("string", ["big-host.com"], ["big-host.com", "www.big-host.com"], ["big-host.net"]),
        ("string", ["BIG-HOST.com"], ["big-host.com"], ["xbig-host.com"]),
        ("substring", ["ig-hos"], ["big-host.com"], ["big-site.com"]),
        ("regex", ["/^big-[a-z]+\\.com$/i"], ["big-host.com"], ["a.big-host.com.pl"]),
        ("string", [BTC], [BTC], [EVM]),
    ],
)
def test_a_warninglist_holds_by_its_type(
    tmp_path: Path, kind: str, entries: list[str], held: list[str], free: list[str]
) -> None:
    guard = warninglist(tmp_path, kind, entries)
    _, results = read(tmp_path, "\n".join(["value", *held, *free]), guards=(guard,))
    assert [result.result for result in results] == [Result.HELD] * len(held) + [
        Result.READY
    ] * len(free)
    for result in results[: len(held)]:
        assert result.code == "warninglist" or result.kind == "wallet"
        assert result.value is not None
        assert result.record_line is None
        assert f"List {kind}" in (result.message or "")


def test_a_link_with_a_path_is_not_held_for_its_host(tmp_path: Path) -> None:
    guard = warninglist(tmp_path, "hostname", ["big-host.com"])
    content = "url\nhttps://big-host.com/f/1.rar\nhttps://big-host.com/\n"
    _, results = read(tmp_path, content, guards=(guard,), keep_url=True)
    assert [result.result for result in results] == [Result.READY, Result.HELD]
    _, results = read(tmp_path, content, guards=(guard,))
    assert [result.result for result in results] == [Result.HELD, Result.HELD]


def test_an_address_range_holds_links_to_it(tmp_path: Path) -> None:
    guard = warninglist(tmp_path, "cidr", ["192.0.2.0/24"])
    content = "url\nhttp://192.0.2.7/x\nhttp://198.51.100.7/x\n"
    _, results = read(tmp_path, content, guards=(guard,), keep_url=True)
    assert [result.result for result in results] == [Result.HELD, Result.READY]


def test_a_guard_table_holds_wallets_in_any_spelling(tmp_path: Path) -> None:
    guard = tmp_path / "my_guard.csv"
    guard.write_text(f"address,chain\n{EVM.upper().replace('0X', '0x')},ETH\n", encoding="utf-8")
    (tmp_path / "customers.csv").write_text(f"address\n{BTC}\n", encoding="utf-8")
    places = tmp_path / "lists"
    places.mkdir()
    guard.rename(places / guard.name)
    (tmp_path / "customers.csv").rename(places / "customers.csv")
    intake, results = read(tmp_path, f"wallet\n{EVM}\n{BTC}\n", guards=(places,))
    assert [one.name for one in intake.guards] == ["my_guard"]
    assert [result.code for result in results] == ["known_service", None]


def test_a_held_row_stays_held_when_it_comes_again(tmp_path: Path) -> None:
    guard = warninglist(tmp_path, "hostname", ["big-host.com"])
    _, results = read(tmp_path, "v\nbig-host.com\nbig-host.com\n", guards=(guard,))
    assert [result.result for result in results] == [Result.HELD, Result.HELD]


def test_burn_addresses_token_contracts_and_gateways_are_held_without_lists(tmp_path: Path) -> None:
    content = (
        "value\n0x0000000000000000000000000000000000000000\n"
        f"0xdAC17F958D2ee523a2206206994597C13D831ec7\n{ONION}.onion.ws\n"
    )
    intake, results = read(tmp_path, content)
    assert [result.code for result in results] == [
        "burn_address",
        "token_contract",
        "onion_gateway",
    ]
    assert intake.guards == ()


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.json", "{", "guard_list_invalid"),
        ("a.json", "[1]", "guard_list_invalid"),
        ("a.json", '{"type":"cidr","list":["x/99"]}', "guard_list_invalid"),
        ("a.json", '{"type":"regex","list":["("]}', "guard_list_invalid"),
        ("a.json", '{"type":"regex","list":["(a+)+$"]}', "guard_list_slow"),
        ("guard.csv", "colour,size\nred,large\n", "guard_list_invalid"),
        ("notes.txt", "hello", "guards_empty"),
    ],
)
def test_a_guard_list_that_cannot_be_used_is_refused_not_ignored(
    tmp_path: Path, name: str, content: str, code: str
) -> None:
    place = tmp_path / "lists"
    place.mkdir()
    (place / name).write_text(content, encoding="utf-8")
    with pytest.raises(Malformed) as caught:
        load_guards([place / name] if name.endswith("json") else [place])
    assert caught.value.code == code


def test_lists_of_other_things_are_passed_over(tmp_path: Path) -> None:
    warninglist(tmp_path, "string", ["x.org"], matching_attributes=["md5", "sha1"])
    warninglist(tmp_path, "hostname", ["y.org"], matching_attributes=["domain"])
    warninglist(tmp_path, "substring", [])
    (tmp_path / "package.json").write_text('{"name": "something"}', encoding="utf-8")
    guards = load_guards([tmp_path])
    assert sorted(guards.names) == ["List hostname", "List substring"]
    with pytest.raises(NotFound, match="guards_missing"):
        load_guards([tmp_path / "absent"])


@pytest.mark.parametrize(
    "note",
    [
        "mail a.b@example.org please", "call +49 170 1234567", "tel: 030 1234567", "030 / 123 45 67",
        "IBAN DE89 3704 0044 0532 0130 00", "card 4111 1111 1111 1111", "born 01.02.1980",
        "geb. am 1.2.1980", "née le 3/4/1990", "passport C01X00T47", "Ausweis Nr. L01X00T4712",
        "DNI 12345678Z", "SSN 078-05-1120", "wallet of J. Doe", "victim Muster", "Opfer: Beate Muster",
        "Herr Müller hat bezahlt", "Mr Smith", "from 192.0.2.77", "2001:db8:0:0:0:0:2:1 used",
        "talked to Beate Muster", "cliente Juan Pérez",
    ],
)  # fmt: skip
def test_what_may_name_a_person_is_masked(note: str) -> None:
    shown, masked = guard_note(note)
    assert masked
    assert MASK in (shown or "")
    for word in (
        "Doe",
        "Muster",
        "Müller",
        "Smith",
        "example.org",
        "1234567",
        "1980",
        "Pérez",
        "0532",
    ):
        assert word not in (shown or "")


@pytest.mark.parametrize(
    "note",
    [
        "ticket #55821", "+1 hop from mixer", "cluster with 3 others", "payment seen on invoice",
        "line one\nline two", "memo 102938", "siehe Vorgang 4711/22", "on Bitcoin Cash", "Zahlung – Straße",
    ],
)  # fmt: skip
def test_a_harmless_note_stays_as_it_is(note: str) -> None:
    assert guard_note(note) == (note, False)


@pytest.mark.parametrize("secret", [WIF, SEED, f"key: {WIF} found"])
def test_a_note_with_a_key_is_left_out_whole(tmp_path: Path, secret: str) -> None:
    assert guard_note(secret) == (None, True)
    _, results = read(tmp_path, f"wallet,note\n{BTC},{secret}\n{EVM},J. Doe\n")
    assert [result.code for result in results] == ["note_masked", "note_masked"]
    assert [result.result for result in results] == [Result.CHANGED, Result.CHANGED]
    assert parse_line(results[0].record_line or b"").note is None
    assert parse_line(results[1].record_line or b"").note == MASK


@given(note=st.text(max_size=700))
def test_any_note_fits_the_record_or_is_left_out(note: str) -> None:
    shown, _ = guard_note(note)
    assert shown is None or (0 < len(shown) <= MAX_NOTE and shown == shown.strip())


@pytest.mark.parametrize("secret", [WIF, SEED])
def test_a_private_key_is_refused_and_written_nowhere(tmp_path: Path, secret: str) -> None:
    content = f"wallet,other\n{secret},{secret}\n1Bad,{secret}\n{BTC},x\n"
    path = tmp_path / "export.csv"
    path.write_text(content, encoding="utf-8")
    intake = read_export(path, IntakeOptions())
    out = tmp_path / "refused.csv"
    with RefusedRows(out, intake.columns, ",") as refused:
        for results, cells in intake.with_cells():
            refused.write(results, cells)
            assert secret not in repr(results)
    text = out.read_text(encoding="utf-8-sig")
    assert results[0].code in {"private_key", "seed_phrase"}
    assert secret not in text
    assert "1Bad" in text
    assert out.stat().st_mode & 0o077 == 0


def test_refused_rows_come_back_mended(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    formula = '=HYPERLINK("http://x.example","x")'
    path.write_text(
        f'wallet;note;amount\n{BTC[:-1]}X;"{formula.replace(chr(34), chr(34) * 2)}";-5,00\n{EVM};ok;1\n',
        encoding="utf-8",
    )
    intake = read_export(path, IntakeOptions())
    out = tmp_path / "refused.csv"
    with RefusedRows(out, intake.columns, ";") as refused:
        for results, cells in intake.with_cells():
            refused.write(results, cells)
    text = out.read_text(encoding="utf-8-sig")
    assert "'=HYPERLINK" in text
    assert "'-5,00" in text
    assert EVM not in text
    out.write_text(text.replace(f"{BTC[:-1]}X", BTC), encoding="utf-8")
    again = read_export(out, IntakeOptions())
    assert [again.mapping[name] for name in ADDED] == ["ignore"] * 3
    results = [result for block in again for result in block]
    assert [result.value for result in results] == [BTC]
    assert parse_line(results[0].record_line or b"").note == formula


@given(cell=st.text(max_size=20))
def test_protection_of_cells_is_undone(cell: str) -> None:
    assert unprotect(protect(cell)) == cell or cell.startswith("'")
    assert not protect(cell).startswith(("=", "+", "-", "@", "\t"))


def test_links_stand_for_their_sites_unless_told(tmp_path: Path) -> None:
    content = f"value\nhxxps://files[.]example-host[.]net/d/1.rar\nhttp://{ONION}.onion/x\n"
    _, results = read(tmp_path, content)
    assert [(result.kind, result.value, result.code) for result in results] == [
        ("domain", "files.example-host.net", "url_to_domain"),
        ("onion", f"{ONION}.onion", "url_to_domain"),
    ]
    _, results = read(tmp_path, content, keep_url=True)
    assert [result.kind for result in results] == ["url", "url"]
    assert results[0].value == "https://files.example-host.net/d/1.rar"


def test_a_default_network_fills_gaps_and_never_overrules(tmp_path: Path) -> None:
    content = f"wallet,chain\n{EVM[2:]},\n{BTC},btc\nsite-one.org,\n{BTC},\n"
    _, results = read(tmp_path, content, defaults=Defaults(network=Network.EVM))
    assert [(result.network, result.code) for result in results] == [
        ("evm", "respelled"), ("btc", None), (None, None), (None, "network_mismatch"),
    ]  # fmt: skip


def test_repeats_name_their_first_row_over_blocks(tmp_path: Path) -> None:
    values = [f"site-{number}.org" for number in range(20_000)]
    _, results = read(tmp_path, "\n".join(["domain", *values, values[0], values[-1], "SITE-7.org"]))
    assert all(result.result is Result.READY for result in results[:20_000])
    assert [result.message for result in results[20_000:]] == [
        "The same as row 1.", "The same as row 20000.", "The same as row 8.",
    ]  # fmt: skip


def test_the_same_address_with_another_memo_is_another_owner(tmp_path: Path) -> None:
    address = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"
    content = f"address,memo\n{address},11\n{address},12\n{address},11\n"
    _, results = read(tmp_path, content)
    assert [result.result for result in results] == [
        Result.READY, Result.READY, Result.DUPLICATE,
    ]  # fmt: skip
    assert parse_line(results[1].record_line or b"").memo == "12"


def test_what_was_sent_before_is_a_duplicate_with_its_reference(tmp_path: Path) -> None:
    def sent(keys: object) -> list[str | None]:
        assert isinstance(keys, list)
        return ["Sent on 2 Nov as 01-x." if b"wallet|btc" in key else None for key in keys]

    _, results = read(tmp_path, f"wallet\n{BTC}\n{EVM}\n", already_sent=sent)
    assert [result.code for result in results] == ["already_sent", None]
    assert results[0].message == "Sent on 2 Nov as 01-x."


@given(st.lists(st.lists(st.binary(max_size=2), max_size=60), max_size=40))
def test_seen_knows_the_first_row_of_each_key(blocks: list[list[bytes]]) -> None:
    seen, first, row = Seen(), dict[bytes, int](), 0
    for block in blocks:
        rows = list(range(row + 1, row + 1 + len(block)))
        row += len(block)
        for key, number in zip(block, rows, strict=True):
            first.setdefault(key, number)
        assert seen.first_rows(block, rows) == [first[key] for key in block]


@pytest.mark.parametrize(
    ("text", "day", "precision"),
    [
        ("6.11.2024", "2024-11-06", "day"), ("44686", "2022-05-05", "day"),
        ("44686.5", "2022-05-05", "second"), ("24.10.2022 08:24", "2022-10-24", "second"),
        ("16.12.25", "2025-12-16", "day"), ("2023-03-16T17:04:23Z", "2023-03-16", "second"),
        ("1693315923000", "2023-08-29", "second"), ("1628396398", "2021-08-08", "second"),
        ("06-May-23", "2023-05-06", "day"), ("ca. December 2021", "2021-12-01", "month"),
        ("12. März 2024", "2024-03-12", "day"), ("5 de enero de 2024", "2024-01-05", "day"),
        ("14 août 2023", "2023-08-14", "day"), ("20240131", "2024-01-31", "day"),
        ("2021", "2021-01-01", "year"), ("2021-07", "2021-07-01", "month"),
        ("March 5, 2024 4:05 pm", "2024-03-05", "second"), ("2024/02/29", "2024-02-29", "day"),
    ],
)  # fmt: skip
def test_times_are_read_with_their_precision(text: str, day: str, precision: str) -> None:
    moment = read_moment(text)
    assert moment is not None
    expected = read_moment(day)
    assert expected is not None
    assert moment.t // 86400 == expected.t // 86400
    assert moment.p == precision


@pytest.mark.parametrize(
    "text",
    ["", "31/02/2024", "29.02.2023", "yesterday", "12345", "99999999", "25:00", "2024-13-01", "1.1.1",
     "2024-01-01T25:00", "9" * 50, "12 Foo 2024", "1960-01-01"],
)  # fmt: skip
def test_what_is_no_time_is_left_out(text: str) -> None:
    assert read_moment(text) is None


@given(st.text(alphabet="0123456789./-: TZ+apmMayärz", max_size=30))
def test_any_text_is_a_time_or_none(text: str) -> None:
    moment = read_moment(text)
    assert moment is None or 0 <= moment.t < 253_402_300_800


def test_the_order_of_day_and_month_is_told_by_the_column() -> None:
    assert guess_order(["03/04/2024", "03/25/2024"]) == (DateOrder.MONTH_FIRST, True)
    assert guess_order(["03/04/2024", "25/03/2024"]) == (DateOrder.DAY_FIRST, True)
    assert guess_order(["03/04/2024"]) == (DateOrder.DAY_FIRST, False)


def test_a_date_order_can_be_told(tmp_path: Path) -> None:
    content = f"wallet,date\n{BTC},03/04/2024\n"
    intake, results = read(tmp_path, content, mapping={"date": "first:mdy"})
    assert intake.date_orders == {"date": (DateOrder.MONTH_FIRST, True)}
    record = parse_line(results[0].record_line or b"")
    assert record.first is not None
    assert record.first.t == 1709510400


def test_times_to_come_are_left_out(tmp_path: Path) -> None:
    intake, results = read(tmp_path, f"wallet,date\n{BTC},2031-01-01\n", now=1_800_000_000)
    assert parse_line(results[0].record_line or b"").first is None
    assert intake.totals.left_out == {"date": 1}


@pytest.mark.parametrize(
    ("text", "mark", "amount"),
    [
        ("8657,42 €", ",", "8657.42"), ("EUR 90,02", ",", "90.02"), ("735.038,00", ",", "735038.00"),
        ("1,234.5", ".", "1234.5"), ("1.234", ".", "1.234"), ("1.234", ",", "1234"),
        ("1'234.50", ".", "1234.50"), ("1.2E-5", ".", "0.000012"), ("12 345,67", ",", "12345.67"),
        ("1.234.567", ".", "1234567"), ("007", ".", "7"), ("0,5 BTC", ",", "0.5"),
        ("abc", ".", None), ("1,2,3.4.5", ".", None), ("", ".", None), ("-5", ".", None), ("9" * 60, ".", None),
    ],
)  # fmt: skip
def test_amounts_of_several_locales_become_decimal_text(
    text: str, mark: str, amount: str | None
) -> None:
    assert read_amount(text, mark) == amount


@given(
    text=st.from_regex(
        r"[0-9]{1,5}([.,][0-9]{1,4}){0,2} ?([A-Z]{2,6}|e|E-)?[0-9]?", fullmatch=True
    ),
    mark=st.sampled_from(".,"),
)
def test_the_short_way_to_an_amount_gives_what_the_long_one_gives(text: str, mark: str) -> None:
    # A space in front is no part of a usual cell, and means nothing.
    assert read_amount(text, mark) == read_amount(" " + text, mark)


def test_the_decimal_mark_is_told_by_the_column() -> None:
    assert guess_decimal_mark(["1.234", "8657,42 €", "735.038,00"]) == ","
    assert guess_decimal_mark(["1,234", "8657.42"]) == "."


@pytest.mark.parametrize(
    ("text", "value"),
    [("HIGH", 85), ("0.93", 93), ("93%", 93), ("93", 93), ("3", 60), ("med", 50), ("1.0", 100),
     ("0", 0), ("100", 100), ("101", None), ("", None), ("very", None)],
)  # fmt: skip
def test_confidence_of_several_scales(text: str, value: int | None) -> None:
    assert read_confidence(text) == value


@pytest.mark.parametrize(
    "cell", ["=1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", "\uff1d1", "\uff20x"]
)
def test_no_cell_begins_as_a_formula(cell: str) -> None:
    assert protect(cell) == "'" + cell
    assert unprotect(protect(cell)) == cell


def test_a_file_that_was_there_is_read_by_its_owner_alone_too(tmp_path: Path) -> None:
    path = tmp_path / "refused.csv"
    path.touch(mode=0o644)
    path.chmod(0o644)
    with RefusedRows(path, ["address"], ","):
        assert path.stat().st_mode & 0o777 == 0o600
