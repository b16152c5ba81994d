"""T32: a file of evidence that is forged, partly swapped, or speaks for a hub that is none."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.desk.conftest import records_of
from tests.desk.evidence.conftest import made_at
from tests.desk.wire import DeskAt, plan
from tests.support.forged_evidence import (
    accepted_by_both,
    checker,
    rebuilt,
    refusals,
    said_raw,
    signed_anew,
)
from tests.support.hub_world import BTC, Desk, World
from tests.support.timestamping import authority

from accord.desk.evidence.comparison import compared
from accord.desk.evidence.service import MadeEvidence
from accord.desk.exchange.journal_heads import send_head
from accord.kernel.directory.rootfile import verify_root
from accord.kernel.errors import VerificationFailed
from accord.kernel.evidence import archive
from accord.kernel.evidence.statement import Custody
from accord.kernel.evidence.verification import join_entries, split_entries, verify_evidence
from accord.kernel.keys import SigningKeyPair

SITE = "market.evil-example.org"


@pytest.fixture(scope="module")
def evidence(world: World, bank: DeskAt, police: DeskAt) -> MadeEvidence:
    with bank.open() as desk:
        report = desk.submissions.send(plan(world, police.org), records_of([BTC, SITE]))
        assert report.complete
    with police.open() as desk:
        desk.rounds.once()
    return made_at(police, BTC)


@pytest.fixture(scope="module")
def other(evidence: MadeEvidence, police: DeskAt) -> MadeEvidence:
    assert evidence.shows.disclosure.index == 0
    return made_at(police, SITE)


@pytest.fixture
def other_hub(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def parts(made: MadeEvidence, *names: str) -> dict[str, bytes]:
    members = archive.read(made.data)
    return {name: members[name] for name in names}


def test_a_member_of_another_file_is_named(evidence: MadeEvidence, other: MadeEvidence) -> None:
    for name in (archive.RECORD, archive.PLACE, archive.REPORT):
        assert refusals(rebuilt(evidence.data, parts(other, name))) == (name, name)
    swapped = rebuilt(evidence.data, parts(other, archive.STATEMENT))
    assert refusals(swapped)[0] == refusals(swapped)[1] == archive.REPORT


def test_the_maker_itself_cannot_change_the_record(
    evidence: MadeEvidence, other: MadeEvidence, police: DeskAt
) -> None:
    record = archive.read(evidence.data)[archive.RECORD]
    for changes in (
        {archive.RECORD: record.replace(b'"confidence":80', b'"confidence":99')},
        parts(other, archive.RECORD),
    ):
        forged = signed_anew(evidence.data, changes, police.keyring.signing)
        assert refusals(forged) == (archive.RECORD, archive.RECORD)
    place = parts(other, archive.PLACE)
    forged = signed_anew(evidence.data, place, police.keyring.signing)
    assert refusals(forged)[1] == archive.RECORD
    header = archive.read(evidence.data)[archive.HEADER]
    wider = {archive.HEADER: header.replace(b'"tlp":"amber"', b'"tlp":"clear"')}
    forged = signed_anew(evidence.data, wider, police.keyring.signing)
    assert refusals(forged)[1] == archive.HEADER


def test_a_row_of_the_journal_is_passed_off_for_no_other_act_person_or_time(
    world: World, evidence: MadeEvidence, police: DeskAt
) -> None:
    """The maker signs the lie; the row, under a head that witnesses saw, says something else."""
    assert all(one is None for one in evidence.shows.custody)
    with police.open() as desk:
        world.clock.now += 100
        assert send_head(desk.vault, desk.client, clock=world.clock) is not None
        world.witness_round()
        desk.rounds.once()
    made = made_at(police, BTC, reason="case 115")
    (at, line) = next(
        (at, one) for at, one in enumerate(made.shows.statement.custody) if one.row is not None
    )
    assert made.shows.custody[at] is not None
    for lie in ({"at": line.at - 1}, {"who": "nobody"}, {"what": "looked at the bundle"}):
        forged = said_raw(
            made.data,
            police.keyring.signing,
            lambda said, lie=lie: said["custody"][at].update(lie),  # type: ignore[misc]
        )
        assert refusals(forged) == (archive.STATEMENT, archive.STATEMENT)
    forged = signed_anew(
        evidence.data,
        {},
        police.keyring.signing,
        custody=made.shows.statement.custody,
        journal=made.shows.statement.journal,
        index=1,
    )
    assert refusals(forged) == (archive.STATEMENT, archive.STATEMENT)


def test_a_statement_counts_for_its_own_maker_and_record_alone(
    evidence: MadeEvidence, police: DeskAt, mallory: Desk
) -> None:
    """A member that joined later is in no directory of the file; a stranger in none at all."""
    for signer in (mallory.sig, SigningKeyPair.generate()):
        forged = signed_anew(evidence.data, {}, signer)
        assert refusals(forged) == (archive.STATEMENT, archive.STATEMENT)
    told = (Custody(at=1, who="nobody", what="never touched it"),)
    ours, theirs = accepted_by_both(
        signed_anew(evidence.data, {}, police.keyring.signing, custody=told)
    )
    assert (ours.statement.custody, theirs["custody"]) == (told, 1)  # the maker's word, as said
    assert (ours.statement.org, theirs["maker"]) == (police.org, police.org)
    for said in ({"index": 1}, {"org": mallory.org}, {"sender": police.org}):
        forged = signed_anew(evidence.data, {}, police.keyring.signing, **said)
        assert refusals(forged)[0] == archive.STATEMENT


def test_a_report_or_readme_that_the_maker_swaps_is_told_to_prove_nothing(
    evidence: MadeEvidence, other: MadeEvidence, police: DeskAt
) -> None:
    """Nothing binds them to the record; both verifiers say so, and ours compares them."""
    lie = {**parts(other, archive.REPORT), archive.README: b"There is no need for --root.\n"}
    ours, theirs = accepted_by_both(signed_anew(evidence.data, lie, police.keyring.signing))
    assert theirs["not_checked"] == [archive.REPORT, archive.README, archive.VERIFIER]
    assert BTC in theirs["record"]
    told = compared(ours)
    other_one = "another than this version makes (other versions make others): "
    assert all(told[name].startswith(other_one) for name in ("report", "readme"))
    assert compared(evidence.shows)["report"] == "as made from the proof"


def test_the_hubs_word_cannot_be_lent_from_another_bundle(
    world: World, bank: DeskAt, police: DeskAt, evidence: MadeEvidence
) -> None:
    lone = "0x52908400098527886e0f7030069857d2e4169ee7"
    with bank.open() as desk:
        again = plan(world, police.org, source=b"2" * 32)
        assert desk.submissions.send(again, records_of([lone])).complete
    with police.open() as desk:
        desk.rounds.once()
    lent = parts(made_at(police, lone), archive.ACCEPTANCE)
    forged = signed_anew(evidence.data, lent, police.keyring.signing)
    assert refusals(forged) == (archive.ACCEPTANCE, archive.ACCEPTANCE)


def test_a_directory_with_a_leaf_less_or_more_is_refused(
    evidence: MadeEvidence, police: DeskAt
) -> None:
    entries = split_entries(archive.read(evidence.data)[archive.DIRECTORY])
    for changed in (entries[:-1], [*entries, entries[-1]], entries[::-1]):
        lie = {archive.DIRECTORY: join_entries(changed)}
        forged = signed_anew(evidence.data, lie, police.keyring.signing)
        assert refusals(forged) == (archive.DIRECTORY, archive.DIRECTORY)
    note = archive.read(evidence.data)[archive.CHECKPOINT]
    witnesses = note.rindex("\n\u2014".encode())
    fewer = {archive.CHECKPOINT: note[: witnesses + 1]}
    forged = signed_anew(evidence.data, fewer, police.keyring.signing)
    assert refusals(forged) == (archive.CHECKPOINT, archive.CHECKPOINT)


def test_a_whole_hub_of_the_forgers_own_is_no_hub_that_the_reader_trusts(
    world: World, evidence: MadeEvidence, other_hub: World
) -> None:
    own = verify_root(other_hub.root_bytes)
    with pytest.raises(VerificationFailed, match="root_other"):
        verify_evidence(evidence.data, trusted=[own])
    with pytest.raises(checker.Wrong) as error:
        checker.check(evidence.data, other_hub.root_bytes, [])
    assert error.value.member == archive.ROOTS
    assert verify_evidence(evidence.data, trusted=[verify_root(world.root_bytes)]).trusted
    ours, theirs = accepted_by_both(evidence.data)
    assert (ours.trusted, theirs["trusted"]) == (False, False)


def test_a_timestamp_is_of_these_signatures_and_of_an_authority_that_is_trusted(
    world: World, police: DeskAt, evidence: MadeEvidence, other: MadeEvidence
) -> None:
    clock = authority("ec", world.clock())
    signatures = archive.read(evidence.data)[archive.SIGNATURES]
    token = clock.stamp(signatures, world.clock())
    stamped = made_at(police, BTC, reason="stamped", token=token)
    ours, theirs = accepted_by_both(stamped.data)
    assert ours.token is not None
    assert theirs["timestamp"]["time"] == ours.token.time == world.clock()
    assert refusals(rebuilt(evidence.data, {archive.TOKEN: token}))[0] == archive.TOKEN
    wrong = clock.stamp(b"something else", world.clock())
    with pytest.raises(VerificationFailed, match="token_other"):
        made_at(police, BTC, reason="stamped", token=wrong)
    forged = signed_anew(stamped.data, {archive.TOKEN: wrong}, police.keyring.signing)
    assert refusals(forged) == (archive.TOKEN, archive.TOKEN)
    foreign = [authority("ec", world.clock()).above]
    with pytest.raises(VerificationFailed, match="evidence_wrong"):
        verify_evidence(stamped.data, authorities=foreign)
    with pytest.raises(checker.Wrong):
        checker.check(stamped.data, None, foreign)
    changed = bytearray(stamped.data)
    changed[stamped.data.index(token) + 40] ^= 1
    assert refusals(bytes(changed)) == (archive.TOKEN, archive.TOKEN)
    assert other.data != stamped.data
