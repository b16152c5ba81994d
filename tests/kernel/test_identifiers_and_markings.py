"""Names and closed codes: what passes is safe in a path, a line and a table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accord.kernel import identifiers, markings
from accord.kernel.errors import Malformed


@pytest.mark.parametrize(
    "text", ["a@h", "first-bank@hub.example", "p0@127.0.0.1:8800", "x@hub.example/eu/nl"]
)
def test_an_organisation_id_is_name_at_hub(text: str) -> None:
    org = identifiers.parse_org_id(text)
    assert f"{identifiers.org_name(org)}@{identifiers.org_hub(org)}" == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "@h",
        "a@",
        "A@h",
        "a@@h",
        "a b@h",
        "-a@h",
        "a-@h",
        "a@h/",
        "a@h/../x",
        "a@h\n",
        "a" * 41 + "@h",
        "a@" + "h" * 121,
        "a@h:123456",
        "ä@h",
        5,
        None,
    ],
)
def test_what_is_no_organisation_id_is_refused(text: object) -> None:
    with pytest.raises(Malformed) as caught:
        identifiers.parse_org_id(text)
    assert caught.value.code == "org_id_invalid"


@given(st.text())
def test_any_text_is_an_id_or_malformed(text: str) -> None:
    for parse in (identifiers.parse_org_id, identifiers.parse_bundle_id, identifiers.parse_origin):
        try:
            assert parse(text) == text
        except Malformed:
            continue


@given(st.integers(0, 2**48 - 1), st.binary(min_size=10, max_size=10))
def test_bundle_ids_are_version_7_and_sort_by_time(now_ms: int, random: bytes) -> None:
    made = identifiers.make_bundle_id(now_ms, random)
    assert identifiers.parse_bundle_id(made) == made
    assert int(made.replace("-", "")[:12], 16) == now_ms


@pytest.mark.parametrize(
    "text", ["", "01890000-0000-4000-8000-000000000000", "01890000-0000-7000-8000-00000000000G"]
)
def test_what_is_no_bundle_id_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        identifiers.parse_bundle_id(text)


def test_names_and_origins_are_checked_when_an_id_is_made() -> None:
    assert identifiers.make_org_id("bank", "hub.example") == "bank@hub.example"
    for name, origin in (("Bank", "hub.example"), ("bank", "Hub")):
        with pytest.raises(Malformed):
            identifiers.make_org_id(name, origin)


def test_tlp_is_ordered_from_widest_to_narrowest() -> None:
    ranks = [tlp.rank for tlp in markings.Tlp]
    assert ranks == sorted(ranks)
    assert markings.Tlp.AMBER_STRICT.rank > markings.Tlp.AMBER.rank


def test_an_unknown_code_is_refused_and_the_known_ones_are_named() -> None:
    assert markings.parse_code(markings.Tlp, "red", code="tlp_unknown") is markings.Tlp.RED
    for wrong in ("white", "RED", 3, None):
        with pytest.raises(Malformed, match="amber") as caught:
            markings.parse_code(markings.Tlp, wrong, code="tlp_unknown")
        assert caught.value.code == "tlp_unknown"
