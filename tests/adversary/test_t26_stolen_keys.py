"""T26: a thief of an organisation's keys, with or without the hub's help, tries to become it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.desk.wire import DeskAt
from tests.support.hub_world import World

from accord.hub.directory import Taken
from accord.kernel.directory.organisation import Status
from accord.kernel.directory.rootfile import LogName
from accord.kernel.directory.statements import Op, sign_statement
from accord.kernel.directory.transition import RECOVERY_HOLD, ROTATION_PAUSE, following_statement
from accord.kernel.errors import AccordError, Refused, VerificationFailed
from accord.kernel.keys import KemKeyPair, RequestKeyPair, SigningKeyPair
from accord.kernel.markings import OrgKind

DAY = 86_400


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, registrars=2, threshold=2)
    yield made
    made.close()


@pytest.fixture
def bank(world: World, tmp_path: Path) -> DeskAt:
    return DeskAt(world, tmp_path / "bank", "first-bank", OrgKind.FINANCIAL, "NL")


@pytest.fixture
def police(world: World, tmp_path: Path) -> DeskAt:
    return DeskAt(world, tmp_path / "police", "police", OrgKind.LAW_ENFORCEMENT, "DE")


def made(world: World, victim: DeskAt, op: Op, *signers: SigningKeyPair, **fields: object) -> bytes:
    """Return a statement about the victim, made from what stands in the directory now."""
    held = world.services.directory.refresh().organisation(victim.org)
    base = following_statement(held, op, not_before=world.clock())
    return sign_statement(replace(base, **fields), signers)  # type: ignore[arg-type]


def taken_over(thief: SigningKeyPair, world: World) -> dict[str, object]:
    """All keys of a recovery, the thief's own."""
    return {
        "sig": thief.public,
        "kem": KemKeyPair.generate().public,
        "request_key": RequestKeyPair.generate().public,
        "recovery": SigningKeyPair.generate().public,
        "not_after": world.clock() + DAY,
    }


def submit(world: World, raw: bytes) -> Taken:
    taken = world.services.statements.submit(raw, now=world.clock())
    world.witness_round()
    return taken


def refused(world: World, raw: bytes) -> str:
    with pytest.raises(AccordError) as caught:
        submit(world, raw)
    return caught.value.code


def forced(world: World, bank: DeskAt, raw: bytes) -> str:
    """Let the hub append it past its own checks; return how an honest desk refuses the log."""
    directory = world.services.directory
    with bank.open() as desk:
        before = desk.mirror.refresh()
        bank.wire.witness = False
        directory._writer.run(lambda _: directory._logs.append(LogName.DIRECTORY, raw))
        for name in LogName:
            world.services.jobs.round(name)
        with pytest.raises(AccordError) as caught:
            desk.mirror.refresh()
        assert desk.mirror.state == before
    return caught.value.code


def test_the_signing_key_alone_changes_neither_recovery_key_nor_name_nor_roles(
    world: World, bank: DeskAt
) -> None:
    thief, stolen = SigningKeyPair.generate(), bank.keyring.signing
    for fields in (
        {"recovery": SigningKeyPair.generate().public},
        {"roles": ("hotline",)},
    ):
        with pytest.raises(AccordError) as caught:
            made(
                world,
                bank,
                Op.ROTATE,
                thief,
                stolen,
                sig=thief.public,
                not_after=world.clock() + DAY,
                **fields,
            )
        assert caught.value.code == "op_field"


def test_a_rotation_with_the_stolen_key_is_noticed_and_undone_for_good(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    thief, stolen = SigningKeyPair.generate(), bank.keyring.signing
    rotation = {"sig": thief.public, "not_after": world.clock() + DAY}
    submit(world, made(world, bank, Op.ROTATE, thief, stolen, **rotation))
    with bank.open() as desk, pytest.raises(VerificationFailed) as caught:
        desk.pull.pull(retention_days=30)
    assert caught.value.code == "keys_not_ours"
    # The old key is out, and the thief must wait an hour: time for one registrar to suspend.
    again = SigningKeyPair.generate()
    second = made(
        world, bank, Op.ROTATE, again, thief, sig=again.public, not_after=world.clock() + 9
    )
    assert refused(world, second) == "rotation_too_soon"
    suspension = made(world, bank, Op.SUSPEND, world.registrars[1])
    assert submit(world, suspension).state == "active"
    world.clock.now += ROTATION_PAUSE
    third = made(
        world, bank, Op.ROTATE, again, thief, sig=again.public, not_after=world.clock() + 9
    )
    assert refused(world, third) == "status_wrong"
    # The owner's recovery key and the registrars bring it back; the thief's keys never return.
    owner = SigningKeyPair.generate()
    recovery = made(
        world, bank, Op.RECOVER, owner, bank.recovery, *world.registrars, **taken_over(owner, world)
    )
    world.services.directory.append_statement(recovery, now=world.clock())
    world.witness_round()
    world.clock.now += RECOVERY_HOLD
    resumption = made(world, bank, Op.RESUME, *world.registrars)
    assert submit(world, resumption).state == "active"
    with police.open() as desk:
        state = desk.mirror.refresh()
        assert state.organisation(bank.org).sig == owner.public
        ended = state.ending(thief.kid)
        assert ended is not None
        assert ended.withdrawn


def test_a_stolen_recovery_key_moves_nothing_without_the_registrars(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    thief = SigningKeyPair.generate()
    fields = taken_over(thief, world)
    raw = made(world, bank, Op.RECOVER, thief, bank.recovery, **fields)
    # At the hub it waits for a proof and then for two registrars, who call the organisation.
    assert submit(world, raw).state == "proof-needed"
    assert world.services.directory.refresh().organisation(bank.org).status is Status.ACTIVE
    half = made(world, bank, Op.RECOVER, thief, bank.recovery, world.registrars[0], **fields)
    assert forced(world, police, half) == "threshold_missed"


def test_a_stolen_recovery_key_rotates_and_leaves_nothing(world: World, bank: DeskAt) -> None:
    thief = SigningKeyPair.generate()
    rotation = {"sig": thief.public, "not_after": world.clock() + DAY}
    for raw in (
        made(world, bank, Op.ROTATE, thief, bank.recovery, **rotation),
        made(world, bank, Op.LEAVE, bank.recovery),
        made(world, bank, Op.SUSPEND, bank.recovery),
    ):
        assert refused(world, raw) == "signer_not_entitled"


def test_one_registrar_and_the_hub_enrol_resume_and_recover_nobody(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    traitor = world.registrars[0]
    submit(world, made(world, bank, Op.SUSPEND, traitor))
    assert forced(world, police, made(world, bank, Op.RESUME, traitor)) == "threshold_missed"


def test_the_hold_after_a_recovery_is_not_shortened_by_the_hub(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    owner = SigningKeyPair.generate()
    raw = made(
        world, bank, Op.RECOVER, owner, bank.recovery, *world.registrars, **taken_over(owner, world)
    )
    world.services.directory.append_statement(raw, now=world.clock())
    world.witness_round()
    early = made(world, bank, Op.RESUME, *world.registrars)
    assert forced(world, police, early) == "hold_not_over"


def test_a_thief_at_the_desk_cannot_seal_for_an_organisation_that_was_revoked(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    submit(world, made(world, bank, Op.REVOKE, bank.recovery))
    assert police.org
    with bank.open() as desk, pytest.raises(Refused) as caught:
        desk.pull.pull(retention_days=30)
    assert caught.value.code == "standing_lost"
