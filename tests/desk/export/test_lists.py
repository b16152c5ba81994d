"""Screening lists: full and delta with explicit removals; the deltas applied are the full list."""

import csv
import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.desk.conftest import BANK, NOW, VAULT_KEY, bundle_id, described, put, records_of
from tests.desk.export.test_exports import POLICE

from accord.desk.export import Selection
from accord.desk.export.list import HEAD
from accord.desk.export.registry import FORMATS
from accord.desk.export.service import Exported, export
from accord.desk.storage import Mark, MarkState, Vault, create_vault
from accord.desk.storage.bundles import WHOLE, add_mark, find_bundle
from accord.desk.storage.exports import who_took
from accord.kernel.errors import Malformed

Rows = dict[str, tuple[str, ...]]


def make(vault: Vault, target: Path, previous: Path | None = None, now: int = NOW) -> Exported:
    return export(
        vault,
        FORMATS["list"],
        target,
        Selection(),
        org=POLICE,
        person="mia",
        purpose="screening",
        reason="case 17",
        now=now,
        previous=previous,
    )


def rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))[1:]


def full(folder: Path) -> Rows:
    return {row[0]: tuple(row) for row in rows(folder / "full.csv")}


def apply(before: Rows, folder: Path) -> Rows:
    """Do what a reader of the delta does, and refuse what does not fit."""
    after = dict(before)
    for op, *row in rows(folder / "delta.csv"):
        if op == "add":
            assert row[0] not in after
            after[row[0]] = tuple(row)
        else:
            assert op == "remove"
            assert after.pop(row[0]) == tuple(row)
    return after


def retract(vault: Vault, number: int, record: int) -> None:
    mark = Mark(
        record=record,
        state=MarkState.RETRACTED,
        by_org=BANK,
        by_id=bundle_id(999),
        code="error",
        at=NOW,
    )
    with vault.transaction() as connection:
        add_mark(connection, BANK, bundle_id(number), mark)


STEPS = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.sampled_from(["retract", "whole", "expire", "none"]),
        st.integers(0, 9),
    ),
    min_size=1,
    max_size=6,
)


@settings(
    max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(steps=STEPS)
def test_applying_the_deltas_gives_the_full_list(
    steps: list[tuple[int, str, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("lists")
    vault = create_vault(folder / "vault.db", VAULT_KEY)
    known: Rows = {}
    previous: Path | None = None
    now = NOW
    for number, (new, act, which) in enumerate(steps, start=1):
        put(
            vault,
            described(number, expires=NOW + 1000 * number),
            records_of([f"s{number}x{place}.evil-site.org" for place in range(new)]),
        )
        if act in {"retract", "whole"}:
            retract(vault, 1 + which % number, WHOLE if act == "whole" else which % 3)
        if act == "expire":
            now = NOW + 1000 * number
        target = folder / f"v{number}"
        made = make(vault, target, previous, now)
        known = apply(known, target)
        assert known == full(target)
        said = json.loads((target / "list.json").read_text())
        assert said["full"]["rows"] == len(known) == made.records
        for name in ("full", "delta"):
            data = (target / f"{name}.csv").read_bytes()
            assert said[name]["sha256"] == hashlib.sha256(data).hexdigest()
            assert said[name]["rows"] == len(rows(target / f"{name}.csv"))
        previous = target
    vault.close()


def test_a_list_that_lost_all_its_rows_says_so_row_by_row(vault: Vault, tmp_path: Path) -> None:
    put(vault, described(1), records_of(["evil-site.org", "worse-site.org"]))
    first = make(vault, tmp_path / "v1")
    retract(vault, 1, WHOLE)
    made = make(vault, tmp_path / "v2", tmp_path / "v1")
    assert (first.records, made.records) == (2, 0)
    assert [row[0] for row in rows(tmp_path / "v2" / "delta.csv")] == ["remove", "remove"]
    assert full(tmp_path / "v2") == {}
    assert [one.form for one in who_took(vault, find_bundle(vault, bundle_id(1)).no)] == ["list"]


def test_a_row_says_who_under_which_marking_and_starts_no_formula(
    vault: Vault, tmp_path: Path
) -> None:
    put(vault, described(1, org="=a@hub.example"), records_of(["evil-site.org"]))
    make(vault, tmp_path / "v1")
    (row,) = rows(tmp_path / "v1" / "full.csv")
    told = dict(zip(HEAD, row, strict=True))
    assert (told["id"], told["value"]) == (f"{bundle_id(1)}/0", "evil-site.org")
    assert (told["sender"], told["marking"]) == ("'=a@hub.example", "TLP:AMBER")


@pytest.mark.parametrize("name", ["full.csv", "list.json", "delta.csv"])
def test_a_list_that_was_changed_or_never_made_is_no_beginning(
    vault: Vault, tmp_path: Path, name: str
) -> None:
    put(vault, described(1), records_of(["evil-site.org"]))
    make(vault, tmp_path / "v1")
    with (tmp_path / "v1" / name).open("a", encoding="utf-8") as file:
        file.write("x")
    for previous in (tmp_path / "v1", tmp_path / "absent", tmp_path):
        with pytest.raises(Malformed) as caught:
            make(vault, tmp_path / "v2", previous)
        assert caught.value.code == "list_unknown"
    assert not (tmp_path / "v2").exists()


def test_only_a_list_tells_changes(vault: Vault, tmp_path: Path) -> None:
    put(vault, described(1), records_of(["evil-site.org"]))
    make(vault, tmp_path / "v1")
    with pytest.raises(Malformed) as caught:
        export(
            vault,
            FORMATS["csv"],
            tmp_path / "out.csv",
            Selection(),
            org=POLICE,
            person="mia",
            purpose="screening",
            reason="case 17",
            now=NOW,
            previous=tmp_path / "v1",
        )
    assert caught.value.code == "list_unknown"
