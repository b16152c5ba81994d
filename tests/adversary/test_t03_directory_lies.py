"""T3: a hub that turned bad, with its log keys and a witness that cosigns what it is shown.

It can append any leaf and have it witnessed. It still cannot invent a member, swap a key, let a
suspended member go on or put another charter in force: a desk replays every leaf.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from tests.desk.conftest import records_of
from tests.desk.wire import DeskAt, plan
from tests.support.hub_world import BTC, Desk, World
from tests.support.lies import answering, lying

from accord.desk.exchange import enrol
from accord.desk.storage.bundles import list_bundles
from accord.hub.feed import Item, add_notices
from accord.kernel import dsse
from accord.kernel.directory.challenge import seal_challenge
from accord.kernel.directory.entries import RootPoint, charter_point, format_point
from accord.kernel.directory.organisation import Status
from accord.kernel.directory.registrars import Registrar
from accord.kernel.directory.rootfile import LogName, sign_root
from accord.kernel.directory.statements import (
    STATEMENT_TYPE,
    Op,
    countersign,
    parse_statement,
    sign_statement,
)
from accord.kernel.directory.transition import following_statement
from accord.kernel.directory.words import six_words
from accord.kernel.encoding import b64encode
from accord.kernel.errors import AccordError
from accord.kernel.keys import SigningKeyPair
from accord.kernel.markings import OrgKind
from accord.kernel.policy.charter import DEFAULT_CHARTER, parse_charter, sign_charter
from accord.protocol import paths

WIDER = DEFAULT_CHARTER.replace("version = 1", "version = 2", 1).replace(
    'to = ["law_enforcement"]', 'to = ["law_enforcement", "oversight"]', 1
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


@pytest.fixture
def bank(world: World, tmp_path: Path) -> DeskAt:
    return DeskAt(world, tmp_path / "bank", "first-bank", OrgKind.FINANCIAL, "NL")


@pytest.fixture
def mallory(world: World) -> Desk:
    """Keys that the hub's operator made, for a member that nobody enrolled."""
    return Desk(name="false-police", kind=OrgKind.LAW_ENFORCEMENT, world=world)


def append(world: World, leaf: bytes) -> None:
    """Append a leaf past every check of the hub, signed and witnessed."""
    directory = world.services.directory
    directory._writer.run(lambda _: directory._logs.append(LogName.DIRECTORY, leaf))
    for name in LogName:
        world.services.jobs.round(name)


def refused(world: World, bank: DeskAt, leaf: bytes) -> str:
    """Return the code with which the bank's desk refuses a directory with ``leaf``."""
    with bank.open() as desk:
        before = desk.mirror.refresh()
        bank.wire.witness = False
        append(world, leaf)
        with pytest.raises(AccordError) as caught:
            desk.mirror.refresh()
        assert desk.mirror.state == before
    with bank.open() as desk:
        assert desk.mirror.state.size == before.size
    return caught.value.code


def test_an_invented_member_is_refused(world: World, bank: DeskAt, mallory: Desk) -> None:
    assert refused(world, bank, mallory.enrolment()) == "threshold_missed"


def test_a_member_that_false_registrars_let_in_is_refused(
    world: World, bank: DeskAt, mallory: Desk
) -> None:
    leaf = countersign(mallory.enrolment(), [SigningKeyPair.generate()])
    assert refused(world, bank, leaf) == "signer_not_entitled"


def test_a_key_swapped_inside_an_enrolment_is_refused(
    world: World, bank: DeskAt, mallory: Desk
) -> None:
    """The registrars' signature is real, but for another payload."""
    honest = Desk(name="police", kind=OrgKind.LAW_ENFORCEMENT, world=world)
    signed = parse_statement(countersign(honest.enrolment(), [world.registrar]))
    false = replace(signed.statement, kem=mallory.kem.public, sig=mallory.sig.public)
    own = parse_statement(sign_statement(false, [mallory.sig]))
    leaf = dsse.join(
        STATEMENT_TYPE,
        own.envelope.payload,
        [*own.envelope.signatures, signed.envelope.signatures[1]],
    )
    assert refused(world, bank, leaf) == "signature_wrong"


def test_a_rotation_without_the_organisations_key_is_refused(
    world: World, bank: DeskAt, mallory: Desk
) -> None:
    held = world.services.directory.refresh().organisation(bank.org)
    base = following_statement(held, Op.ROTATE, not_before=world.clock())
    false = replace(
        base, kem=mallory.kem.public, sig=mallory.sig.public, not_after=world.clock() + 86_400
    )
    assert refused(world, bank, sign_statement(false, [mallory.sig])) == "threshold_missed"


def test_a_suspended_member_is_not_resumed_by_the_hub(world: World, bank: DeskAt) -> None:
    police = world.enrol("police", OrgKind.LAW_ENFORCEMENT)
    directory = world.services.directory
    suspend = following_statement(
        directory.refresh().organisation(police.org), Op.SUSPEND, not_before=world.clock()
    )
    directory.append_statement(sign_statement(suspend, [world.registrar]), now=world.clock())
    resume = following_statement(
        directory.refresh().organisation(police.org), Op.RESUME, not_before=world.clock()
    )
    leaf = sign_statement(resume, [police.sig])
    assert refused(world, bank, leaf) == "signer_not_entitled"


def test_registrars_of_the_hubs_own_making_do_not_take_over(world: World, bank: DeskAt) -> None:
    false = SigningKeyPair.generate()
    root = replace(
        world.root,
        version=2,
        prev=world.root.sha256,
        registrars=(Registrar(name="false", key=false.public),),
    )
    signed = sign_root(root, [false])

    def offer(request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
        return httpx2.Response(200, content=signed) if request.url.path == paths.ROOT else response

    bank.wire.change = offer
    with bank.open() as desk, pytest.raises(AccordError) as caught:
        desk.mirror.refresh()
    assert caught.value.code == "threshold_missed"
    bank.wire.change = None
    point = RootPoint(version=2, sha256=root.sha256, size=len(root.payload))
    assert refused(world, bank, format_point(point)) == "root_unknown"


@pytest.mark.parametrize("honest", [True, False])
def test_a_charter_of_the_hubs_own_making_does_not_count(
    world: World, bank: DeskAt, *, honest: bool
) -> None:
    """Without its point in the log it is not in force, with it the registrars are missing."""
    signer = world.registrar if honest else SigningKeyPair.generate()
    signed = sign_charter(WIDER.encode(), [signer])
    if not honest:
        append(world, format_point(charter_point(parse_charter(WIDER.encode()))))

    def offer(request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
        wanted = request.url.path == paths.CHARTER
        return httpx2.Response(200, content=signed) if wanted else response

    bank.wire.change = offer
    with bank.open() as desk:
        desk.mirror.refresh()
        with pytest.raises(AccordError) as caught:
            desk.mirror.charter()
    assert caught.value.code == ("charter_not_in_force" if honest else "threshold_missed")


def test_a_hidden_revocation_lasts_a_day_at_most(
    world: World, bank: DeskAt, tmp_path: Path
) -> None:
    """The hub shows the last checkpoint from before it; a desk seals at no older one than a day."""
    police = DeskAt(world, tmp_path / "police", "police", OrgKind.LAW_ENFORCEMENT, "DE")
    with bank.open() as desk:
        desk.mirror.refresh()
    old = world.services.reader.cosigned(LogName.DIRECTORY)
    assert old is not None
    with police.open() as desk:
        police.changes(desk).revoke(police.recovery)
    bank.wire.witness = False
    with lying(bank, answering("/log/directory/checkpoint", old.note)), bank.open() as desk:
        assert desk.mirror.refresh().organisation(police.org).status is Status.ACTIVE
        world.clock.now += 25 * 3600
        with pytest.raises(AccordError) as caught:
            desk.submissions.send(plan(world, police.org), records_of([BTC]))
        assert caught.value.code == "quorum_missing"
        assert list_bundles(desk.vault) == []


def test_a_rotation_once_seen_cannot_be_hidden_again(
    world: World, bank: DeskAt, tmp_path: Path
) -> None:
    police = DeskAt(world, tmp_path / "police", "police", OrgKind.LAW_ENFORCEMENT, "DE")
    old = world.services.reader.cosigned(LogName.DIRECTORY)
    assert old is not None
    with police.open() as desk:
        police.changes(desk).rotate()
    with bank.open() as desk:
        seen = desk.mirror.refresh().organisation(police.org).kem
    bank.wire.witness = False
    with lying(bank, answering("/log/directory/checkpoint", old.note)), bank.open() as desk:
        with pytest.raises(AccordError) as caught:
            desk.mirror.refresh()
        assert caught.value.code == "log_rolled_back"
        assert desk.mirror.state.organisation(police.org).kem == seen


def test_a_rotation_that_the_hub_only_says_it_logged_changes_no_key_here(
    world: World, bank: DeskAt
) -> None:
    before = world.services.directory.refresh().organisation(bank.org)
    told = {
        "state": "active",
        "org": bank.org,
        "op": "rotate",
        "next_actor": "nobody",
        "signatures": 0,
        "missing": 0,
        "index": 9,
    }

    def lie(request: httpx2.Request) -> httpx2.Response | None:
        taken = request.url.path == paths.STATEMENTS
        return httpx2.Response(202, json=told) if taken else None

    bank.wire.instead = lie
    with bank.open() as desk, pytest.raises(AccordError) as caught:
        bank.changes(desk).rotate()
    bank.wire.instead = None
    assert caught.value.code == "change_pending"
    kept = bank.key_file().unlock()
    assert kept.signing.kid == before.sig.kid
    assert kept.following is not None


def test_a_challenge_for_another_statement_is_not_answered(world: World, bank: DeskAt) -> None:
    """Else the hub could have a desk open what was sealed to it for something else."""
    secret = bytes(32)

    def swap(request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
        if request.url.path != paths.STATEMENTS:
            return response
        body = json.loads(response.read())
        following = bank.key_file().unlock().following
        assert following is not None
        other = seal_challenge(following.kem.public, b"another payload", secret)
        return httpx2.Response(202, json=body | {"challenge": b64encode(other)})

    with lying(bank, swap), bank.open() as desk, pytest.raises(AccordError) as caught:
        bank.changes(desk).rotate()
    assert caught.value.code == "challenge_wrong"
    assert not any(path.endswith("/proof") for _, path in bank.wire.requests[-3:])
    assert world.services.directory.refresh().organisation(bank.org).rotated is None


def test_an_invented_key_change_in_the_feed_changes_nothing(world: World, bank: DeskAt) -> None:
    police = world.enrol("police", OrgKind.LAW_ENFORCEMENT)
    with bank.open() as desk:
        before = desk.mirror.refresh().organisation(police.org)
        world.services.writer.run(
            lambda connection: add_notices(
                connection, [bank.org], Item.KEY_CHANGED, subject=police.org, now=world.clock()
            )
        )
        assert desk.pull.wait_for_news(seconds=0)
        desk.pull.pull(retention_days=30)
        assert desk.mirror.state.organisation(police.org) == before


def test_a_false_enrolment_has_other_words_and_a_desk_never_takes_it_for_its_own(
    world: World, tmp_path: Path
) -> None:
    """The hub hands the registrar an enrolment with keys of its own; who compares words sees it."""
    honest = Desk(name="late-bank", kind=OrgKind.FINANCIAL, world=world)
    false = Desk(name="late-bank", kind=OrgKind.FINANCIAL, world=world)
    real, swapped = honest.enrolment(), false.enrolment()
    assert six_words(world.root_bytes, real) != six_words(world.root_bytes, swapped)
    # Nobody compared them: the directory holds the hub's keys, and the desk does not believe it.
    victim = DeskAt(world, tmp_path / "victim", "other-bank", OrgKind.FINANCIAL, "NL")
    append(world, countersign(swapped, [world.registrar]))
    with victim.open() as desk, pytest.raises(AccordError) as caught:
        enrol.confirm(desk.mirror, desk.vault, desk.keyring, false.org)
    assert caught.value.code == "enrolment_other"
