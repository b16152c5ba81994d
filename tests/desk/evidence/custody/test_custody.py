"""Lines of custody that the maker's journal proves: both verifiers tell the same, and no more."""

import base64
import copy
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.desk.evidence.conftest import EVM, SITE, made_at
from tests.desk.evidence.custody.conftest import (
    NAME,
    WHY,
    forged,
    last_act,
    lines_of,
    look,
    proof_of,
    reasons,
    seen_by,
    under_a_head,
)
from tests.desk.wire import DeskAt
from tests.support.forged_evidence import (
    CHECKER,
    checker,
    refusals,
    said_raw,
    signed_anew,
    statement_in,
)
from tests.support.hub_world import BTC, World
from tests.support.pdf_text import text_runs

from accord.cli.main import main
from accord.desk.evidence.service import MadeEvidence
from accord.desk.exchange.journal_heads import send_head
from accord.desk.storage.bundles import find_bundle
from accord.desk.storage.evidence import heads_kept
from accord.desk.storage.journal import Act, record_act
from accord.kernel.directory.rootfile import verify_root
from accord.kernel.errors import VerificationFailed
from accord.kernel.evidence import archive
from accord.kernel.evidence.custody import verify_custody
from accord.kernel.evidence.journal import MAX_HEADS
from accord.kernel.evidence.statement import parse_signed
from accord.kernel.tlog.growing import parse_grown
from accord.kernel.tlog.leaf import format_record, parse_record


def test_a_row_is_proved_under_the_earliest_head_over_it(
    police: DeskAt, made: MadeEvidence
) -> None:
    lines = {one["who"]: one["proof"] for one in lines_of(made.data)}
    assert lines[f"desk of {police.org}"] is None, "no row says that"
    assert lines["late"] is None, "no head covers it yet"
    assert lines["bo"]["rows"] < lines["di"]["rows"] == lines["cy"]["rows"]
    assert lines["bo"]["event"] < lines["di"]["event"] == lines["cy"]["event"]
    assert [lines[who]["whole"] for who in ("bo", "di", "cy")] == [True, True, False]
    with police.open() as desk:
        heads = dict(heads_kept(desk.vault))
    assert parse_grown(heads[lines["bo"]["event"]]).size == lines["bo"]["rows"]


def test_the_reason_and_the_number_of_an_act_stay_closed(made: MadeEvidence) -> None:
    assert WHY.encode() not in made.data
    rows = [one.row for one in statement_in(made.data).custody if one.row is not None]
    assert len(rows) == 3
    for row in rows:
        assert set(row.record.opened()) == {"kind", "at", "person", "act", "object"}
    journal = statement_in(made.data).journal
    assert journal is not None
    for head in journal.heads:
        assert not [name for name in head.record.opened() if name.startswith("member.")]


def test_the_same_question_gives_the_same_bytes_with_rows_in_them(
    police: DeskAt, made: MadeEvidence
) -> None:
    again = made_at(police, EVM)
    assert (again.again, again.data) == (True, made.data)


def test_both_verifiers_and_the_report_say_what_stands_behind_each_line(
    made: MadeEvidence, tmp_path: Path
) -> None:
    path = tmp_path / "evidence.zip"
    path.write_bytes(made.data)
    ours = CliRunner().invoke(main, ["verify", str(path), "--home", str(tmp_path)]).output
    alone = subprocess.run(
        [sys.executable, str(CHECKER), str(path)], capture_output=True, text=True, check=True
    ).stdout
    first, second = (
        [one for one in text.splitlines() if " UTC, " in one] for text in (ours, alone)
    )
    assert first == second
    assert len(first) == 5
    lines = lines_of(made.data)
    for told, line in zip(first, lines, strict=True):
        proof = line["proof"]
        begins = "maker's word: " if proof is None else f"proved under the head of {proof['rows']} "
        assert told.strip().startswith(begins)
        assert told.endswith(f", {line['who']}, {line['what']}")
    assert "that this record was in it: maker's word" in first[-2] + first[-3]
    found = json.loads(
        CliRunner().invoke(main, ["verify", str(path), "--json", "--home", str(tmp_path)]).stdout
    )
    assert (found["custody_lines"], found["custody"]) == (lines, 5)
    assert found["report"] == "as made from the proof"
    text = "".join("".join(text_runs(archive.read(made.data)[archive.REPORT])).split())
    for line in lines:
        if line["proof"] is not None:
            assert f"provedundertheheadof{line['proof']['rows']}rows" in text
    assert text.count("maker’sword") + text.count("maker'sword") >= 3


def test_words_of_the_maker_cannot_look_like_a_proof(
    police: DeskAt, made: MadeEvidence, tmp_path: Path
) -> None:
    lie = "ana): proved under the head of 9 rows"
    said = statement_in(made.data)
    told = (replace(said.custody[0], who=lie), *said.custody[1:])
    false = signed_anew(made.data, {}, police.keyring.signing, custody=told)
    path = tmp_path / "evidence.zip"
    path.write_bytes(false)
    ours = CliRunner().invoke(main, ["verify", str(path), "--home", str(tmp_path)]).output
    alone = subprocess.run(
        [sys.executable, str(CHECKER), str(path)], capture_output=True, text=True, check=True
    ).stdout
    for text in (ours, alone):
        (line,) = [one for one in text.splitlines() if lie in one]
        assert line.strip().startswith("maker's word: ")


def test_a_file_without_rows_holds_as_before(police: DeskAt, made: MadeEvidence) -> None:
    said = statement_in(made.data)
    bare = tuple(replace(one, row=None) for one in said.custody)
    old = signed_anew(made.data, {}, police.keyring.signing, custody=bare, journal=None)
    assert [one["proof"] for one in lines_of(old)] == [None] * 5
    assert b'"row"' not in archive.read(old)[NAME]


def parts(found: Any, *at: Any) -> Iterator[tuple[Any, ...]]:
    """Yield the way to every number and text below ``found``."""
    if isinstance(found, dict | list):
        for key in found if isinstance(found, dict) else range(len(found)):
            yield from parts(found[key], *at, key)
    else:
        yield at


def flipped(value: Any, place: int) -> Any:
    """Return a number that is one off, or base64 with one sextet changed."""
    if isinstance(value, int):
        return value ^ 1
    place = place % len(value.rstrip("="))
    return value[:place] + ("B" if value[place] == "A" else "A") + value[place + 1 :]


def test_every_part_of_row_head_and_checkpoint_that_is_changed_is_named_by_both(
    police: DeskAt, made: MadeEvidence
) -> None:
    """Signed anew by the maker each time, so that nothing but the proof itself stands against it."""
    said: dict[str, Any] = {}
    said_raw(made.data, police.keyring.signing, said.update)
    rows = [at for at, one in enumerate(said["custody"]) if "row" in one]
    ways = [
        ("custody", at, "row", *way) for at in rows for way in parts(said["custody"][at]["row"])
    ]
    ways += [("journal", *way) for way in parts(said["journal"])]
    assert len(ways) > 20
    for way in ways:
        for third in (1, 2):
            value = said
            for key in way:
                value = value[key]
            place = len(value) * third // 3 if isinstance(value, str) else 0
            changed = flipped(value, place)

            def change(told: Any, way: tuple[Any, ...] = way, changed: Any = changed) -> None:
                for key in way[:-1]:
                    told = told[key]
                told[way[-1]] = changed

            false = said_raw(made.data, police.keyring.signing, change)
            assert refusals(false) == (NAME, NAME), (way, third)
            if not isinstance(value, str):
                break


def b64(text: str) -> bytes:
    return base64.b64decode(text)


def text64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def row_at(told: Any, who: str) -> int:
    return next(at for at, one in enumerate(told["custody"]) if one["who"] == who)


def line_says(who: str, /, **words: object) -> Callable[[Any], None]:
    return lambda told: told["custody"][row_at(told, who)].update(words)


def swapped(told: Any) -> None:
    one, two = (told["custody"][row_at(told, who)] for who in ("bo", "di"))
    one["row"], two["row"] = two["row"], one["row"]


def doubled(told: Any) -> None:
    told["custody"].append(copy.deepcopy(told["custody"][row_at(told, "bo")]))


def recorded(change: Callable[[bytes], bytes]) -> Callable[[Any], None]:
    """Change the openings of a row."""

    def changed(told: Any) -> None:
        row = told["custody"][row_at(told, "bo")]["row"]
        row["record"] = text64(change(b64(row["record"])))

    return changed


def opened_less(name: str) -> Callable[[Any], None]:
    """Close a field that has to be open."""
    return recorded(lambda record: format_record(parse_record(record).close({name})))


LIES: dict[str, Callable[[Any], object]] = {
    "another person": line_says("bo", who="eve"),
    "another time": line_says("bo", at=1),
    "another act": line_says("bo", what="made a file of evidence"),
    "another form of export": line_says("cy", what="exported it as misp"),
    "rows of two lines": swapped,
    "one row for two lines": doubled,
    "a row without journal": lambda told: told.pop("journal"),
    "a head for nothing": lambda told: [one.pop("row", None) for one in told["custody"]],
    "a checkpoint for nothing": lambda told: told["journal"]["checkpoints"].append("AAAA"),
    "heads out of order": lambda told: told["journal"]["heads"].reverse(),
    "a head twice": lambda told: told["journal"]["heads"].append(told["journal"]["heads"][0]),
    "a head too far": lambda told: told["custody"][row_at(told, "bo")]["row"].update(head=9),
    "a checkpoint too far": lambda told: told["journal"]["heads"][0].update(checkpoint=9),
    "no heads": lambda told: told["journal"].update(heads=[]),
    "no checkpoints": lambda told: told["journal"].update(checkpoints=[]),
    "place 0": lambda told: told["custody"][row_at(told, "bo")]["row"].update(place=0),
    "words for a place": lambda told: told["custody"][row_at(told, "bo")]["row"].update(place="1"),
    "a row that is words": line_says("bo", row="words"),
    "a row that is nothing": line_says("bo", row={}),
    "more in a row": lambda told: told["custody"][row_at(told, "bo")]["row"].update(more=1),
    "more in the journal": lambda told: told["journal"].update(more=1),
    "a journal that is words": lambda told: told.update(journal="words"),
    "a long path": lambda told: told["custody"][row_at(told, "bo")]["row"].update(
        path=[text64(bytes(32))] * 64
    ),
    "a row with a class": recorded(lambda record: record.replace(b'"class":0', b'"class":1')),
    "a row that is too long": recorded(lambda record: record + b" " * 256 * 1024),
    "a row of another form": recorded(lambda record: record + b" "),
    "a person withheld": opened_less("person"),
    "an object withheld": opened_less("object"),
    "an act withheld": opened_less("act"),
    "a time withheld": opened_less("at"),
    "a kind withheld": opened_less("kind"),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_a_row_that_does_not_belong_to_its_line_is_refused_by_both(
    police: DeskAt, made: MadeEvidence, lie: Callable[[Any], object]
) -> None:
    false = said_raw(made.data, police.keyring.signing, lie)
    assert refusals(false) == (NAME, NAME)


def test_a_row_of_another_record_of_the_bundle_is_not_custody_of_this_one(
    world: World, police: DeskAt, made: MadeEvidence
) -> None:
    other = made_at(police, SITE)
    with police.open() as desk:
        under_a_head(desk, world)
    mine = made_at(police, SITE, reason="case 115")
    done = [one for one in statement_in(mine.data).custody if one.what.startswith("made")]
    assert done
    assert done[0].row is not None
    assert other.shows.statement.index != made.shows.statement.index
    said = statement_in(mine.data)
    assert said.journal is not None
    lie = forged(police, made, said.journal, *said.custody)
    assert reasons(lie) == (
        "A row of the journal says something else than its line of custody.",
        "shows a row that says something else than its line",
    )


def test_a_row_that_is_dated_after_its_head_stays_the_makers_word(
    world: World, police: DeskAt, made: MadeEvidence
) -> None:
    with police.open() as desk:
        look(desk, "too-soon", after=5000)
        under_a_head(desk, world)
        journal, row = proof_of(desk, *last_act(desk))
    said = made_at(police, EVM, reason="case 116")
    assert not [one for one in lines_of(said.data) if one["who"] == "too-soon"], "not yet"
    world.clock.now += 5000
    said = made_at(police, EVM, reason="case 116, later")
    assert [one["proof"] for one in lines_of(said.data) if one["who"] == "too-soon"] == [None]
    lie = forged(police, made, journal, seen_by("too-soon", row))
    assert reasons(lie) == (
        "A row of the journal is dated after the head that covers it.",
        "shows a row that is later than its head",
    )


def test_a_head_of_another_organisation_proves_nothing(
    world: World, bank: DeskAt, police: DeskAt, made: MadeEvidence
) -> None:
    """The row is there, in another's journal, with the right words."""
    with bank.open() as desk:
        desk.rounds.once()
        record_act(
            desk.vault,
            person="ana",
            act=Act.BUNDLE_VIEW,
            subject=find_bundle(desk.vault, made.shows.statement.bundle).subject,
            reason=WHY,
            now=desk.clock(),
        )
        under_a_head(desk, world)
        journal, row = proof_of(desk, *last_act(desk))
    line = seen_by("ana", row)
    assert reasons(forged(police, made, journal, line)) == (
        "An event is no head of the maker's journal.",
        "shows a head of another",
    )
    with police.open() as desk:
        own, _ = proof_of(desk, *last_act(desk))
    assert refusals(forged(police, made, own, line)) == (NAME, NAME)


def test_heads_hold_under_the_root_files_since_the_acceptance_and_no_others(
    world: World, made: MadeEvidence
) -> None:
    envelope, said = parse_signed(archive.read(made.data)[NAME])
    root = verify_root(world.root_bytes)
    elsewhere = replace(root, audit_log=root.directory_log)
    accepted = (made.shows.acceptance.proof.index, made.shows.acceptance.time)
    told = verify_custody(said, [root], accepted)
    assert [one is None for one in told] == [True, False, False, False, True]
    assert verify_custody(said, [root, elsewhere], accepted) == told
    with pytest.raises(VerificationFailed):
        verify_custody(said, [elsewhere], accepted)
    bare = json.loads(envelope.payload)
    alone = checker.read_roots(world.root_bytes, archive.ROOTS)
    stranger = replace(alone[0], hub="elsewhere.test")
    lines = checker.custody(bare, alone, accepted, NAME)
    assert checker.custody(bare, [*alone, stranger], accepted, NAME) == lines
    with pytest.raises(checker.Wrong):
        checker.custody(bare, [stranger], accepted, NAME)


def test_a_row_whose_vault_was_edited_is_not_shown_as_proved(world: World, police: DeskAt) -> None:
    with police.open() as desk:
        number = look(desk, "edited")
        under_a_head(desk, world)
        desk.vault.connection.execute("UPDATE acts SET person = 'eve' WHERE no = ?", (number,))
        try:
            lines = lines_of(made_at(police, EVM, reason="case 117").data)
        finally:
            desk.vault.connection.execute(
                "UPDATE acts SET person = 'edited' WHERE no = ?", (number,)
            )
    assert [one["proof"] for one in lines if one["who"] == "eve"] == [None]


def test_very_many_heads_become_so_many_at_most(world: World, police: DeskAt) -> None:
    with police.open() as desk:
        for _ in range(MAX_HEADS + 6):
            look(desk, "busy")
            world.clock.now += 100
            assert send_head(desk.vault, desk.client, clock=world.clock) is not None
        world.witness_round()
        desk.rounds.once()
    made = made_at(police, BTC)
    lines = [one["proof"] for one in lines_of(made.data) if one["who"] == "busy"]
    assert len(lines) == MAX_HEADS + 6
    assert all(lines)
    journal = statement_in(made.data).journal
    assert journal is not None
    assert len(journal.heads) <= MAX_HEADS
