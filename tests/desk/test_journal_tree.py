"""The journal's tree: rows of before become leaves in order, one leaf a row, salts of their own."""

from pathlib import Path

import pytest
from tests.desk.conftest import NOW, VAULT_KEY

from accord.desk.storage import create_vault, journal, open_vault
from accord.desk.storage.journal_leaves import (
    JOURNAL_VERSION,
    journal_head,
    journal_leaves,
    rows_without_leaf,
)
from accord.desk.storage.journal_names import journal_name
from accord.desk.storage.schema import VERSIONS
from accord.desk.storage.vault import Vault
from accord.kernel.errors import Unavailable


def fill(vault: Vault) -> None:
    for number in range(3):
        no = journal.begin_search(
            vault, person="ana", reason="r", values=["x"] * 9000, manner="values", now=NOW + number
        )
        if number != 1:  # one that was cut off
            journal.finish_search(vault, no, found=number)
        journal.record_act(
            vault,
            person="é" * 40_000,
            act=journal.Act.EXPORT_MAKE,
            subject="s",
            reason="r",
            now=NOW + number,
        )


def kinds(vault: Vault) -> list[str]:
    rows = vault.connection.execute("SELECT kind FROM journal_leaves ORDER BY place")
    return [row[0] for row in rows]


def test_rows_that_were_there_become_leaves_in_the_order_of_time(tmp_path: Path) -> None:
    assert "CREATE TABLE journal_leaves" in VERSIONS[JOURNAL_VERSION - 1]
    vault = create_vault(tmp_path / "vault.db", VAULT_KEY)
    fill(vault)
    for table in ("journal_leaves", "journal_heads"):
        vault.connection.execute(f"DROP TABLE {table}")
    later, named, kept = VERSIONS[JOURNAL_VERSION:]  # undo what later versions made, too
    assert "ALTER TABLE own_events ADD COLUMN sender" in later
    assert "the setting journal_name" in named
    assert "CREATE INDEX own_events_kept" in kept
    vault.connection.execute("DROP INDEX own_events_kept")
    vault.connection.execute("DELETE FROM settings WHERE name = 'journal_name'")
    vault.connection.execute("ALTER TABLE own_events DROP COLUMN sender")
    accepted, delivered = (
        (seq, f"bundle.{what}") for seq, what in ((1, "accepted"), (2, "delivered"))
    )
    vault.connection.executemany(
        "INSERT INTO own_events (seq, number, what, actor, subject, outcome, at)"
        " VALUES (?, 1, ?, 'bank@hub.example', 'B1', 'ok', 1)",
        (accepted, delivered),
    )
    vault.connection.execute(f"PRAGMA user_version = {JOURNAL_VERSION - 1}")
    vault.close()
    again = open_vault(tmp_path / "vault.db", VAULT_KEY)
    assert kinds(again) == ["act", "search", "found", "act", "search", "act", "search", "found"]
    assert [leaf.flaw for leaf in journal_leaves(again.connection)] == [""] * 8
    assert rows_without_leaf(again.connection) == []
    head, name = journal_head(again.connection), journal_name(again.connection)
    assert len(name) == 16
    again.close()
    once_more = open_vault(tmp_path / "vault.db", VAULT_KEY)
    assert journal_head(once_more.connection) == head, "leaves are made once"
    assert journal_name(once_more.connection) == name, "and so is the name"
    once_more.close()


def test_equal_rows_make_unequal_leaves(vault: Vault) -> None:
    for _ in range(2):
        fill(vault)
    hashes = {leaf.hash for leaf in journal_leaves(vault.connection)}
    assert len(hashes) == len(kinds(vault)) == journal_head(vault.connection).size == 16


def test_each_new_vault_has_a_journal_of_another_name(tmp_path: Path) -> None:
    names = set()
    for number in range(3):
        vault = create_vault(tmp_path / f"{number}.db", VAULT_KEY)
        names.add(journal_name(vault.connection))
        vault.close()
    assert len(names) == 3


def test_a_row_and_its_leaf_are_one_transaction(vault: Vault) -> None:
    vault.connection.execute("DROP TABLE journal_leaves")
    with pytest.raises(Unavailable):
        journal.record_act(
            vault, person="a", act=journal.Act.KEY_USE, subject="s", reason="r", now=NOW
        )
    assert vault.connection.execute("SELECT count(*) FROM acts").fetchone() == (0,)
