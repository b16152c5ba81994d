"""Police that looked at a bundle under several heads of their journal, and what can be made of it."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.desk.conftest import records_of
from tests.desk.evidence.conftest import EVM, VALUES, made_at
from tests.desk.wire import DeskAt, plan
from tests.support.forged_evidence import accepted_by_both, checker, signed_anew
from tests.support.hub_world import World

from accord.desk.app import Desk
from accord.desk.evidence.service import MadeEvidence
from accord.desk.exchange.journal_heads import send_head
from accord.desk.export.registry import FORMATS
from accord.desk.export.service import Selection, export
from accord.desk.storage.bundles import find_bundle
from accord.desk.storage.evidence import heads_kept, kept_event
from accord.desk.storage.journal import Act, record_act
from accord.desk.storage.journal_leaves import act_leaf, leaf_hashes
from accord.kernel.errors import AccordError
from accord.kernel.evidence import archive
from accord.kernel.evidence.heads import EVENT
from accord.kernel.evidence.journal import Head, Journal, Row
from accord.kernel.evidence.statement import Custody
from accord.kernel.evidence.verification import verify_evidence
from accord.kernel.markings import OrgKind
from accord.kernel.tlog.growing import GrownTree, parse_grown
from accord.kernel.tlog.leaf import parse_record

WHY = "a reason that stays here"
NAME = archive.STATEMENT
"""The member that every lie about custody is in."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("hub"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def bank(world: World, tmp_path_factory: pytest.TempPathFactory) -> DeskAt:
    home = tmp_path_factory.mktemp("desks") / "bank"
    return DeskAt(world, home, "first-bank", OrgKind.FINANCIAL, "NL")


@pytest.fixture(scope="module")
def police(world: World, bank: DeskAt, tmp_path_factory: pytest.TempPathFactory) -> DeskAt:
    """Police that looked at a bundle twice, each time under a head of its own, and exported it."""
    folder = tmp_path_factory.mktemp("desks")
    at = DeskAt(world, folder / "police", "police", OrgKind.LAW_ENFORCEMENT, "DE")
    with bank.open() as desk:
        assert desk.submissions.send(plan(world, at.org), records_of(VALUES)).complete
    with at.open() as desk:
        desk.rounds.once()
        look(desk, "bo")
        under_a_head(desk, world)
        look(desk, "di")
        export(
            desk.vault,
            FORMATS["csv"],
            folder / "out.csv",
            Selection(),
            org=desk.org,
            person="cy",
            purpose="investigation",
            reason=WHY,
            now=desk.clock(),
        )
        under_a_head(desk, world)
        look(desk, "late")
    return at


@pytest.fixture(scope="module", autouse=True)
def made(police: DeskAt) -> MadeEvidence:
    """Evidence of before any test here does something more."""
    return made_at(police, EVM)


def look(desk: Desk, person: str, *, after: int = 0) -> int:
    """Write down that somebody looked at the bundle; return the act's number."""
    (bundle,) = desk.vault.connection.execute("SELECT id FROM bundles").fetchone()
    record_act(
        desk.vault,
        person=person,
        act=Act.BUNDLE_VIEW,
        subject=find_bundle(desk.vault, bundle).subject,
        reason=WHY,
        now=desk.clock() + after,
    )
    (number,) = desk.vault.connection.execute("SELECT max(no) FROM acts").fetchone()
    return int(number)


def under_a_head(desk: Desk, world: World) -> None:
    """Send a head, have it witnessed, and take its proof in."""
    world.clock.now += 100
    assert send_head(desk.vault, desk.client, clock=world.clock) is not None
    world.witness_round()
    desk.rounds.once()
    world.clock.now += 100


def lines_of(data: bytes) -> list[dict[str, Any]]:
    """Return each line of custody as both verifiers tell it."""
    ours, theirs = accepted_by_both(data)
    alone: list[dict[str, Any]] = theirs["custody_lines"]
    told = [
        None
        if one is None
        else {
            "rows": one.rows,
            "journal": one.journal,
            "time": one.at,
            "witnessed": one.witnessed,
            "event": one.event,
            "whole": one.whole,
        }
        for one in ours.custody
    ]
    assert told == [one["proof"] for one in alone]
    said = [(one.at, one.who, one.what) for one in ours.statement.custody]
    assert said == [(one["at"], one["who"], one["what"]) for one in alone]
    return alone


def proof_of(desk: Desk, number: int, rows: int, place: int) -> tuple[Journal, Row]:
    """Return a row under a head, whatever the desk itself would show."""
    kept = kept_event(desk.vault, origin=desk.mirror.root.log_origin("audit"), number=number)
    assert kept is not None
    (no,) = desk.vault.connection.execute(
        "SELECT no FROM journal_leaves WHERE place = ?", (place,)
    ).fetchone()
    leaf = act_leaf(desk.vault.connection, no)
    assert leaf is not None
    tree = GrownTree(leaf_hashes(desk.vault.connection, rows))
    event = parse_record(kept.opened)
    event = event.close(event.opened().keys() - set(EVENT))
    head = Head(index=kept.number, checkpoint=0, record=event, path=tuple(kept.path))
    record = leaf[1].close({"no", "reason"})
    row = Row(place=place, head=0, record=record, path=tuple(tree.path(place - 1, rows)))
    return Journal(checkpoints=(kept.note,), heads=(head,)), row


def forged(at: DeskAt, made: MadeEvidence, journal: Journal, *lines: Custody) -> bytes:
    """Return a file of now with other custody, signed by its maker."""
    now = at.world.clock.now
    return signed_anew(made.data, {}, at.keyring.signing, custody=lines, journal=journal, made=now)


def seen_by(who: str, row: Row) -> Custody:
    """Return the line that a row of ``look`` stands behind."""
    at = int(row.record.opened()["at"])
    return Custody(at=at, who=who, what="looked at the bundle", row=row)


def reasons(data: bytes) -> tuple[str, str]:
    """Return why each verifier refuses the maker's statement."""
    with pytest.raises(AccordError) as ours:
        verify_evidence(data)
    with pytest.raises(checker.Wrong) as theirs:
        checker.check(data, None, [])
    assert (ours.value.observed or "").partition(":")[0] == theirs.value.member == NAME
    return ours.value.message.partition(f"{NAME}: ")[2], theirs.value.what


def last_act(desk: Desk) -> tuple[int, int, int]:
    """Return number and rows of the last head, and the place of the last act."""
    number, subject = heads_kept(desk.vault)[-1]
    (place,) = desk.vault.connection.execute(
        "SELECT max(place) FROM journal_leaves WHERE kind = 'act' AND no IN"
        " (SELECT no FROM acts WHERE act = 'bundle:view')"
    ).fetchone()
    return number, parse_grown(subject).size, int(place)
