"""Members' standing at the hub: thresholds, half-signed statements, registrars who disagree, time."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from tests.support.hub_world import Desk, World

from accord.hub.directory.waiting import Enrolment
from accord.kernel.directory.authority import verify_enrolment_request
from accord.kernel.directory.challenge import open_challenge
from accord.kernel.directory.countersigning import add_signature, read_document
from accord.kernel.directory.organisation import Status
from accord.kernel.directory.statements import Op, Statement, parse_statement, sign_statement
from accord.kernel.directory.transition import RECOVERY_HOLD, following_statement
from accord.kernel.encoding import b64decode, b64encode
from accord.kernel.errors import AccordError, Conflict, NotFound, Refused
from accord.kernel.keys import KemKeyPair, RequestKeyPair, SigningKeyPair
from accord.kernel.markings import OrgKind
from accord.kernel.policy.default_charter import DEFAULT_CHARTER
from accord.protocol.paths import STATEMENT_TYPE, STATEMENTS

DAY = 86_400
TWO_PERSONS = DEFAULT_CHARTER.replace("format = 1\n", "format = 1\nregistrars = 2\n", 1)


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory, engine: str) -> Iterator[World]:
    """A hub where two of three registrars decide."""
    assert engine
    made = World(tmp_path_factory.mktemp("three"), registrars=3, threshold=2)
    yield made
    made.close()


@pytest.fixture(scope="module")
def charter_two(tmp_path_factory: pytest.TempPathFactory, engine: str) -> Iterator[World]:
    """A hub whose root file asks for one registrar, and its charter for two."""
    assert engine
    made = World(tmp_path_factory.mktemp("two"), registrars=2, charter=TWO_PERSONS)
    yield made
    made.close()


def waiting(world: World, name: str) -> tuple[Desk, Enrolment]:
    """Bring an enrolment to where the registrars are asked."""
    desk = Desk(name=name, kind=OrgKind.FINANCIAL, world=world)
    services = world.services
    _, code = services.enrolments.invite(name, desk.kind, now=world.clock())
    statement = desk.enrolment()
    handle, challenge = services.enrolments.begin(code, statement, now=world.clock())
    payload = verify_enrolment_request(statement, hub=world.root.hub).envelope.payload
    secret = open_challenge(desk.kem, payload, challenge)
    return desk, services.enrolments.prove(handle, secret, now=world.clock())


def signed(raw: bytes, *signers: SigningKeyPair) -> bytes:
    """Add signatures as ``accord registrar sign`` does, to a payload or an envelope."""
    document = read_document(raw)
    for signer in signers:
        document = add_signature(document, signer)
    return document.raw


def code_of(act: object, *arguments: object, **options: object) -> str:
    with pytest.raises(AccordError) as caught:
        act(*arguments, **options)  # type: ignore[operator]
    return caught.value.code


def draft(world: World, desk: Desk, op: Op, signers: Sequence[SigningKeyPair]) -> bytes:
    return signed(world.services.statements.draft(desk.org, op, now=world.clock()), *signers)


def take(world: World, raw: bytes) -> str:
    taken = world.services.statements.countersigned(raw, now=world.clock())
    world.witness_round()
    return taken.state


def status(world: World, desk: Desk) -> Status:
    return world.services.directory.refresh().organisation(desk.org).status


def recovery(
    world: World, desk: Desk, *signers: SigningKeyPair
) -> tuple[bytes, KemKeyPair, SigningKeyPair]:
    """Return a recovery as the organisation's desk makes it, and its new keys."""
    held = world.services.directory.refresh().organisation(desk.org)
    kem, sig = KemKeyPair.generate(), SigningKeyPair.generate()
    statement = replace(
        following_statement(held, Op.RECOVER, not_before=world.clock()),
        kem=kem.public,
        sig=sig.public,
        request_key=RequestKeyPair.generate().public,
        recovery=SigningKeyPair.generate().public,
        not_after=world.clock() + DAY,
    )
    return sign_statement(statement, [sig, *(signers or (desk.recovery,))]), kem, sig


def proved_recovery(world: World, desk: Desk) -> bytes:
    raw, kem, _ = recovery(world, desk)
    taken = world.services.statements.submit(raw, now=world.clock())
    assert (taken.state, taken.next_actor) == ("proof-needed", "desk")
    assert taken.challenge is not None
    assert taken.enrolment_id is not None
    secret = open_challenge(kem, parse_statement(raw).envelope.payload, taken.challenge)
    found = world.services.enrolments.prove(taken.enrolment_id, secret, now=world.clock())
    assert (found.state, found.next_actor) == ("approval-needed", "registrar")
    return raw


@pytest.mark.parametrize("which", ["three", "charter_two"])
def test_one_signature_waits_for_the_second_persons(
    which: str, request: pytest.FixtureRequest
) -> None:
    """By the root file's threshold, and by a charter that asks for more than the root file."""
    world: World = request.getfixturevalue(which)
    desk, begun = waiting(world, "two-eyes")
    first = signed(begun.statement, world.registrars[0])
    taken = world.services.statements.countersigned(first, now=world.clock())
    assert (taken.state, taken.signatures, taken.missing) == ("approval-needed", 1, 1)
    assert world.services.directory.refresh().find_organisation(desk.org) is None
    (again,) = (one for one in world.services.enrolments.waiting() if one.org == desk.org)
    weighed = world.services.statements.weigh(again)
    assert weighed is not None
    assert weighed.missing == 1
    # The second works on what the desk sent, not on the first one's copy: the hub joins them.
    second = signed(begun.statement, world.registrars[1])
    assert take(world, second) == "active"
    assert status(world, desk) is Status.ACTIVE


def test_the_same_registrar_twice_is_one(three: World) -> None:
    _, begun = waiting(three, "one-eye")
    first = signed(begun.statement, three.registrars[0])
    for _ in range(2):
        taken = three.services.statements.countersigned(first, now=three.clock())
        assert (taken.signatures, taken.missing) == (1, 1)


def test_a_charter_that_asks_for_more_registrars_than_there_are_is_not_published(
    charter_two: World,
) -> None:
    text = TWO_PERSONS.replace("registrars = 2", "registrars = 3").replace(
        "version = 1", "version = 2"
    )
    raw = signed(text.encode(), *charter_two.registrars)
    found = code_of(charter_two.services.directory.publish_charter, raw, now=charter_two.clock())
    assert found == "registrars_too_few"


def test_one_registrar_suspends_at_once_and_two_resume(three: World) -> None:
    desk = three.enrol("quick-bank", OrgKind.FINANCIAL)
    police = three.enrol("quick-police", OrgKind.LAW_ENFORCEMENT)
    assert take(three, draft(three, desk, Op.SUSPEND, three.registrars[2:])) == "active"
    assert status(three, desk) is Status.SUSPENDED
    bundle_id, raw = desk.seal(police)
    assert desk.put_bundle(raw, bundle_id).status_code == 401
    half = draft(three, desk, Op.RESUME, three.registrars[:1])
    assert take(three, half) == "approval-needed"
    (listed,) = (one for one in three.services.statements.pending() if one.org == desk.org)
    assert (listed.op, listed.next_actor) == (Op.RESUME, "registrar")
    assert take(three, signed(half, three.registrars[1])) == "active"
    assert status(three, desk) is Status.ACTIVE


def test_a_draft_says_at_once_what_cannot_be(three: World) -> None:
    desk = three.enrol("calm-bank", OrgKind.FINANCIAL)
    make = three.services.statements.draft
    assert code_of(make, desk.org, Op.RESUME, now=three.clock()) == "status_wrong"
    assert code_of(make, desk.org, Op.ROTATE, now=three.clock()) == "op_not_here"
    assert code_of(make, "nobody@hub.test", Op.SUSPEND, now=three.clock()) == "org_unknown"


def test_registrars_who_disagree_stop_an_enrolment(three: World) -> None:
    desk, begun = waiting(three, "doubtful")
    statements = three.services.statements
    statements.countersigned(signed(begun.statement, three.registrars[0]), now=three.clock())
    refused = statements.refuse(desk.org, "registrars-disagree", now=three.clock())
    assert refused.reason == "registrars-disagree"
    second = signed(begun.statement, *three.registrars[:2])
    with pytest.raises(Refused) as caught:
        statements.countersigned(second, now=three.clock())
    assert caught.value.code == "enrolment_refused"
    assert caught.value.next_step
    told = three.client.get(f"/v1/enrolments/{begun.enrolment_id}").json()
    assert (told["state"], told["reason"], told["next_actor"]) == (
        "refused",
        "registrars-disagree",
        "nobody",
    )
    with pytest.raises(NotFound):
        statements.refuse(desk.org, "other", now=three.clock())


def test_two_registrars_of_two_minds_do_not_both_win(three: World) -> None:
    """One suspends while others sign a revocation of the same state: the later one is stale."""
    desk = three.enrol("torn-bank", OrgKind.FINANCIAL)
    revoke = draft(three, desk, Op.REVOKE, three.registrars[:2])
    assert take(three, draft(three, desk, Op.SUSPEND, three.registrars[2:])) == "active"
    with pytest.raises(Conflict) as caught:
        three.services.statements.countersigned(revoke, now=three.clock())
    assert caught.value.code == "statement_stale"
    assert caught.value.next_step
    assert take(three, draft(three, desk, Op.REVOKE, three.registrars[:2])) == "active"
    assert status(three, desk) is Status.REVOKED


def test_a_lost_approver_leaves_a_statement_that_expires(world: World) -> None:
    _, begun = waiting(world, "slow-bank")
    ready = signed(begun.statement, world.registrar)
    world.clock.now += 25 * 3600
    told = world.client.get(f"/v1/enrolments/{begun.enrolment_id}").json()
    assert (told["state"], told["next_actor"]) == ("expired", "nobody")
    found = code_of(world.services.statements.countersigned, ready, now=world.clock())
    assert found == "enrolment_expired"
    assert world.services.enrolments.waiting() == []


def test_clocks_that_differ_are_named(world: World) -> None:
    desk = world.enrol("late-bank", OrgKind.FINANCIAL)
    ahead = following_statement(
        world.services.directory.refresh().organisation(desk.org),
        Op.SUSPEND,
        not_before=world.clock() + 600,
    )
    raw = sign_statement(ahead, [world.registrar])
    with pytest.raises(AccordError) as caught:
        world.services.statements.countersigned(raw, now=world.clock())
    assert caught.value.code == "statement_not_fresh"
    assert "clocks" in (caught.value.next_step or "")


def test_a_recovery_is_proved_signed_by_two_and_holds_for_three_days(three: World) -> None:
    desk = three.enrol("lost-bank", OrgKind.FINANCIAL)
    raw = proved_recovery(three, desk)
    assert take(three, signed(raw, three.registrars[0])) == "approval-needed"
    assert take(three, signed(raw, three.registrars[1])) == "active"
    held = three.services.directory.refresh().organisation(desk.org)
    assert (held.status, held.hold_until) == (Status.SUSPENDED, three.clock() + RECOVERY_HOLD)
    make = three.services.statements.draft
    assert code_of(make, desk.org, Op.RESUME, now=three.clock()) == "hold_not_over"
    three.clock.now += RECOVERY_HOLD
    assert take(three, draft(three, desk, Op.RESUME, three.registrars[:2])) == "active"
    assert status(three, desk) is Status.ACTIVE


def test_a_recovery_that_proved_nothing_is_not_logged(three: World) -> None:
    desk = three.enrol("hasty-bank", OrgKind.FINANCIAL)
    raw, _, _ = recovery(three, desk)
    ready = signed(raw, *three.registrars[:2])
    found = code_of(three.services.statements.countersigned, ready, now=three.clock())
    assert found == "enrolment_missing"
    # Not even over the wire, with every signature there: the opening key comes first.
    assert three.services.statements.submit(ready, now=three.clock()).state == "proof-needed"
    assert status(three, desk) is Status.ACTIVE


def test_without_the_recovery_key_there_is_no_recovery(three: World) -> None:
    desk = three.enrol("held-bank", OrgKind.FINANCIAL)
    false, _, _ = recovery(three, desk, SigningKeyPair.generate())
    assert code_of(three.services.statements.submit, false, now=three.clock()) == (
        "signer_not_entitled"
    )
    current, _, _ = recovery(three, desk, desk.sig)
    assert code_of(three.services.statements.submit, current, now=three.clock()) == (
        "signer_not_entitled"
    )


def rotation(world: World, desk: Desk, **keys: object) -> Statement:
    held = world.services.directory.refresh().organisation(desk.org)
    base = following_statement(held, Op.ROTATE, not_before=world.clock())
    return replace(base, not_after=world.clock() + DAY, **keys)  # type: ignore[arg-type]


def test_a_rotation_over_the_wire_counts_when_its_opening_key_is_proved(world: World) -> None:
    desk, bank = (
        world.enrol("police", OrgKind.LAW_ENFORCEMENT),
        world.enrol("bank", OrgKind.FINANCIAL),
    )
    kem = KemKeyPair.generate()
    raw = sign_statement(rotation(world, desk, kem=kem.public), [desk.sig])
    headers = {"Content-Type": STATEMENT_TYPE}
    answer = world.client.post(STATEMENTS, content=raw, headers=headers)
    assert answer.status_code == 202
    told = answer.json()
    assert (told["state"], told["op"], told["next_actor"]) == ("proof-needed", "rotate", "desk")
    assert world.services.directory.refresh().organisation(desk.org).kem == desk.kem.public
    bundle_id, before = bank.seal(desk)
    path = f"/v1/enrolments/{told['id']}/proof"
    wrong = world.client.post(path, json={"proof": b64encode(bytes(32))})
    assert wrong.status_code == 404
    payload = parse_statement(raw).envelope.payload
    proof = open_challenge(kem, payload, b64decode(told["challenge"]))
    done = world.client.post(path, json={"proof": b64encode(proof)}).json()
    assert done["state"] == "active"
    assert world.services.directory.refresh().organisation(desk.org).kem == kem.public
    # What was sealed to the old key before the rotation is still taken, for an hour.
    assert bank.put_bundle(before, bundle_id).status_code == 202


def test_what_was_under_way_is_taken_for_an_hour_unless_the_old_key_was_compromised(
    world: World,
) -> None:
    desk = world.enrol("police", OrgKind.LAW_ENFORCEMENT)
    bank = world.enrol("bank", OrgKind.FINANCIAL)
    (one, first), (two, second) = bank.seal(desk), bank.seal(desk)
    old, desk.kem = desk.kem, KemKeyPair.generate()
    raw = sign_statement(rotation(world, desk, kem=desk.kem.public), [desk.sig])
    world.services.directory.append_statement(raw, now=world.clock())
    world.witness_round()
    world.clock.now += 3500
    assert bank.put_bundle(first, one).status_code == 202
    world.clock.now += 200
    late = bank.put_bundle(second, two)
    assert (late.status_code, late.json()["code"]) == (403, "recipient_key_other")
    # One who looked at the directory after the rotation and still seals to the old key is refused.
    fresh, third = bank.seal(replace(desk, kem=old))
    assert bank.put_bundle(third, fresh).json()["code"] == "recipient_key_other"
    three, fourth = bank.seal(desk)
    again = rotation(
        world, desk, kem=KemKeyPair.generate().public, compromised_since=world.clock() - 10
    )
    world.services.directory.append_statement(sign_statement(again, [desk.sig]), now=world.clock())
    assert bank.put_bundle(fourth, three).json()["code"] == "recipient_key_other"


def test_an_organisation_revokes_and_leaves_by_itself_and_a_stranger_does_not(
    world: World,
) -> None:
    one, two = world.enrol("one", OrgKind.FINANCIAL), world.enrol("two", OrgKind.FINANCIAL)

    def send(desk: Desk, op: Op, signer: SigningKeyPair) -> tuple[int, str]:
        held = world.services.directory.refresh().organisation(desk.org)
        base = following_statement(held, op, not_before=world.clock())
        answer = world.client.post(
            STATEMENTS,
            content=sign_statement(base, [signer]),
            headers={"Content-Type": STATEMENT_TYPE},
        )
        return answer.status_code, answer.json().get("code", answer.json().get("state"))

    assert send(one, Op.REVOKE, two.sig) == (422, "signer_not_entitled")
    assert send(one, Op.LEAVE, two.sig) == (422, "signer_not_entitled")
    assert send(one, Op.LEAVE, one.recovery) == (422, "signer_not_entitled")
    assert send(one, Op.REVOKE, one.recovery) == (202, "active")
    assert send(one, Op.REVOKE, one.recovery) == (403, "status_wrong")
    assert send(two, Op.LEAVE, two.sig) == (202, "active")
    assert (status(world, one), status(world, two)) == (Status.REVOKED, Status.LEFT)


def test_an_enrolment_without_its_invite_is_turned_away(world: World) -> None:
    desk = Desk(name="stranger", kind=OrgKind.FINANCIAL, world=world)
    raw = desk.enrolment()
    answer = world.client.post(STATEMENTS, content=raw, headers={"Content-Type": STATEMENT_TYPE})
    assert (answer.status_code, answer.json()["code"]) == (403, "op_not_here")
    assert world.services.statements.pending() == []


def test_an_expired_invite_is_refused_with_what_to_do(world: World) -> None:
    desk = Desk(name="idle", kind=OrgKind.NGO, world=world)
    _, code = world.services.enrolments.invite("idle", OrgKind.NGO, now=world.clock())
    assert [one.org for one in world.services.enrolments.invites()] == [desk.org]
    world.clock.now += DAY + 1
    with pytest.raises(Refused) as caught:
        world.services.enrolments.begin(code, desk.enrolment(), now=world.clock())
    assert caught.value.code == "invite_wrong"
    assert caught.value.next_step
    assert world.services.enrolments.invites() == []
