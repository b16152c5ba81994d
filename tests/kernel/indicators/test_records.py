"""A record is one strict line: written and read back the same, or refused with a stable code."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accord.demo import samples
from accord.kernel.errors import Malformed
from accord.kernel.indicators import (
    Basis,
    Direction,
    IndicatorRecord,
    Kind,
    Moment,
    Move,
    Network,
    Precision,
    Report,
    Role,
    encode_line,
    encode_lines,
    normalise,
    parse_line,
    parse_lines,
    record_of,
)
from accord.kernel.indicators.countries import COUNTRIES
from accord.kernel.indicators.lines import MAX_LINE
from accord.kernel.indicators.records import MAX_TIME

BTC = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
TX = "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"
WIF = "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ"
PLAIN = record_of(normalise(BTC, network="btc"), confidence=80, basis=Basis.OBSERVED)
SAMPLES = [row for row in samples.block(0, seed=9) if row.kind is not Kind.TRANSACTION][:400]

words = st.text("abcdefghij XYZ-0123", min_size=1, max_size=40).filter(lambda t: t == t.strip())
times = st.integers(0, MAX_TIME)


@st.composite
def records(draw: st.DrawFn) -> IndicatorRecord:
    """Any sample with any context that is allowed."""
    row = draw(st.sampled_from(SAMPLES))
    record = record_of(
        normalise(row.value, network=row.network, kind=row.kind),
        confidence=draw(st.integers(0, 100)),
        basis=draw(st.sampled_from(list(Basis))),
    )
    first = draw(st.none() | st.builds(Moment, times, st.sampled_from(list(Precision))))
    moves = None
    if record.network is Network.BTC:
        amount = st.from_regex(r"(0|[1-9][0-9]{0,15})(\.[0-9]{1,18})?", fullmatch=True)
        move = st.builds(
            Move,
            tx=st.just(TX),
            dir=st.sampled_from(list(Direction)),
            peer=st.none() | st.just(BTC),
            amount=amount,
            asset=st.sampled_from(["BTC", "USDT"]),
            t=st.none() | times,
        )
        moves = draw(st.none() | st.lists(move, min_size=1, max_size=3).map(tuple))
    roles = st.lists(st.sampled_from(list(Role)), min_size=1, max_size=4, unique=True).map(tuple)
    countries = st.lists(st.sampled_from(sorted(COUNTRIES)), min_size=1, max_size=16, unique=True)
    return msgspec.structs.replace(
        record,
        memo=draw(st.none() | words) if record.kind is Kind.WALLET else None,
        token=draw(st.none() | words),
        roles=draw(st.none() | roles),
        first=first,
        last=draw(st.none() | st.just(first)),
        moves=moves,
        countries=draw(st.none() | countries.map(tuple)),
        vasp=draw(st.none() | words),
        report=draw(st.none() | st.builds(Report, system=words, id=words)),
        note=draw(st.none() | words),
    )


@given(records())
def test_what_is_written_is_read_back_and_written_the_same(record: IndicatorRecord) -> None:
    line = encode_line(record)
    assert parse_line(line) == record
    assert encode_line(parse_line(line)) == line


@given(st.lists(records(), max_size=8), st.integers(0, 400), st.binary(max_size=4))
def test_many_lines_are_read_as_one_at_a_time(
    found: list[IndicatorRecord], place: int, insert: bytes
) -> None:
    lines = [encode_line(record) for record in found]
    if lines:
        lines[0] = lines[0][:place] + insert + lines[0][place:]
    for line, outcome in zip(lines, parse_lines(lines), strict=True):
        try:
            assert parse_line(line) == outcome
        except Malformed as error:
            assert isinstance(outcome, Malformed)
            assert (error.code, error.observed) == (outcome.code, outcome.observed)  # noqa: PT017


@given(st.binary(max_size=300))
def test_any_bytes_give_a_record_or_a_malformed(data: bytes) -> None:
    outcome = parse_lines([data])[0]
    assert isinstance(outcome, Malformed) or encode_line(outcome) == data


def edited(**changes: object) -> bytes:
    """The plain record's line with some fields replaced, whatever they are, in their order."""
    fields = {**json.loads(encode_line(PLAIN)), **changes}
    order = [name for name in IndicatorRecord.__struct_fields__ if name in fields]
    ordered = {name: fields[name] for name in order} | fields
    return json.dumps(ordered, separators=(",", ":"), ensure_ascii=False).encode()


def site(kind: str, value: str, **context: object) -> bytes:
    line = {"kind": kind, "value": value, "canon": 1, **context}
    return json.dumps(line | {"confidence": 1, "basis": "reported"}, separators=(",", ":")).encode()


MOVE = {"tx": TX, "dir": "in", "amount": "1.5", "asset": "BTC"}


def peered(peer: str) -> dict[str, str]:
    return {"tx": TX, "dir": "in", "peer": peer, "amount": "1.5", "asset": "BTC"}


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"", "json_invalid"),
        (b"[]", "value_invalid"),
        (b"{", "json_invalid"),
        (b"\xff", "json_invalid"),
        (b"[" * 5000, "value_invalid"),
        (b"{}", "key_missing"),
        (edited(extra=1), "key_unknown"),
        (edited(image="x"), "key_unknown"),
        (edited(moves=[{**MOVE, "name": "x"}]), "key_unknown"),
        (encode_line(PLAIN) + b"\n", "json_not_canonical"),
        (encode_line(PLAIN).replace(b":", b": ", 1), "json_not_canonical"),
        (encode_line(PLAIN).replace(b'"canon":1', b'"canon":1,"canon":1'), "json_not_canonical"),
        (encode_line(PLAIN).replace(b"wallet", b"\\u0077allet"), "json_not_canonical"),
        (edited(token=None), "json_not_canonical"),
        (edited(confidence=80.0), "value_invalid"),
        (edited(confidence=80.5), "value_invalid"),
        (edited(confidence="80"), "value_invalid"),
        (edited(confidence=True), "value_invalid"),
        (edited(confidence=101), "value_invalid"),
        (edited(confidence=-1), "value_invalid"),
        (edited(basis="guessed"), "value_invalid"),
        (edited(kind="image"), "value_invalid"),
        (edited(network="nonsense"), "value_invalid"),
        (edited(canon=2), "canon_unsupported"),
        (edited(canon=0), "value_invalid"),
        (edited(checksum="none"), "value_invalid"),
        (edited(checksum="eip55"), "value_invalid"),
        (edited(alias=[]), "value_invalid"),
        (edited(alias=["x"]), "alias_wrong"),
        (edited(alias=["x"] * 17), "value_invalid"),
        (edited(memo="x" * 65), "value_invalid"),
        (edited(memo=""), "value_invalid"),
        (edited(memo=" x"), "value_invalid"),
        (edited(memo="a\u202eb"), "value_invalid"),
        (edited(token="a\u200bb"), "value_invalid"),
        (edited(vasp="x" * 81), "value_invalid"),
        (edited(roles=[]), "value_invalid"),
        (edited(roles=["nonsense"]), "value_invalid"),
        (edited(roles=["mixer", "mixer"]), "value_invalid"),
        (edited(roles=["mixer", "payment", "cash-out", "unknown", "hosting"]), "value_invalid"),
        (edited(first={"t": -1, "p": "day"}), "value_invalid"),
        (edited(first={"t": MAX_TIME + 1, "p": "day"}), "value_invalid"),
        (edited(first={"t": 1, "p": "week"}), "value_invalid"),
        (edited(first={"t": 1}), "key_missing"),
        (
            edited(first={"t": 90_000, "p": "second"}, last={"t": 0, "p": "day"}),
            "value_invalid",
        ),
        (edited(moves=[]), "value_invalid"),
        (edited(moves=[MOVE] * 101), "value_invalid"),
        (edited(moves=[{**MOVE, "amount": "1,5"}]), "value_invalid"),
        (edited(moves=[{**MOVE, "amount": 1.5}]), "value_invalid"),
        (edited(moves=[{**MOVE, "amount": "01"}]), "value_invalid"),
        (edited(moves=[{**MOVE, "amount": "1\n"}]), "value_invalid"),
        (edited(moves=[{**MOVE, "amount": "1" * 41}]), "value_invalid"),
        (edited(moves=[{**MOVE, "tx": "nonsense"}]), "value_invalid"),
        (edited(moves=[{**MOVE, "tx": TX.upper()}]), "value_invalid"),
        (edited(moves=[{**MOVE, "tx": "\u00e4" * 64}]), "value_invalid"),
        (edited(moves=[{**MOVE, "dir": "both"}]), "value_invalid"),
        (edited(moves=[{**MOVE, "asset": "B\u200bTC"}]), "value_invalid"),
        (edited(moves=[peered(BTC + "x")]), "checksum_wrong"),
        (edited(moves=[peered(f"bitcoin:{BTC}")]), "value_invalid"),
        (edited(countries=["UK"]), "value_invalid"),
        (edited(countries=["de"]), "value_invalid"),
        (edited(countries=["DE", "DE"]), "value_invalid"),
        (edited(report={"system": "x" * 41, "id": "1"}), "value_invalid"),
        (edited(report={"system": "a\u0000", "id": "1"}), "value_invalid"),
        (edited(note="x" * 501), "value_invalid"),
        (edited(note="a\u202eb"), "value_invalid"),
        (edited(note=f"key {WIF}"), "private_key"),
        (edited(vasp=WIF), "private_key"),
        (edited(report={"system": "x", "id": WIF}), "private_key"),
        (edited(note=" ".join(["abandon"] * 11 + ["about"])), "seed_phrase"),
        (edited(value=WIF), "private_key"),
        (edited(value=BTC + "x"), "checksum_wrong"),
        (edited(value=f" {BTC}"), "not_canonical"),
        (edited(value="x" * 2049), "value_invalid"),
        (edited(value="tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"), "testnet"),
        (edited(network="doge"), "network_mismatch"),
        (edited(kind="domain"), "network_needed"),
        (b"x" * (MAX_LINE + 1), "too_long"),
        (site("wallet", "x"), "network_needed"),
    ],
)
def test_a_wrong_line_has_its_code(line: bytes, code: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse_line(line)
    assert caught.value.code == code
    assert WIF not in str(caught.value)
    # A good neighbour is untouched.
    outcomes = parse_lines([encode_line(PLAIN), line])
    assert outcomes[0] == PLAIN
    assert isinstance(outcomes[1], Malformed)


ONION = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"


@pytest.mark.parametrize(
    "line",
    [
        site("domain", "example.com"),
        site("domain", "files.example.com", alias=["example.com"]),
        # A newer list of suffixes than ours may know this one, or not know it yet.
        site("domain", "github.io"),
        site("onion", ONION),
        site("onion", ONION, checksum="strong"),
        site("url", "https://example.com/A?b#"[:-1], alias=["example.com"]),
        site("url", "https://x.example.com/", alias=["x.example.com", "example.com"]),
        site("url", "http://203.0.113.7/a"),
    ],
)
def test_sites_are_records_without_a_network(line: bytes) -> None:
    assert encode_line(parse_line(line)) == line


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (site("domain", "Example.com"), "not_canonical"),
        (site("domain", "example.com."), "not_canonical"),
        (site("domain", ONION), "not_canonical"),
        (site("domain", "exa mple.com"), "host_invalid"),
        (site("domain", "example.com", alias=["other.com"]), "alias_wrong"),
        (site("domain", "a.example.com", alias=["com"]), "alias_wrong"),
        (site("domain", "example.com", checksum="strong"), "value_invalid"),
        (site("domain", "example.com", memo="1"), "value_invalid"),
        (site("domain", "example.com", moves=[MOVE]), "value_invalid"),
        (site("onion", ONION.upper()), "not_canonical"),
        (site("onion", "a" * 56 + ".onion"), "checksum_wrong"),
        (site("onion", "example.com"), "kind_mismatch"),
        (site("url", "https://EXAMPLE.com/"), "not_canonical"),
        (site("url", "https://example.com/#x"), "not_canonical"),
        (site("url", "https://user:pass@example.com/"), "not_canonical"),
        (site("url", "https://example.com/", alias=["evil.com"]), "alias_wrong"),
        (site("url", "http://203.0.113.7/a", alias=["x"]), "alias_wrong"),
        (site("url", "javascript:alert(1)"), "scheme_unsupported"),
    ],
)
def test_a_wrong_site_has_its_code(line: bytes, code: str) -> None:
    outcome = parse_lines([line])[0]
    assert isinstance(outcome, Malformed)
    assert outcome.code == code


@pytest.mark.parametrize(
    ("network", "value", "checksum", "allowed"),
    [
        ("evm", "0x" + "1" * 40, "none", True),
        ("evm", "0x" + "1" * 40, "eip55", True),
        ("evm", "0x" + "1" * 40, "strong", False),
        ("sol", "11111111111111111111111111111111", "none", True),
        ("sol", "11111111111111111111111111111111", "strong", False),
        ("ton", "0:" + "1" * 64, "strong", True),
        ("ton", "0:" + "1" * 64, "none", True),
        ("ton", "0:" + "1" * 64, "eip55", False),
        ("dot", "0x" + "1" * 64, "strong", True),
    ],
)
def test_a_record_claims_no_strength_that_its_network_cannot_have(
    network: str, value: str, checksum: str, *, allowed: bool
) -> None:
    outcome = parse_lines([edited(network=network, value=value, checksum=checksum)])[0]
    assert isinstance(outcome, IndicatorRecord) is allowed


def test_a_transaction_is_a_record_without_checksum() -> None:
    record = record_of(normalise(TX, network="btc"), confidence=1, basis=Basis.REPORTED)
    assert (record.kind, record.checksum) == (Kind.TRANSACTION, None)
    assert parse_line(encode_line(record)) == record


def test_every_line_of_a_block_of_samples_is_read_back() -> None:
    rows = samples.block(0, seed=11)[:3000]
    found = [
        record_of(
            normalise(row.value, network=row.network, kind=row.kind),
            confidence=50,
            basis=Basis.OBSERVED,
        )
        for row in rows
    ]
    assert parse_lines([encode_line(record) for record in found]) == found


def test_no_lines_give_no_records() -> None:
    assert parse_lines([]) == []


def test_writing_refuses_what_reading_would() -> None:
    for wrong in (
        msgspec.structs.replace(PLAIN, countries=("XX",)),
        msgspec.structs.replace(PLAIN, confidence=200),
        msgspec.structs.replace(PLAIN, note=WIF),
    ):
        with pytest.raises(Malformed):
            encode_line(wrong)


def test_many_records_are_written_as_one_at_a_time_also_where_notes_repeat() -> None:
    noted = msgspec.structs.replace(PLAIN, note="seen twice")
    wrong = msgspec.structs.replace(PLAIN, note=WIF)
    first, bad, again, worse = encode_lines([noted, wrong, noted, wrong])
    assert first == again == encode_line(noted)
    assert [one.code for one in (bad, worse) if isinstance(one, Malformed)] == ["private_key"] * 2
    line = first if isinstance(first, bytes) else b""
    evil = line.replace(b"seen twice", WIF.encode())
    outcomes = parse_lines([line, evil, line, evil])
    assert [isinstance(one, Malformed) for one in outcomes] == [False, True, False, True]
