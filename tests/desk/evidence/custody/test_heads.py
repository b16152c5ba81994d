"""What a maker, or a hub, can do to a row, a head or its date: both verifiers refuse the same."""

import base64
import copy
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from tests.desk.evidence.conftest import EVM, made_at
from tests.desk.evidence.custody.conftest import (
    NAME,
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
    accepted_by_both,
    checker,
    refusals,
    said_raw,
    signed_anew,
    statement_in,
)
from tests.support.hub_world import World

from accord.desk.evidence.service import MadeEvidence
from accord.desk.exchange.journal_restart import Plan, begin_restart, send_restart
from accord.desk.storage.evidence import heads_kept
from accord.desk.storage.journal_leaves import journal_head, leaf_hashes
from accord.desk.storage.journal_names import give_name, journal_name
from accord.hub.audit import Event, EventClass
from accord.kernel.directory.transition import CLOCK_SKEW
from accord.kernel.errors import AccordError
from accord.kernel.evidence.heads import EVENT, backwards, read_head
from accord.kernel.evidence.journal import Journal, Row
from accord.kernel.evidence.statement import Custody
from accord.kernel.identifiers import OrgId
from accord.kernel.tlog.growing import GrownTree, format_grown
from accord.kernel.tlog.journals import Cause
from accord.kernel.tlog.leaf import Opening, RecordFields, format_record
from accord.kernel.tlog.merkle import leaf_hash

HEAD, NONE = "7 " + "ab" * 32, ""
ONE, TWO = "11" * 16, "22" * 16
LOOKED = "looked at the bundle"


def invent(world: World, at: int, **said: Any) -> None:
    """Have the hub log a head that no desk sent, dated ``at``, and witnesses sign it."""
    mine = OrgId("police@hub.test")
    event = Event(what=EventClass.JOURNAL_ANCHORED, concerns=(mine,), **said)
    journals = world.services.journals
    journals.writer.run(lambda inner: journals.recorder.record(inner, event, now=at))
    world.witness_round()


def latest(police: DeskAt, person: str) -> tuple[Journal, Row]:
    """Look once more, under a head of its own; return the proof."""
    with police.open() as desk:
        look(desk, person)
        under_a_head(desk, police.world)
        return proof_of(desk, *last_act(desk))


def proof(lines: Sequence[Mapping[str, Any]], who: str) -> list[Any]:
    return [one["proof"] for one in lines if one["who"] == who]


def joined(one: tuple[Journal, Row], two: tuple[Journal, Row]) -> Journal:
    """Return both heads as those of one journal."""
    second = replace(two[0].heads[0], checkpoint=1)
    return Journal(
        checkpoints=one[0].checkpoints + two[0].checkpoints, heads=(*one[0].heads, second)
    )


def test_one_leaf_is_not_opened_as_two_rows(police: DeskAt, made: MadeEvidence) -> None:
    """A maker who plans ahead hides a second time, person and act behind closed fields."""
    with police.open() as desk:
        number, connection = look(desk, "placeholder"), desk.vault.connection
        at = desk.clock()
        (subject,) = connection.execute(
            "SELECT object FROM acts WHERE no = ?", (number,)
        ).fetchone()
        early, later = str(at - 86_400), str(at)
        every = [
            *(("kind", "act"), ("at", early), ("at", later), ("person", "bob")),
            *(("act", "bundle:view"), ("object", subject), ("person", "alice")),
        ]
        fields = [
            Opening(field=name, value=value, nonce=secrets.token_bytes(32)) for name, value in every
        ]
        entry = secrets.token_bytes(16)

        def opened(*places: int) -> RecordFields:
            shown = RecordFields(entry_id=entry, leaf_class=0, fields=(fields[0],))
            closed = [
                replace(shown, fields=(one,)).close_all().fields[0] if at not in places else one
                for at, one in enumerate(fields)
            ]
            return replace(shown, fields=tuple(closed))

        first, second = opened(0, 2, 3, 4, 5), opened(0, 1, 4, 5, 6)
        assert first.leaf() == second.leaf()
        with desk.vault.transaction() as inner:
            inner.execute(
                "UPDATE journal_leaves SET hash = ? WHERE kind = 'act' AND no = ?",
                (leaf_hash(first.leaf()), number),
            )
        under_a_head(desk, police.world)
        (place,) = connection.execute(
            "SELECT place FROM journal_leaves WHERE kind = 'act' AND no = ?", (number,)
        ).fetchone()
        head, rows, _ = last_act(desk)
        journal, _ = proof_of(desk, head, rows, place - 1)
        path = tuple(GrownTree(leaf_hashes(connection, rows)).path(place - 1, rows))
    told = [Row(place=place, head=0, record=one, path=path) for one in (first, second)]
    assert proof(lines_of(forged(police, made, journal, seen_by("bob", told[0]))), "bob") != [None]
    assert reasons(forged(police, made, journal, seen_by("alice", told[1]))) == (
        "A row or a head of the journal has other fields than its form.",
        "shows a row of another form",
    )


def event_of(**said: str) -> dict[str, str]:
    """Return the fields of a head's event, with others where they are said."""
    fields = {
        "time": "1795600000",
        "what": "journal.anchored",
        "org": "police@hub.test",
        "person": "",
        "about": "",
        "subject": HEAD,
        "basis": "",
        "outcome": "ok",
        "detail": f"journal={ONE}",
        "member.0": "police@hub.test 1 -",
    }
    return fields | said


def shown(fields: Mapping[str, str], **how: Any) -> RecordFields:
    record = RecordFields.fresh(fields, leaf_class=how.get("leaf_class", 0))
    return record.close(how.get("closed", {"person", "about", "member.0"}))


RESTARTED = {"what": "journal.restarted", "basis": "restored"}
HEADS: dict[str, tuple[RecordFields, bool]] = {
    "a head": (shown(event_of()), True),
    "a head of before names": (shown(event_of(detail="")), True),
    "a restart": (shown(event_of(**RESTARTED, detail=f"journal={ONE} kept=6")), True),
    "a restart that ends another": (
        shown(event_of(**RESTARTED, detail=f"journal={ONE} kept=0 ended={TWO}")),
        True,
    ),
    "an end from afar": (
        shown(
            event_of(
                **RESTARTED | {"basis": "lost-desk"}, detail=f"journal={ONE} kept=0 ended={TWO}"
            )
        ),
        True,
    ),
    "the detail withheld": (
        shown(event_of(), closed={"person", "about", "member.0", "detail"}),
        False,
    ),
    "the basis withheld": (
        shown(event_of(), closed={"person", "about", "member.0", "basis"}),
        False,
    ),
    "the time withheld": (
        shown(event_of(), closed={"person", "about", "member.0", "time"}),
        False,
    ),
    "a person shown": (shown(event_of(), closed={"about", "member.0"}), False),
    "one field more": (
        shown(event_of(second="1"), closed={"person", "about", "member.0", "second"}),
        False,
    ),
    "one field less": (
        shown({name: text for name, text in event_of().items() if name != "member.0"}),
        False,
    ),
    "another order": (shown(dict(sorted(event_of().items()))), False),
    "a class": (shown(event_of(), leaf_class=1), False),
    "another event": (shown(event_of(what="sign-in.ok")), False),
    "refused": (shown(event_of(outcome="journal_head_older")), False),
    "of another": (shown(event_of(org="other@hub.test")), False),
    "a time in words": (shown(event_of(time="noon")), False),
    "a time with a sign": (shown(event_of(time="-1")), False),
    "no head": (shown(event_of(subject="nonsense")), False),
    "a head of no rows": (shown(event_of(subject="0 " + "ab" * 32)), False),
    "a name in words": (shown(event_of(detail="journal=mine")), False),
    "two names": (shown(event_of(detail=f"journal={ONE} journal={TWO}")), False),
    "a head with a basis": (shown(event_of(basis="restored")), False),
    "a restart for no cause": (
        shown(event_of(**RESTARTED | {"basis": "why"}, detail=f"journal={ONE} kept=0")),
        False,
    ),
    "a restart without a name": (shown(event_of(**RESTARTED, detail="kept=0")), False),
    "a restart that keeps all": (
        shown(event_of(**RESTARTED, detail=f"journal={ONE} kept=7")),
        False,
    ),
    "a restart that ends itself": (
        shown(event_of(**RESTARTED, detail=f"journal={ONE} kept=0 ended={ONE}")),
        False,
    ),
    "a second desk that ends one": (
        shown(
            event_of(
                **RESTARTED | {"basis": "second-desk"}, detail=f"journal={ONE} kept=0 ended={TWO}"
            )
        ),
        False,
    ),
    "an end from afar of none": (
        shown(event_of(**RESTARTED | {"basis": "lost-desk"}, detail=f"journal={ONE} kept=0")),
        False,
    ),
    "an end from afar that keeps rows": (
        shown(
            event_of(
                **RESTARTED | {"basis": "lost-desk"}, detail=f"journal={ONE} kept=1 ended={TWO}"
            )
        ),
        False,
    ),
}


@pytest.mark.parametrize(("record", "good"), HEADS.values(), ids=HEADS.keys())
def test_both_read_the_same_heads_and_refuse_the_same(record: RecordFields, good: bool) -> None:  # noqa: FBT001
    """Alone in a log of one entry, so that only what it says can stand against it."""
    text = base64.b64encode(format_record(record)).decode()
    found = {"index": 0, "checkpoint": 0, "record": text, "path": []}
    seen = [(1, leaf_hash(record.leaf()), 5)]
    if good:
        ours = read_head(record, OrgId("police@hub.test"))
        alone = checker._head(found, seen, "police@hub.test", NAME)
        name = "" if ours.journal is None else ours.journal.hex()
        assert (alone.rows, alone.root) == (ours.head.size, ours.head.root)
        assert (alone.journal, alone.time, alone.witnessed) == (name, ours.at, 5)
        return
    with pytest.raises(AccordError):
        read_head(record, OrgId("police@hub.test"))
    with pytest.raises(checker.Wrong):
        checker._head(found, seen, "police@hub.test", NAME)


def test_the_hubs_own_events_have_the_form_that_is_laid_down(made: MadeEvidence) -> None:
    journal = statement_in(made.data).journal
    assert journal is not None
    for head in journal.heads:
        fields = head.record.fields
        assert [one.field if isinstance(one, Opening) else None for one in fields] == [*EVENT]


def test_a_head_that_the_hub_dates_before_the_acceptance_is_refused(
    world: World, police: DeskAt, made: MadeEvidence
) -> None:
    """Maker and hub together say that it was looked at a year ago; the desk's own files do not."""
    past = world.clock.now - 365 * 86_400
    with police.open() as desk:
        look(desk, "past", after=past - desk.clock())
        head, name = journal_head(desk.vault.connection), journal_name(desk.vault.connection)
    detail = f"journal={name.hex()}"
    invent(world, past, org=police.org, subject=format_grown(head), detail=detail)
    with police.open() as desk:
        desk.rounds.once()
        journal, row = proof_of(desk, *last_act(desk))
    lie = forged(police, made, journal, seen_by("past", row))
    assert reasons(lie) == (
        "The hub's times run backwards in its log.",
        "shows times that run backwards in the hub's log",
    )
    assert proof(lines_of(made_at(police, EVM, reason="past").data), "past") == [None]
    with police.open() as desk:
        under_a_head(desk, world)
    (told,) = proof(lines_of(made_at(police, EVM, reason="past, again").data), "past")
    assert told["time"] > past + CLOCK_SKEW, "the next head covers it, too, and has its date"


def test_heads_whose_times_run_backwards_are_refused_and_not_shown(
    world: World, police: DeskAt, made: MadeEvidence
) -> None:
    world.clock.now += 1000
    first = latest(police, "first")
    with police.open() as desk:
        look(desk, "second", after=-700)
        head, name = journal_head(desk.vault.connection), journal_name(desk.vault.connection)
    before = world.clock.now - 500
    invent(
        world, before, org=police.org, subject=format_grown(head), detail=f"journal={name.hex()}"
    )
    with police.open() as desk:
        desk.rounds.once()
        second = proof_of(desk, *last_act(desk))
    rows = (seen_by("first", first[1]), seen_by("second", replace(second[1], head=1)))
    assert reasons(forged(police, made, joined(first, second), *rows)) == (
        "The hub's times run backwards in its log.",
        "shows times that run backwards in the hub's log",
    )
    lines = lines_of(made_at(police, EVM, reason="backwards").data)
    assert None not in proof(lines, "first")
    assert proof(lines, "second") == [None]


def test_five_minutes_are_let_pass_between_times_of_the_log() -> None:
    assert backwards([(1, 1000), (2, 1000 - CLOCK_SKEW), (3, 2000)]) == set()
    assert backwards([(1, 1000), (2, 999 - CLOCK_SKEW), (3, 1000)]) == {2}
    assert backwards([(3, 0), (1, 1000), (2, 5000)]) == {3}


def test_heads_of_two_journals_are_not_shown_as_one(police: DeskAt, made: MadeEvidence) -> None:
    one = latest(police, "one")
    with police.open() as desk:
        name = journal_name(desk.vault.connection)
        with desk.vault.transaction() as inner:
            other = give_name(inner)
    two = latest(police, "two")
    try:
        lines = lines_of(made_at(police, EVM, reason="two names").data)
        rows = (seen_by("one", one[1]), seen_by("two", replace(two[1], head=1)))
        both = joined(one, two)
        assert reasons(forged(police, made, both, *rows)) == (
            "Heads of several journals are shown as one.",
            "shows heads of several journals",
        )
        closed = [replace(head, record=head.record.close({"detail"})) for head in both.heads]
        lie = forged(police, made, replace(both, heads=tuple(closed)), *rows)
        assert refusals(lie) == (NAME, NAME)
    finally:
        with police.open() as desk, desk.vault.transaction() as inner:
            inner.execute("UPDATE settings SET value = ? WHERE name = 'journal_name'", (name,))
    for who in ("one", "two"):
        (told,) = proof(lines, who)
        assert told["journal"] == other.hex(), "the head of the name that goes on covers both"


def test_after_a_restart_rows_lie_under_the_heads_of_the_new_name(
    world: World, police: DeskAt
) -> None:
    """The event of the restart is a head itself; rows of before it lie under it at the earliest."""
    latest(police, "before the restart")
    with police.open() as desk:
        before, kept = journal_name(desk.vault.connection), last_act(desk)[1]
        plan = Plan(renamed=True, kept=kept, cause=Cause.RESTORED, ended=before)
        world.clock.now += 100
        begin_restart(desk.vault, plan, person="ana", reason="a test", now=desk.clock())
        number = send_restart(desk.vault, desk.client)
        world.witness_round()
        desk.rounds.once()
        name = journal_name(desk.vault.connection)
    (told,) = proof(lines_of(made_at(police, EVM, reason="restarted").data), "before the restart")
    assert before != name
    assert (told["event"], told["journal"], told["rows"]) == (number, name.hex(), kept + 1)


def test_a_file_is_not_dated_before_what_it_tells_of(
    world: World, police: DeskAt, made: MadeEvidence
) -> None:
    world.clock.now += 1000
    journal, row = latest(police, "now")
    line = seen_by("now", row)
    accepted = made.shows.acceptance.time
    dated = {"made": accepted, "custody": (line,), "journal": journal}
    lie = signed_anew(made.data, {}, police.keyring.signing, **dated)
    assert reasons(lie)[1] == "tells of something later than itself"
    early = line.at - CLOCK_SKEW - 1
    word = Custody(at=line.at, who="now", what=LOOKED)
    for at, good in ((early, False), (early + 1, True)):
        bare = {"made": at, "custody": (word,), "journal": None}
        lie = signed_anew(made.data, {}, police.keyring.signing, **bare)
        if good:
            accepted_by_both(lie)
        else:
            assert refusals(lie) == (NAME, NAME)
    (head,) = journal.heads
    at = int(head.record.opened()["time"])
    lie = signed_anew(made.data, {}, police.keyring.signing, **dated | {"made": at - 301})
    assert at - 301 >= line.at - CLOCK_SKEW
    assert reasons(lie) == (
        "A head is dated after the file was made.",
        "shows a head that is later than the file",
    )


@pytest.mark.parametrize(
    "lie",
    [
        {"org": "first-bank@hub.test"},
        {"subject": "nonsense"},
        {"detail": "nonsense"},
        {"basis": "b" * 60_000},
        {"outcome": "refused"},
    ],
    ids=lambda lie: next(iter(lie)),
)
def test_no_false_event_of_a_hub_keeps_evidence_from_being_made(
    world: World, police: DeskAt, lie: dict[str, str]
) -> None:
    """Logged right before the desk's own head, and about the same rows."""
    name = f"under {next(iter(lie))}"
    with police.open() as desk:
        look(desk, name)
        head = format_grown(journal_head(desk.vault.connection))
        detail = f"journal={journal_name(desk.vault.connection).hex()}"
    said = {"org": police.org, "subject": head, "detail": detail} | lie
    world.clock.now += 10
    invent(world, world.clock.now, **said)
    with police.open() as desk:
        under_a_head(desk, world)
        number, subject = heads_kept(desk.vault)[-1]
        assert subject == head
    (told,) = proof(lines_of(made_at(police, EVM, reason=name).data), name)
    assert told["event"] == number


FALSE: dict[str, list[Any]] = {
    "sha256": ["", "AAAA", "not base64", 1, None, [], "A" * 44],
    "name": ["", 1, None, [], "n" * 81],
}


def test_both_name_the_statement_when_a_part_of_it_has_a_false_form(
    police: DeskAt, made: MadeEvidence
) -> None:
    said: dict[str, Any] = {}
    said_raw(made.data, police.keyring.signing, said.update)
    row = next(at for at, one in enumerate(said["custody"]) if "row" in one)
    record = checker.json.loads(base64.b64decode(said["custody"][row]["row"]["record"]))

    def with_fields(fields: Any) -> Any:
        text = checker.json.dumps(record | {"fields": fields}, separators=(",", ":"))
        return lambda told: told["custody"][row]["row"].update(
            record=base64.b64encode(text.encode()).decode()
        )

    changes = [with_fields([one, *record["fields"][1:]]) for one in (None, 1, "text", [], {})]
    changes.append(with_fields({}))
    for name, values in FALSE.items():
        changes += [lambda told, lie={name: one}: told["files"][0].update(lie) for one in values]
    for change in changes:
        untouched = copy.deepcopy(said)
        lie = said_raw(made.data, police.keyring.signing, change)
        assert said == untouched
        assert refusals(lie) == (NAME, NAME)


def test_both_ask_the_same_length_of_a_statement(police: DeskAt, made: MadeEvidence) -> None:
    lie = said_raw(
        made.data, police.keyring.signing, lambda told: told.update(more="x" * (24 << 20))
    )
    ours, alone = reasons(lie)
    assert ours.startswith("The object is longer than ")
    assert alone == "is too long"
