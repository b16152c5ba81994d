"""Every published address, domain, URL and international name has the answer that its source gives."""

import csv
import json
from collections import Counter
from importlib import resources
from pathlib import Path

import pytest
from publicsuffixlist import PublicSuffixList

from accord.kernel.errors import Malformed
from accord.kernel.indicators import (
    Kind,
    Network,
    Normalised,
    bech32,
    hosts,
    normalise,
    normalise_batch,
)

NETWORKS = [str(network) for network in Network]
FILES = [*sorted({*NETWORKS} - {"cosmos"}), "cosmos", "evm_eip1191", "lightning", "onion"]
TEST_NETWORKS = {"testnet", "regtest", "stagenet", "signet"}
NEEDS_ITS_NETWORK = {
    "p2pkh-legacy": "the same text is an address of Bitcoin",
    "p2sh-legacy": "the same text is an address of Bitcoin",
    "hex": "without a network 42 hexadecimal digits are a digest cut short",
}


def vectors(shared: Path, name: str) -> list[dict[str, object]]:
    path = shared / "vectors" / "addresses" / f"{name}.json"
    entries: list[dict[str, object]] = json.loads(path.read_text(encoding="utf-8"))
    return entries


def outcome(text: str, **told: str | None) -> Normalised | str:
    try:
        return normalise(text, **told)
    except Malformed as error:
        return error.code


def is_of_test_network(entry: dict[str, object]) -> bool:
    return entry["network"] in TEST_NETWORKS or str(entry["address"]).startswith("stake_test1")


def told_of(name: str, entry: dict[str, object]) -> dict[str, str]:
    if name == "onion":
        return {"kind": "onion"}
    if name == "evm_eip1191":
        return {"network": str(entry["network"])}
    return {"network": str(entry["chain"])}


@pytest.mark.parametrize("name", FILES)
def test_published_addresses_have_their_canonical_value(shared: Path, name: str) -> None:
    for entry in vectors(shared, name):
        got = outcome(str(entry["address"]), **told_of(name, entry))
        if not entry["valid"]:
            assert isinstance(got, str), entry
        elif is_of_test_network(entry):
            assert got == "testnet", entry
        else:
            assert isinstance(got, Normalised), entry
            # Sources of another library name no canonical text where it is our own choice.
            assert got.value == entry["canonical"] or entry["canonical"] is None, entry


@pytest.mark.parametrize("name", FILES)
def test_the_network_is_found_where_the_text_alone_settles_it(shared: Path, name: str) -> None:
    for entry in vectors(shared, name):
        if not entry["valid"] or is_of_test_network(entry) or name == "evm_eip1191":
            continue
        got = outcome(str(entry["address"]))
        if entry["kind"] == "hex":
            assert got == "unknown_format", entry
        elif entry["kind"] in NEEDS_ITS_NETWORK:
            assert isinstance(got, Normalised), entry
            assert (got.network, "also_bch" in got.flags) == (Network.BTC, True), entry
        else:
            assert isinstance(got, Normalised), entry
            assert got.network == (None if name == "onion" else entry["chain"]), entry


def test_invalid_addresses_stay_refused_without_a_network(shared: Path) -> None:
    for name in FILES:
        for entry in vectors(shared, name):
            if entry["valid"]:
                continue
            got = outcome(str(entry["address"]))
            # Sound on another network, where the file asks only about its own.
            elsewhere = isinstance(got, Normalised) and got.network != entry["chain"]
            assert isinstance(got, str) or elsewhere, entry


@pytest.mark.parametrize("name", FILES)
def test_the_value_is_a_fixed_point(shared: Path, name: str) -> None:
    for entry in vectors(shared, name):
        first = outcome(str(entry["address"]), **told_of(name, entry))
        if isinstance(first, Normalised):
            again = normalise(first.value, network=first.network, kind=first.kind)
            assert (again.value, again.changed, again.memo) == (first.value, False, None)
            assert set(first.aliases) == set(again.aliases)


def test_tags_and_memos_inside_an_address_go_beside_it(shared: Path) -> None:
    seen = Counter[str]()
    for name, key in (("xrp", "tag"), ("xlm", "memo_id")):
        for entry in vectors(shared, name):
            if entry["valid"] and not is_of_test_network(entry) and entry.get(key) is not None:
                got = normalise(str(entry["address"]), network=name)
                assert got.memo == str(entry[key]), entry
                seen[name] += 1
    assert min(seen["xrp"], seen["xlm"]) > 0


def test_bare_bech32_texts_decode_to_their_variant(shared: Path) -> None:
    for entry in vectors(shared, "bech32_strings"):
        text = str(entry["address"])
        if entry["valid"]:
            prefix, _, encoding = bech32.decode(text)
            assert (encoding.name.lower(), text.lower().startswith(prefix + "1")) == (
                entry["kind"],
                True,
            )
        else:
            with pytest.raises(Malformed):
                decode_variant(text, str(entry["kind"]))


def decode_variant(text: str, kind: str) -> None:
    """Decode as the file asks: an invalid text of one variant may be sound in the other."""
    _, _, encoding = bech32.decode(text)
    if encoding.name.lower() not in kind:
        raise Malformed("checksum_wrong", "other variant")


def test_domains_have_their_host_and_registrable_domain(shared: Path) -> None:
    for told in ("domain", None):
        for entry in vectors(shared, "domains"):
            got = outcome(str(entry["raw"]), kind=told)
            if entry["canonical"] is None:
                assert isinstance(got, str), entry
                continue
            assert isinstance(got, Normalised), entry
            assert (got.kind, got.value) == (Kind.DOMAIN, entry["canonical"])
            assert entry["registrable"] in {got.value, *got.aliases}


def test_urls_have_their_canonical_form(shared: Path) -> None:
    for entry in vectors(shared, "urls"):
        got = outcome(str(entry["raw"]), kind="url")
        value = got.value if isinstance(got, Normalised) else None
        assert value == entry["canonical"], entry


# What UTS-46 has come to accept since the file's Unicode 13: three mathematical signs, fillers that
# are ignored, capitals that are mapped, ideographs and seals of plane 3 that were assigned.
NEWER = frozenset("\u2260\u226e\u226f\u04c0\u115f\u1160\uffa0")
GEORGIAN_CAPITALS = range(0x10A0, 0x10C6)
PLANE_3_ADDITIONS = range(0x31350, 0x40000)


def is_newer_rule(text: str) -> bool:
    """Say whether a label holds a character that UTS-46 has come to accept since Unicode 13."""
    decoded = "".join(
        label[4:].encode().decode("punycode") if label.startswith("xn--") else label
        for label in text.lower().split(".")
    )
    return any(
        c in NEWER or ord(c) in GEORGIAN_CAPITALS or ord(c) in PLANE_3_ADDITIONS
        for c in text + decoded
    )


def test_international_names_follow_uts46(shared: Path) -> None:
    path = shared / "vectors" / "idna.json"
    counts = Counter[str]()
    for row in json.loads(path.read_text(encoding="utf-8"))["rows"]:
        source = row["source_string"]
        try:
            got = hosts.to_ascii(source)
        except Malformed:
            got = None
        if row["valid"]:
            # The root's full stop is dropped: one host, one text.
            assert got == row["to_ascii"].removesuffix("."), row
            counts["valid"] += 1
        elif got is None:
            counts["refused"] += 1
        elif row["status"] == ["V2"]:
            # Hosts such as r3---sn.example exist: hyphens in places 3 and 4 are not asked about.
            assert "--" in got
            counts["hyphens"] += 1
        else:
            assert is_newer_rule(source), row
            counts["newer"] += 1
    assert counts == {"valid": 433, "refused": 5694, "hyphens": 8, "newer": 90}


LISTS = (
    "ofac_addresses",
    "ransomware_addresses",
    "mixer_and_hack_addresses",
    "usdt_frozen_evm",
    "exchange_wallets_guard",
)


@pytest.mark.parametrize("name", LISTS)
def test_published_lists_of_wallets_have_their_canonical_values(shared: Path, name: str) -> None:
    path = shared / "data" / f"{name}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["chain"] in NETWORKS]
    values = [row["value_as_published"] for row in rows]
    outcomes = normalise_batch(values, networks=[row["chain"] for row in rows])
    assert len(rows) > 600
    for row, outcome in zip(rows, outcomes, strict=True):
        assert isinstance(outcome, Normalised), row
        assert outcome.value == row["canonical"], row


@pytest.mark.parametrize(
    ("name", "refused"), [("filehosting_domains", 3), ("shortener_domains", 5)]
)
def test_published_lists_of_domains_are_their_own_canonical_values(
    shared: Path, name: str, refused: int
) -> None:
    domains = (shared / "data" / f"{name}.csv").read_text(encoding="utf-8").split()[1:]
    outcomes = normalise_batch(domains)
    codes = [outcome.code for outcome in outcomes if isinstance(outcome, Malformed)]
    # A bare address and public suffixes are nobody's domain.
    assert len(codes) == refused
    assert set(codes) <= {"public_suffix", "ip_address"}
    for domain, outcome in zip(domains, outcomes, strict=True):
        assert isinstance(outcome, Malformed) or outcome.value == domain


def test_a_batch_gives_the_same_answers_for_all_of_them(shared: Path) -> None:
    entries = [
        (str(entry["address"]), told)
        for name in FILES
        for entry in vectors(shared, name)
        for told in (None, told_of(name, entry).get("network"))
    ]
    values = [text for text, _ in entries] * 30
    networks = [told for _, told in entries] * 30
    batch = normalise_batch(values, networks=networks)
    for (text, told), got in zip(entries, batch, strict=False):
        expected = outcome(text, network=told)
        assert (got.code if isinstance(got, Malformed) else got) == expected, (text, told)


def test_every_rule_of_the_suffix_list_gives_the_domain_that_the_whole_list_gives() -> None:
    whole = PublicSuffixList()
    text = (resources.files("publicsuffixlist") / "public_suffix_list.dat").read_text("utf-8")
    rules = [line.split()[0].lstrip("!*.") for line in text.splitlines() if line[:2].strip("/")]
    names = [f"a.b.{rule}".encode("idna").decode() for rule in rules]
    assert [whole.privatesuffix(name) for name in names] == [
        hosts.domain(name, listed=False).registrable for name in names
    ]
    assert len(names) > 9_000
    assert sum("xn--" in name for name in names) > 400
