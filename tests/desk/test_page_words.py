"""Every code that a page can meet has its sentence."""

from collections.abc import Mapping
from enum import StrEnum

import pytest

from accord.desk.cli import feedback
from accord.desk.exchange.confirmations import Standing
from accord.desk.exchange.own_keys import Role, Todo, Use
from accord.desk.exchange.timeline import ACTORS, Step, What, Word
from accord.desk.indicators import How, Match
from accord.desk.indicators.search import EndState
from accord.desk.storage.outbox import OutboxState
from accord.desk.web import keys, words
from accord.kernel.errors import Malformed
from accord.kernel.indicators import Network
from accord.kernel.markings import Onward, Tlp
from accord.webbase.names import NETWORKS


@pytest.mark.parametrize(
    ("table", "vocabulary"),
    [
        (words.TLP, Tlp),
        (words.ONWARD, Onward),
        (words.ADVICE, EndState),
        (words.STANDING, Standing),
        (words.OUTBOX, OutboxState),
        (words.WHAT, What),
        (words.WORD, Word),
        (words.STEP, Step),
        (feedback.WHAT, What),
        (feedback.WORDS, Word),
        (feedback.STEPS, Step),
        (ACTORS, Step),
        (words.HOW, How),
        (words.MATCH, Match),
        (NETWORKS, Network),
        (keys.USES, Use),
        (keys.ROLES, Role),
    ],
)
def test_each_table_has_a_sentence_for_every_code_and_no_other(
    table: Mapping[str, str], vocabulary: type[StrEnum]
) -> None:
    assert set(table) == {code.value for code in vocabulary}
    assert all(table.values())


def test_each_thing_to_do_about_the_keys_has_its_sentence() -> None:
    assert set(keys.STEPS) == set(Todo)
    assert [code for code, text in keys.STEPS.items() if not text] == [Todo.STANDING]


def test_an_error_without_a_field_keeps_its_own_next_step() -> None:
    error = Malformed("other", "No.", next_step="Do that.")
    assert words.search_step(error) == (None, "Do that.")
    assert words.search_step(Malformed("search_empty", "No."))[0] == "values"
