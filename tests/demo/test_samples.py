"""Sample exports: the same seed gives the same bytes, and the file holds what its counts say."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from accord.demo import sample_tallies, samples
from accord.demo.sample_tallies import ORGANISATIONS, organisation_rows
from accord.kernel.errors import Malformed
from accord.kernel.indicators import Kind, network_of_label, normalise_batch


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("one", "two", "other")]
    for path, seed in zip(files, (4, 4, 5), strict=True):
        samples.write_csv(path, 3000, seed=seed)
    one, two, other = (path.read_bytes() for path in files)
    assert one == two
    assert one != other


def test_a_longer_list_begins_with_the_shorter_one() -> None:
    short = list(samples.generate(1000, seed=3))
    assert list(samples.generate(samples.BLOCK + 10, seed=3))[:1000] == short
    assert list(samples.generate(0)) == []


@pytest.mark.parametrize("messy", [True, False])
def test_the_counts_are_those_of_the_file(tmp_path: Path, *, messy: bool) -> None:
    path = tmp_path / "export.csv"
    done = samples.write_csv(path, samples.BLOCK + 500, seed=6, messy=messy)
    rows = read(path)
    assert len(rows) == done.rows == samples.BLOCK + 500
    filled = [row for row in rows if row["address"]]
    outcomes = normalise_batch(
        [row["address"] for row in filled],
        networks=[network_of_label(row["network"]) for row in filled],
    )
    seen = set()
    counts = Counter[str]()
    for outcome in outcomes:
        if isinstance(outcome, Malformed):
            counts["damaged"] += 1
            continue
        key = (outcome.kind, outcome.network, outcome.value)
        counts["duplicates" if key in seen else "valid"] += 1
        counts["respelled"] += outcome.changed
        seen.add(key)
    assert len(rows) - len(filled) == done.blank
    assert (counts["valid"], counts["duplicates"], counts["damaged"]) == (
        done.valid,
        done.duplicates,
        done.damaged,
    )
    # A canonical value may differ from a plain spelling too (case, TON, Polkadot).
    assert counts["respelled"] >= done.respelled
    assert (min(done.blank, done.duplicates, done.damaged, done.respelled) > 0) is messy


def test_every_kind_and_network_is_there() -> None:
    block = samples.block(0)
    assert {row.kind for row in block} == set(Kind)
    assert {row.network for row in block} == {source.network for source in samples.SOURCES}


def test_six_organisations_of_different_trades() -> None:
    trades = Counter(organisation.trade for organisation in ORGANISATIONS)
    assert trades == {"bank": 3, "exchange": 1, "payments": 1, "hotline": 1}
    assert len({organisation.slug for organisation in ORGANISATIONS}) == 6


def test_an_organisations_rows_are_fixed_by_their_seed() -> None:
    rows = list(organisation_rows(2, samples.BLOCK + 7, seed=9))
    assert len(rows) == samples.BLOCK + 7
    assert rows == list(organisation_rows(2, samples.BLOCK + 7, seed=9))
    assert rows[:50] != list(organisation_rows(2, 50, seed=10))
    assert rows[:50] != list(organisation_rows(3, 50, seed=9))


def test_rows_to_count_hold_what_samples_hold() -> None:
    known = {(source.kind, source.network) for source in samples.SOURCES}
    for number in range(len(ORGANISATIONS)):
        for row in organisation_rows(number, 2000):
            assert (row.kind, row.network) in known
            assert row.role in (samples.SITE_ROLES if row.network is None else samples.ROLES)
            assert row.country in sample_tallies.COUNTRIES


def test_a_hotline_sees_sites_and_a_bank_sees_wallets() -> None:
    bank, hotline = (Counter(row.kind for row in organisation_rows(n, 4000)) for n in (0, 5))
    assert hotline[Kind.ONION] > 5 * bank[Kind.ONION]
    assert bank[Kind.WALLET] > hotline[Kind.WALLET]
