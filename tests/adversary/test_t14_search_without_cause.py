"""T14: an insider searches without cause, or wants no trace of it. No reason, no answer."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.desk.conftest import NOW, described, put, records_of

from accord.desk.indicators import search
from accord.desk.storage import Vault, create_vault
from accord.desk.storage.journal import searches
from accord.kernel.errors import AccordError

VALUE = "shop.evil-example.org"


@pytest.fixture
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    made = create_vault(tmp_path_factory.mktemp("insider") / "vault.db", bytes(range(32)))
    put(made, described(1), records_of([VALUE]))
    yield made
    made.close()


@pytest.mark.parametrize("reason", ["", "   ", "\t\n", "x" * 501, "case\x00114", "a\u202eb"])
def test_no_reason_or_one_that_cannot_be_read_gets_no_answer(vault: Vault, reason: str) -> None:
    with pytest.raises(AccordError):
        search(vault, [VALUE], person="ana", reason=reason, now=NOW)
    assert searches(vault) == []


def test_each_search_is_written_down_with_who_why_and_what(vault: Vault) -> None:
    for person, reason in (("ana", "case 114"), ("bob", "case 115")):
        assert search(vault, [VALUE, "x!"], person=person, reason=reason, now=NOW).found == 1
    kept = sorted((one.person, one.reason) for one in searches(vault))
    assert kept == [("ana", "case 114"), ("bob", "case 115")]


def test_a_search_that_finds_nothing_is_written_down_too(vault: Vault) -> None:
    assert search(vault, ["none.example.net"], person="ana", reason="case 1", now=NOW).found == 0
    assert len(searches(vault)) == 1


def test_what_cannot_be_written_down_is_not_answered(vault: Vault) -> None:
    """The journal's place is taken away: the search fails instead of going on without it."""
    vault.connection.execute("DROP TABLE searches")
    with pytest.raises(Exception, match="searches"):
        search(vault, [VALUE], person="ana", reason="case 114", now=NOW)


def test_no_command_takes_anything_out_of_the_journal(project: Path) -> None:
    """Who holds the passphrase can still rewrite the file; see what is left in the document."""
    edit = re.compile(r"(DELETE FROM|DROP TABLE|UPDATE) (searches|acts)\b(?! SET found)")
    sources = (project / "platform" / "accord").rglob("*.py")
    assert [path.name for path in sources if edit.search(path.read_text("utf-8"))] == []
