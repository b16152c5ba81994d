"""Many values at once have exactly the answers of one at a time, whatever they are."""

import string

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from accord.demo import sample_values as make
from accord.demo import samples
from accord.kernel.errors import Malformed
from accord.kernel.indicators import Kind, Network, Outcome, base58, normalise, normalise_batch

ONION = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd"
PHRASE = ["abandon"] * 11 + ["about"]
POOL = [sample.value for sample in samples.block(0, seed=5)[:3000]]
TOLD_NETWORKS = [None, *Network, "eip155:1", "eip155:30", "eip155:5", "nonsense"]
TOLD_KINDS = [None, *Kind, "nonsense"]
EDITS = (
    "as it is",
    "changed",
    "cut",
    "doubled",
    "upper",
    "lower",
    "spaced",
    "quoted",
    "odd letter",
)


def single(text: str, network: str | None, kind: str | None) -> object:
    try:
        return normalise(text, network=network, kind=kind)
    except Malformed as error:
        return (error.code, error.message, error.observed, error.next_step)


def plain(outcome: Outcome) -> object:
    if isinstance(outcome, Malformed):
        return (outcome.code, outcome.message, outcome.observed, outcome.next_step)
    return outcome


@st.composite
def texts(draw: st.DrawFn) -> str:
    text = draw(st.sampled_from(POOL))
    edit = draw(st.sampled_from(EDITS))
    place = draw(st.integers(0, len(text) - 1))
    letter = draw(st.sampled_from(string.ascii_letters + string.digits + ".:-_/ "))
    return {
        "as it is": text,
        "changed": text[:place] + letter + text[place + 1 :],
        "cut": text[:place],
        "doubled": text + text[place:],
        "upper": text.upper(),
        "lower": text.lower(),
        "spaced": f" {text}\t",
        "quoted": f' "\'{text}"',
        "odd letter": text[:place] + "\u0430" + text[place:],
    }[edit]


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(texts(), st.sampled_from(TOLD_NETWORKS), st.sampled_from(TOLD_KINDS)),
        min_size=1,
        max_size=40,
    ),
    st.sampled_from([1, 24]),
)
def test_edited_samples(rows: list[tuple[str, str | None, str | None]], times: int) -> None:
    # Repeated 24 times, each shape is common enough for the arrays.
    many = rows * times
    got = normalise_batch(
        [text for text, _, _ in many],
        networks=[network for _, network, _ in many],
        kinds=[kind for _, _, kind in many],
    )
    for row, outcome in zip(many, got, strict=True):
        assert plain(outcome) == single(*row), row


@settings(max_examples=200)
@given(st.lists(st.text(max_size=120), max_size=30), st.sampled_from(TOLD_NETWORKS))
def test_any_text_gives_an_answer_or_a_malformed(values: list[str], network: str | None) -> None:
    got = normalise_batch(values, networks=[network] * len(values))
    for text, outcome in zip(values, got, strict=True):
        assert plain(outcome) == single(text, network, None)


@pytest.mark.parametrize("told", ["nothing", "network", "kind", "both"])
def test_whole_blocks_of_samples_are_recognised(told: str) -> None:
    rows = samples.block(1, seed=7)
    networks = [row.network for row in rows] if told in {"network", "both"} else None
    kinds = [row.kind for row in rows] if told in {"kind", "both"} else None
    outcomes = normalise_batch([row.value for row in rows], networks=networks, kinds=kinds)
    for row, outcome in zip(rows, outcomes, strict=True):
        if row.kind is Kind.TRANSACTION and networks is None:
            assert isinstance(outcome, Malformed)
            assert outcome.code == "network_needed"
        else:
            assert not isinstance(outcome, Malformed), row
            assert (outcome.kind, outcome.network) == (row.kind, row.network)


def test_one_changed_character_is_seen_wherever_there_is_a_checksum() -> None:
    rows = [row for row in samples.block(2, seed=7) if row.kind is Kind.WALLET][:6000]
    checked = [row for row in rows if row.network not in {Network.EVM, Network.SOL}]
    broken = [
        row.value[:-9] + ("x" if row.value[-9] != "x" else "y") + row.value[-8:] for row in checked
    ]
    networks = [row.network for row in checked]
    accepted = [
        (row, outcome)
        for row, outcome in zip(checked, normalise_batch(broken, networks=networks), strict=True)
        if not isinstance(outcome, Malformed)
    ]
    # TON's and Polkadot's checksums have 16 bits; all others 30 and more.
    assert len(accepted) <= 1, accepted


def keypairs(random: np.random.Generator, count: int) -> list[str]:
    """Exported key pairs, which have the length of a signature."""
    seeds = [random.bytes(32) for _ in range(count)]
    keys = [Ed25519PrivateKey.from_private_bytes(seed).public_key() for seed in seeds]
    return [
        base58.encode(seed + key.public_bytes_raw()) for seed, key in zip(seeds, keys, strict=True)
    ]


def byron_like(random: np.random.Generator, count: int) -> list[str]:
    """Signatures that begin as a Byron address does."""
    return [base58.encode(b"\x82\xd8\x18\x58" + random.bytes(60)) for _ in range(count)]


def nines(random: np.random.Generator, count: int) -> list[str]:
    """Dash's test network where it begins like a live address of Dogecoin."""
    return [text for text in make.check58(b"\x13")(random, 900) if text[0] == "9"][:count]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        # Sound, but of a test network or a version without a meaning: the arrays leave them be.
        (make.check58(b"\x6f"), "btc"),
        (make.check58(b"\0", ripple=True), "xrp"),
        (make.check58(b"\x17"), "btc"),
        (nines, "dash"),
        (make.check58(b"\x1d\x25"), "zec"),
        (make.check58(b"\x01"), "btc"),
        (make.witness("bc", 2, 20), "btc"),
        (make.witness("bc", 0, 21), "btc"),
        (make.witness("bc", 17, 32), "btc"),
        (make.witness("bc", 1, 41), "btc"),
        (make.base58_of(31), "sol"),
        (make.base58_of(33), "sol"),
        (make.base58_of(64), "sol"),
        (keypairs, "sol"),
        (byron_like, "sol"),
        (make.onion, None),
        (make.domain, None),
        (make.cash, "bch"),
    ],
)
def test_forty_of_one_shape(values: make.Maker, told: str | None) -> None:
    made = values(np.random.Generator(np.random.PCG64(5)), 40)
    for texts in (made, [text[:-1] + "\u00e4" for text in made], [*made[:39], "1" * len(made[0])]):
        for network in (told, None, "doge"):
            for kind in (None, "wallet", "domain", "onion"):
                got = normalise_batch(texts, networks=[network] * 40, kinds=[kind] * 40)
                assert [plain(one) for one in got] == [single(t, network, kind) for t in texts]


@pytest.mark.parametrize(
    "text", ["co.uk", "github.io", f"{ONION}.onion.ws", "-".join(PHRASE) + ".example"]
)
@pytest.mark.parametrize("kind", [None, "domain", "onion"])
def test_hosts_that_the_quick_way_must_not_settle(text: str, kind: str | None) -> None:
    assert plain(normalise_batch([text], kinds=[kind])[0]) == single(text, None, kind)


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match=r"zip|length"):
        normalise_batch(["a", "b"], networks=["btc"])
    with pytest.raises(ValueError, match=r"zip|length"):
        normalise_batch(["a"], networks=["btc", "btc"], kinds=["wallet", "wallet"])


def test_nothing_gives_nothing() -> None:
    assert normalise_batch([]) == []
