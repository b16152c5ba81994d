"""Tallies: one organisation's counts of one closed month, in one form."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accord.kernel import dsse
from accord.kernel.errors import AccordError, Malformed, VerificationFailed
from accord.kernel.identifiers import KeyId, OrgId
from accord.kernel.indicators.countries import COUNTRIES
from accord.kernel.indicators.kinds import Kind, Network
from accord.kernel.indicators.records import Role
from accord.kernel.keys import SignerKey, SigningKeyPair
from accord.kernel.statements.tally import (
    TALLY_CONTEXT,
    TALLY_TYPE,
    Cell,
    Tally,
    format_tally,
    month_end,
    parse_tally,
    sign_tally,
    verify_tally,
)

BANK = OrgId("bank@hub.example")
KEY = SigningKeyPair.from_seeds(bytes(32), bytes([1]) * 32)
OTHER = SigningKeyPair.from_seeds(bytes([2]) * 32, bytes([3]) * 32)
CELLS = (
    Cell(kind=Kind.DOMAIN, role=Role.STOREFRONT, country="NL", records=3),
    Cell(kind=Kind.WALLET, network=Network.BTC, role=Role.PAYMENT, records=41),
    Cell(kind=Kind.WALLET, network=Network.BTC, role=Role.PAYMENT, country="DE", records=2),
)
TALLY = Tally(org=BANK, month="2026-10", created=month_end("2026-10"), cells=CELLS)
PAYLOAD = format_tally(TALLY)
GOOD = sign_tally(TALLY, KEY)


def signer(kid: KeyId) -> SignerKey:
    for org, pair in ((BANK, KEY), (OrgId("other@hub.example"), OTHER)):
        if pair.kid == kid:
            return SignerKey(org=org, public=pair.public)
    raise VerificationFailed("key_unknown", "No such key.")


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(AccordError) as caught:
        call()
    return caught.value.code


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    obj = json.loads(PAYLOAD)
    change(obj)
    return json.dumps(obj, separators=(",", ":")).encode()


def cell(number: int, **values: object) -> Callable[[dict[str, Any]], object]:
    return lambda obj: obj["cells"][number].update(values)


def test_bytes_and_values_are_two_forms_of_one_thing() -> None:
    assert parse_tally(PAYLOAD) == TALLY
    assert format_tally(parse_tally(PAYLOAD)) == PAYLOAD
    assert verify_tally(GOOD, signer) == TALLY


def test_a_month_without_anything_is_a_tally_too() -> None:
    empty = replace(TALLY, cells=())
    assert verify_tally(sign_tally(empty, KEY), signer) == empty


@pytest.mark.parametrize(
    ("month", "end"),
    [("2026-10", 1_793_491_200), ("2026-12", 1_798_761_600), ("2028-02", 1_835_481_600)],
)
def test_a_month_ends_at_midnight_utc(month: str, end: int) -> None:
    assert month_end(month) == end
    open_month = replace(TALLY, month=month, created=end - 1)
    assert code_of(lambda: parse_tally(format_tally(open_month))) == "month_open"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (changed(lambda obj: obj.update(v=2)), "value_invalid"),
        (changed(lambda obj: obj.update(extra=1)), "key_unknown"),
        (changed(lambda obj: obj.update(org="bank")), "org_id_invalid"),
        (changed(lambda obj: obj.update(month="2026-13")), "month_invalid"),
        (changed(lambda obj: obj.update(month="2026-1")), "month_invalid"),
        (changed(lambda obj: obj.update(month="1999-12")), "month_invalid"),
        (changed(lambda obj: obj.update(month=202610)), "value_invalid"),
        (changed(lambda obj: obj.update(month="2026-11")), "month_open"),
        (changed(lambda obj: obj["cells"].append(1)), "value_invalid"),
        (changed(lambda obj: obj["cells"].reverse()), "cell_order"),
        (changed(lambda obj: obj["cells"].append(obj["cells"][2])), "cell_order"),
        (changed(cell(0, kind="address")), "kind_unknown"),
        (changed(cell(0, role="seller")), "role_unknown"),
        (changed(cell(0, country="UK")), "country_unknown"),
        (changed(cell(0, country=["NL"])), "country_unknown"),
        (changed(cell(0, records=0)), "value_invalid"),
        (changed(cell(0, records=10**12 + 1)), "value_invalid"),
        (changed(cell(0, value="1A1zP1")), "key_unknown"),
        (changed(cell(1, network="bitcoin")), "network_unknown"),
        (changed(cell(1, kind="domain")), "network_misplaced"),
        (changed(lambda obj: obj["cells"][1].pop("network")), "network_misplaced"),
        (changed(lambda obj: obj["cells"][1].pop("role")), "key_missing"),
        (PAYLOAD + b" ", "json_not_canonical"),
        (b" " * (4 * 2**20 + 1), "too_long"),
    ],
)
def test_a_deformed_tally_is_refused(data: bytes, code: str) -> None:
    assert code_of(lambda: parse_tally(data)) == code


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (sign_tally(TALLY, OTHER), "signer_not_org"),
        (dsse.sign(TALLY_TYPE, PAYLOAD, [KEY, OTHER], context=TALLY_CONTEXT), "signer_count"),
        (sign_tally(TALLY, SigningKeyPair.generate()), "key_unknown"),
        (
            dsse.sign(TALLY_TYPE, PAYLOAD, [KEY], context=b"accord/1/acknowledgement"),
            "signature_wrong",
        ),
        (dsse.sign("text/plain", PAYLOAD, [KEY], context=TALLY_CONTEXT), "payload_type_wrong"),
    ],
)
def test_nobody_else_can_make_an_organisations_tally(data: bytes, code: str) -> None:
    assert code_of(lambda: verify_tally(data, signer)) == code


NETWORKED = st.tuples(
    st.sampled_from([Kind.WALLET, Kind.TRANSACTION]), st.sampled_from(list(Network))
)
BARE = st.tuples(st.sampled_from([Kind.DOMAIN, Kind.ONION, Kind.URL]), st.none())
CELL = st.builds(
    lambda kind, role, country, records: Cell(
        kind=kind[0], network=kind[1], role=role, country=country, records=records
    ),
    NETWORKED | BARE,
    st.sampled_from(list(Role)),
    st.none() | st.sampled_from(sorted(COUNTRIES)),
    st.integers(1, 10**12),
)


@given(st.lists(CELL, max_size=30, unique_by=lambda cell: cell.place))
def test_every_tally_comes_back_as_it_was(cells: list[Cell]) -> None:
    tally = replace(TALLY, cells=tuple(sorted(cells, key=lambda cell: cell.place)))
    assert parse_tally(format_tally(tally)) == tally


@given(st.integers(0, len(GOOD) * 8 - 1))
def test_no_single_bit_can_change(bit: int) -> None:
    data = bytearray(GOOD)
    data[bit >> 3] ^= 1 << (bit & 7)
    with pytest.raises(AccordError):
        verify_tally(bytes(data), signer)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_cleanly(data: bytes) -> None:
    for parse in (parse_tally, lambda data: verify_tally(data, signer)):
        with pytest.raises(Malformed):
            parse(data)
