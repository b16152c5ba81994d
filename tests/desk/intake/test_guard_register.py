"""Lists kept by reference hold what they held when they were read, or nothing is sent."""

import json
import os
from pathlib import Path

import pytest

from accord.desk.intake import guard_lists as loading
from accord.desk.intake.guard_lists import load_guards
from accord.desk.intake.guard_register import (
    COPY,
    add_lists,
    copied_lists,
    pinned_lists,
    remove_lists,
    state_of,
    update_lists,
    write_copy,
)
from accord.desk.storage import Vault, create_vault
from accord.desk.storage.guard_lists import guard_lists
from accord.kernel.errors import AccordError, Conflict, Malformed, NotFound

EVM = "0x52908400098527886e0f7030069857d2e4169ee7"


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return create_vault(tmp_path / "vault.db", bytes(32))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    made = tmp_path / "lists"
    made.mkdir()
    write(made / "hosts.json", ["one.com", "two.com", "three.com"])
    (made / "guard.csv").write_text(f"address\n{EVM}\n")
    return made


def write(path: Path, entries: list[str], version: int = 1) -> None:
    content = {"name": "Hosts", "version": version, "type": "hostname", "list": entries}
    path.write_text(json.dumps(content))


def acts(vault: Vault) -> list[tuple[str, str, str]]:
    rows = vault.connection.execute(
        "SELECT person, object, reason FROM acts WHERE act = 'list:change'"
    )
    return [(row[0], row[1], row[2]) for row in rows]


def test_the_journal_names_every_list_of_a_large_collection(vault: Vault, tmp_path: Path) -> None:
    for number in range(70):
        content = {"name": f"List {number} of forty characters or so", "list": [f"a{number}.com"]}
        (tmp_path / f"l{number}.json").write_text(json.dumps({**content, "type": "hostname"}))
    add_lists(vault, [tmp_path], person="ana", now=7)
    told = "; ".join(said for _, said, _ in acts(vault))
    for one in guard_lists(vault):
        assert f"+{one.name} {one.sha256.hex()}" in told


def test_a_directory_that_is_added_after_one_of_its_lists_is_read_as_a_whole(
    vault: Vault, place: Path
) -> None:
    add_lists(vault, [place / "hosts.json"], person="ana", now=7)
    add_lists(vault, [place], person="ana", now=8)
    write(place / "more.json", ["four.com"])
    update_lists(vault, person="ana", now=9)
    assert len(guard_lists(vault)) == 3
    assert len(remove_lists(vault, str(place), person="ana", now=10)) == 3


def test_a_list_that_was_taken_away_does_not_come_back_by_an_update(
    vault: Vault, place: Path
) -> None:
    add_lists(vault, [place], person="ana", now=7)
    remove_lists(vault, "Hosts", person="ana", now=8)
    update_lists(vault, person="ana", now=9)
    assert [one.name for one in guard_lists(vault)] == ["guard"]
    (place / "guard.csv").write_text(f"address\n{EVM}\n{EVM[:-1]}8\n")
    update_lists(vault, person="ana", now=10)
    assert [(one.name, one.n) for one in guard_lists(vault)] == [("guard", 2)]
    add_lists(vault, [place], person="ana", now=11)
    assert [one.name for one in guard_lists(vault)] == ["guard", "Hosts"]


def test_a_directory_is_added_by_reference_with_version_hash_and_count(
    vault: Vault, place: Path
) -> None:
    changes = add_lists(vault, [place], person="ana", now=7)
    assert [(one.before, one.added, one.removed) for one in changes] == [(None, 1, 0), (None, 3, 0)]
    csv, hosts = guard_lists(vault)
    assert (csv.name, csv.version, csv.n) == ("guard", None, 1)
    assert (hosts.name, hosts.version, hosts.n, hosts.at) == ("Hosts", "1", 3, 7)
    assert [state_of(one) for one in (csv, hosts)] == ["unchanged", "unchanged"]
    guards = load_guards([], pinned_lists(vault))
    assert [(one.name, one.entries) for one in guards.lists] == [("guard", 1), ("Hosts", 3)]
    ((person, told, reason),) = acts(vault)
    assert (person, reason) == ("ana", "added")
    assert hosts.sha256.hex() in told
    assert csv.sha256.hex() in told


def test_a_list_that_changed_stops_until_it_is_read_again_and_the_numbers_are_told(
    vault: Vault, place: Path
) -> None:
    add_lists(vault, [place], person="ana", now=7)
    write(place / "hosts.json", ["two.com", "three.com", "four.com", "five.com"], version=2)
    (place / "other-guard.csv").write_text("domain\nnew-host.com\n")
    with pytest.raises(Conflict, match="guard_list_changed") as caught:
        load_guards([], pinned_lists(vault))
    assert "guards update" in str(caught.value.next_step)
    assert state_of(guard_lists(vault)[1]) == "changed"
    told = {
        (one.after or one.before).name: (one.added, one.removed)  # type: ignore[union-attr]
        for one in update_lists(vault, person="bo", now=9)
    }
    assert told == {"guard": (0, 0), "Hosts": (2, 1), "other-guard": (1, 0)}
    assert [one.version for one in guard_lists(vault)] == [None, "2", None]
    assert acts(vault)[-1][1].startswith("2 guard lists: ")
    load_guards([], pinned_lists(vault))
    before = len(acts(vault))
    update_lists(vault, person="bo", now=10)
    assert len(acts(vault)) == before, "nothing changed, so nothing is told"


def test_a_missing_list_stops_and_its_place_gone_changes_nothing(vault: Vault, place: Path) -> None:
    add_lists(vault, [place], person="ana", now=7)
    (place / "guard.csv").unlink()
    with pytest.raises(NotFound, match="guard_list_missing"):
        load_guards([], pinned_lists(vault))
    assert state_of(guard_lists(vault)[0]) == "missing"
    (gone,) = [one for one in update_lists(vault, person="ana", now=8) if one.after is None]
    assert (gone.removed, len(guard_lists(vault))) == (1, 1)
    place.rename(place.with_name("elsewhere"))
    for wrong in (update_lists, lambda *_a, **how: add_lists(vault, [place], **how)):
        with pytest.raises(NotFound, match="guards_missing"):
            wrong(vault, person="ana", now=9)
    assert len(guard_lists(vault)) == 1


def test_what_is_only_tried_is_told_and_changes_nothing(vault: Vault, place: Path) -> None:
    tried = add_lists(vault, [place], person="ana", now=7, keep=False)
    assert (guard_lists(vault), acts(vault)) == ([], [])
    assert add_lists(vault, [place], person="ana", now=7) == tried
    kept, noted = guard_lists(vault), acts(vault)
    write(place / "hosts.json", ["one.com", "four.com"], version=2)
    changes = update_lists(vault, person="ana", now=8, keep=False)
    assert [(one.added, one.removed) for one in changes] == [(0, 0), (1, 2)]
    assert len(remove_lists(vault, "Hosts", person="ana", now=9, keep=False)) == 1
    assert (guard_lists(vault), acts(vault)) == (kept, noted)


def test_lists_go_by_name_path_or_place(vault: Vault, place: Path) -> None:
    add_lists(vault, [place, place / "hosts.json"], person="ana", now=7)
    assert len(guard_lists(vault)) == 2
    remove_lists(vault, "Hosts", person="ana", now=8)
    assert [one.name for one in guard_lists(vault)] == ["guard"]
    remove_lists(vault, str(place), person="ana", now=8)
    assert guard_lists(vault) == []
    assert [reason for *_, reason in acts(vault)] == ["added", "removed", "removed"]
    with pytest.raises(NotFound, match="guard_list_unknown"):
        remove_lists(vault, "Hosts", person="ana", now=8)


def test_a_list_of_the_desk_that_is_given_again_is_loaded_once(vault: Vault, place: Path) -> None:
    add_lists(vault, [place], person="ana", now=7)
    write(place / "more.json", ["six.com"])
    guards = load_guards([place], pinned_lists(vault))
    assert guards.names == ["guard", "Hosts", "Hosts"], "two of the desk, and the new file"


def test_one_bad_list_adds_none(vault: Vault, place: Path) -> None:
    (place / "bad.json").write_text("{")
    with pytest.raises(Malformed, match="guard_list_invalid"):
        add_lists(vault, [place], person="ana", now=7)
    assert (guard_lists(vault), acts(vault)) == ([], [])


def test_the_copy_follows_and_a_damaged_one_is_said(
    vault: Vault, place: Path, tmp_path: Path
) -> None:
    assert copied_lists(tmp_path) == ()
    write_copy(vault, tmp_path)
    assert not (tmp_path / COPY).exists(), "a desk without lists has no copy"
    add_lists(vault, [place], person="ana", now=7)
    write_copy(vault, tmp_path)
    assert copied_lists(tmp_path) == pinned_lists(vault)
    assert (tmp_path / COPY).stat().st_mode & 0o077 == 0
    for bad in (b"{}", b'[{"path":"x"}]', b"[" * 100_000, b'[{"path":1,"name":"","sha256":""}]'):
        (tmp_path / COPY).write_bytes(bad)
        with pytest.raises(Malformed, match="guards_copy_damaged"):
            copied_lists(tmp_path)
    write_copy(vault, tmp_path)
    assert copied_lists(tmp_path) == pinned_lists(vault)


@pytest.mark.parametrize(
    "content",
    [
        "[" * 200_000,
        '{"list":' + "[" * 200_000,
        '{"a":' * 100_000,
        '{"list":["a.com"],"version":' + "9" * 100_000 + "}",
        '{"list":["a.com"],"list":[]}',
        '{"list":["a.com"],"name":"x","name":"y"}',
        '{"list":["a.com"],"version":NaN}',
        '{"list":["a.com"],"version":Infinity}',
        '{"type":"regex","list":["' + "(" * 20_000 + ")" * 20_000 + '"]}',
        '{"type":"regex","list":["a{99999999999999999999}"]}',
        '{"list":[\x00]}',
        '{"list":["a.com"]} x',
    ],
    ids=[
        *("deep", "deep list", "deep names", "huge number", "list twice", "name twice", "NaN"),
        *("infinity", "deep pattern", "huge repeat", "NUL", "more behind it"),
    ],
)
def test_a_json_bomb_is_refused_with_its_code(tmp_path: Path, content: str) -> None:
    path = tmp_path / "bomb.json"
    path.write_text(content)
    with pytest.raises(Malformed, match="guard_list_invalid"):
        load_guards([path])


def test_a_list_over_64_mib_is_refused_before_it_is_read_through(tmp_path: Path) -> None:
    for name in ("large.json", "guard.csv"):
        path = tmp_path / name
        with path.open("wb") as out:
            out.truncate(loading.MAX_LIST_BYTES + 1)
        with pytest.raises(Malformed, match="guard_list_invalid"):
            load_guards([path])


def test_too_many_entries_are_refused_before_they_take_memory(tmp_path: Path) -> None:
    many = tmp_path / "many.json"
    many.write_bytes(b'{"list":[' + b"{}," * (loading.MAX_ENTRIES + 1) + b"{}]}")
    with pytest.raises(Malformed, match="guard_list_invalid"):
        load_guards([many])


@pytest.mark.parametrize(
    "content",
    [
        "address\n" + "x" * (2 << 20),
        'address\n"' + "a\n" * 5_000,
        ",".join(["address"] * 2_000) + "\n",
        "address\n" + f"{EVM}\n" * 40 + '"' + "y" * 200_000 + '"\n' + "z" * (1 << 21),
    ],
    ids=["one endless line", "a quote never closed", "a thousand columns", "an endless cell"],
)
def test_a_csv_bomb_is_refused_whole(tmp_path: Path, content: str) -> None:
    path = tmp_path / "guard.csv"
    path.write_text(content)
    with pytest.raises(AccordError) as caught:
        load_guards([path])
    assert caught.value.code in {"guard_list_invalid", "line_too_long", "columns_too_many"}


def test_a_pipe_is_no_list(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "guard.json")
    with pytest.raises(NotFound, match="guards_missing"):
        load_guards([tmp_path / "guard.json"])
    with pytest.raises(Malformed, match="guards_empty"):
        load_guards([tmp_path])
