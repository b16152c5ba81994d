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
from accord.desk.web.letter_words import read_line
from accord.kernel.errors import Malformed
from accord.kernel.indicators import Network
from accord.kernel.markings import BundleKind, Onward, Tlp
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


@pytest.mark.parametrize(
    ("kind", "number", "line", "said"),
    [
        (
            "sighting",
            0,
            b'{"saw":"seen"}',
            [("Record", "the whole bundle"), ("What was seen", "seen")],
        ),
        (
            "sighting",
            0,
            b'{"saw":"later"}',
            [("Record", "the whole bundle"), ("What was seen", "later")],
        ),
        ("request", 0, b'{"deadline":0}', [("Until", "1970-01-01 00:00 UTC")]),
        ("request", 0, b'{"deadline":"soon"}', [("Until", "soon")]),
        ("request", 0, b'{"new_name":{"a":[{}]}}', [("new name", '{"a": [{}]}')]),
        ("request", 0, b'{"about":[]}', [("About", "")]),
        ("request", 0, b'{"about":[1,{"a":1}]}', [("About", '[1, {"a": 1}]')]),
        ("response", 0, b'{"outcome":"nothing-held"}', [("Outcome", "nothing held")]),
        (
            "response",
            1,
            b'{"basis":"observed","more":true}',
            [("basis", "observed"), ("more", "true")],
        ),
        ("notice", 0, b'{"text":"a\\nb"}', [("In words", "a\nb")]),
    ],
)
def test_a_line_of_a_letter_is_told_whole(
    kind: str, number: int, line: bytes, said: list[tuple[str, str]]
) -> None:
    found = read_line(BundleKind(kind), number, line)
    assert [(one.name, one.text) for one in found] == said
    assert not any(one.things for one in found)


def test_things_of_a_letter_keep_every_name_and_value() -> None:
    line = b'{"about":[{"kind":"wallet","value":"x, records 5","memo":true},{"bundle":"b","records":[1,2]}]}'
    (one,) = read_line(BundleKind.REQUEST, 0, line)
    assert one.things == (
        (("kind", "wallet"), ("value", "x, records 5"), ("memo", "true")),
        (("bundle", "b"), ("records", "1, 2")),
    )
