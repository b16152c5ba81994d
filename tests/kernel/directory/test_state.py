"""Replay: only what follows and is signed by those who must changes anybody's keys."""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.directory_people import (
    BANK,
    BANK_KEYS,
    HUB,
    REGISTRARS,
    ROOT,
    START,
    YEAR,
    Keys,
    enrolled,
    enrolment,
    keys_of,
    signing,
)

from accord.kernel.directory.entries import (
    CharterPoint,
    charter_point,
    format_point,
    root_point,
)
from accord.kernel.directory.growth import ACCEPT_WINDOW
from accord.kernel.directory.organisation import Ending, Organisation, Status
from accord.kernel.directory.registrars import Registrar
from accord.kernel.directory.state import DirectoryState, replay
from accord.kernel.directory.statements import Op, Statement, sign_statement
from accord.kernel.directory.transition import (
    CLOCK_SKEW,
    RECOVERY_HOLD,
    ROTATION_PAUSE,
    following_statement,
)
from accord.kernel.errors import AccordError
from accord.kernel.identifiers import OrgId
from accord.kernel.keys import SigningKeyPair, request_key_id
from accord.kernel.markings import OrgKind
from accord.kernel.policy.charter import DEFAULT_CHARTER, parse_charter, sign_charter

POLICE = OrgId(f"police@{HUB}")
POLICE_KEYS = keys_of(2)
NEW = keys_of(3)
NEWER = keys_of(4)
DAY = 86_400
ENROLLED = enrolled()
ONE = replay([ENROLLED], ROOT)
TWO = REGISTRARS[:2]


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(AccordError) as caught:
        call()
    return caught.value.code


def held(state: DirectoryState, org: OrgId = BANK) -> Organisation:
    return state.organisation(org)


def step(
    state: DirectoryState,
    op: Op,
    signers: Iterable[SigningKeyPair],
    *,
    after: int = DAY,
    keys: Keys | None = None,
    **fields: Any,
) -> bytes:
    """The signed next statement about the bank, ``after`` seconds after its last one."""
    time = held(state).time + after
    statement = following_statement(held(state), op, not_before=time)
    if keys is not None:
        fields = {
            "kem": keys.kem.public,
            "sig": keys.sig.public,
            "request_key": keys.request.public,
            "not_after": time + YEAR,
        } | fields
    return sign_statement(replace(statement, **fields), list(signers))


def rotate(state: DirectoryState = ONE, old: Keys = BANK_KEYS, new: Keys = NEW) -> bytes:
    return step(state, Op.ROTATE, [new.sig, old.sig], keys=new)


def recover(state: DirectoryState, old: Keys = BANK_KEYS, new: Keys = NEW) -> bytes:
    return step(
        state,
        Op.RECOVER,
        [new.sig, old.recovery, *TWO],
        keys=new,
        recovery=new.recovery.public,
        compromised_since=START,
    )


# The ordinary life ------------------------------------------------------------------------------


def test_an_enrolled_organisation_signs_receives_and_asks() -> None:
    bank = held(ONE)
    assert (bank.status, bank.profile.name, bank.seq) == (Status.ACTIVE, "First Bank", 1)
    assert ONE.signer_at(BANK_KEYS.sig.kid).public == BANK_KEYS.sig.public
    assert ONE.request_key(BANK_KEYS.request.kid) == (BANK, BANK_KEYS.request.public)
    assert ONE.recipient(BANK, at=START).kem == BANK_KEYS.kem.public
    assert bank.party.kind is OrgKind.FINANCIAL
    assert ONE.organisations() == (bank,)


def test_a_state_is_never_changed_by_what_follows() -> None:
    following = ONE.apply(rotate(), 1)
    assert (ONE.size, following.size) == (1, 2)
    assert ONE.signer_at(BANK_KEYS.sig.kid).org == BANK
    assert held(ONE).sig == BANK_KEYS.sig.public


def test_rotation_replaces_keys_from_its_leaf_on() -> None:
    state = ONE.apply(rotate(), 1)
    assert state.signer_at(NEW.sig.kid).org == BANK
    assert code_of(lambda: state.signer_at(BANK_KEYS.sig.kid)) == "key_not_in_force"
    assert state.signer_at(BANK_KEYS.sig.kid, 1).org == BANK
    assert code_of(lambda: state.signer_at(NEW.sig.kid, 1)) == "key_not_in_force"
    assert state.request_key(NEW.request.kid) == (BANK, NEW.request.public)
    assert held(state).recovery == BANK_KEYS.recovery.public


def test_a_kem_key_can_be_rotated_alone() -> None:
    fields = {"kem": NEW.kem.public, "not_after": START + YEAR}
    state = ONE.apply(step(ONE, Op.ROTATE, [BANK_KEYS.sig], **fields))
    assert held(state).kem == NEW.kem.public
    assert state.signer_at(BANK_KEYS.sig.kid).org == BANK


def test_one_registrar_suspends_and_two_resume() -> None:
    suspended = ONE.apply(step(ONE, Op.SUSPEND, REGISTRARS[2:]))
    assert held(suspended).status is Status.SUSPENDED
    for look in (
        lambda: suspended.signer_at(BANK_KEYS.sig.kid),
        lambda: suspended.request_key(BANK_KEYS.request.kid),
    ):
        assert code_of(look) == "key_not_in_force"
    assert code_of(lambda: suspended.recipient(BANK, at=START)) == "org_not_active"
    short = step(suspended, Op.RESUME, REGISTRARS[:1])
    assert code_of(lambda: suspended.apply(short)) == "threshold_missed"
    resumed = suspended.apply(step(suspended, Op.RESUME, TWO, roles=("hotline",)))
    assert held(resumed).roles == ("hotline",)
    assert [resumed.key(BANK_KEYS.sig.kid).in_force(size) for size in range(4)] == [
        False,
        True,
        False,
        True,
    ]


def test_recovery_overrides_a_thiefs_rotation_and_stays_suspended_for_72_hours() -> None:
    stolen = ONE.apply(rotate())
    state = stolen.apply(recover(stolen, new=NEWER))
    assert held(state).status is Status.SUSPENDED
    assert held(state).hold_until == held(state).time + RECOVERY_HOLD
    for kid in (NEW.sig.kid, NEWER.sig.kid):
        assert code_of(lambda kid=kid: state.signer_at(kid)) == "key_not_in_force"  # type: ignore[misc]
    assert state.key(NEW.sig.kid).compromised_since == START
    assert state.key(NEWER.sig.kid).compromised_since is None
    early = step(state, Op.RESUME, TWO, after=RECOVERY_HOLD - 1)
    assert code_of(lambda: state.apply(early)) == "hold_not_over"
    resumed = state.apply(step(state, Op.RESUME, TWO, after=RECOVERY_HOLD))
    assert resumed.signer_at(NEWER.sig.kid).org == BANK
    assert held(resumed).recovery == NEWER.recovery.public
    assert held(resumed).hold_until is None


def test_a_key_that_ended_tells_how_and_a_later_recovery_changes_it() -> None:
    kid = BANK_KEYS.sig.kid
    assert ONE.ending(kid) is None
    assert ONE.ending(BANK_KEYS.recovery.kid) is None, "it never counted"
    rotated = ONE.apply(rotate())
    assert rotated.ending(kid) == Ending(index=1, time=held(rotated).time, withdrawn=False)
    assert rotated.ending(NEW.sig.kid) is None
    recovered = rotated.apply(recover(rotated, new=NEWER))
    assert recovered.ending(kid) == Ending(index=1, time=held(rotated).time, withdrawn=True)
    assert recovered.ending(NEW.sig.kid) == Ending(
        index=2, time=held(recovered).time, withdrawn=True
    )
    assert code_of(lambda: ONE.ending(STRANGER.kid)) == "key_unknown"


@pytest.mark.parametrize(("op", "withdrawn"), [(Op.LEAVE, False), (Op.REVOKE, True)])
def test_a_key_ends_with_its_organisation(op: Op, *, withdrawn: bool) -> None:
    gone = ONE.apply(step(ONE, op, [BANK_KEYS.sig]))
    ending = gone.ending(BANK_KEYS.sig.kid)
    assert ending is not None
    assert ending.withdrawn is withdrawn


def test_a_suspended_key_has_ended_until_it_is_resumed() -> None:
    suspended = ONE.apply(step(ONE, Op.SUSPEND, REGISTRARS[2:]))
    ending = suspended.ending(BANK_KEYS.sig.kid)
    assert ending is not None
    assert ending.withdrawn
    resumed = suspended.apply(step(suspended, Op.RESUME, TWO))
    assert resumed.ending(BANK_KEYS.sig.kid) is None
    again = resumed.apply(
        step(
            resumed,
            Op.ROTATE,
            [NEWER.sig, BANK_KEYS.sig],
            sig=NEWER.sig.public,
            not_after=START + YEAR,
        )
    )
    after = again.ending(BANK_KEYS.sig.kid)
    assert after is not None
    assert not after.withdrawn, "what the registrars resumed counts again"


def test_a_thief_who_leaves_or_revokes_does_not_end_the_organisation() -> None:
    for op in (Op.LEAVE, Op.REVOKE):
        gone = ONE.apply(step(ONE, op, [BANK_KEYS.sig]))
        assert code_of(lambda gone=gone: gone.signer_at(BANK_KEYS.sig.kid)) == "key_not_in_force"  # type: ignore[misc]
        back = gone.apply(recover(gone))
        assert held(back).status is Status.SUSPENDED


@pytest.mark.parametrize(
    "signers", [[BANK_KEYS.sig], [BANK_KEYS.recovery], [*TWO], [BANK_KEYS.sig, *REGISTRARS]]
)
def test_any_of_three_can_revoke(signers: list[SigningKeyPair]) -> None:
    state = ONE.apply(step(ONE, Op.REVOKE, signers, compromised_since=START + 5))
    assert held(state).status is Status.REVOKED
    assert state.key(BANK_KEYS.sig.kid).compromised_since == START + 5


# Who may not ------------------------------------------------------------------------------------

STRANGER = signing(77)


@pytest.mark.parametrize(
    ("signers", "code"),
    [
        ([BANK_KEYS.sig], "threshold_missed"),
        ([BANK_KEYS.sig, REGISTRARS[0]], "threshold_missed"),
        ([*TWO], "threshold_missed"),
        ([REGISTRARS[0], BANK_KEYS.sig, REGISTRARS[1]], "signer_order"),
        ([BANK_KEYS.sig, *TWO, STRANGER], "signer_not_entitled"),
        ([BANK_KEYS.sig, BANK_KEYS.recovery, *TWO], "signer_not_entitled"),
    ],
)
def test_an_enrolment_needs_its_own_key_and_the_registrars(
    signers: list[SigningKeyPair], code: str
) -> None:
    data = sign_statement(enrolment(), signers)
    assert code_of(lambda: replay([data], ROOT)) == code


FULL = {"keys": NEW, "recovery": NEW.recovery.public}


@pytest.mark.parametrize(
    ("op", "signers", "fields", "code"),
    [
        (Op.ROTATE, [NEW.sig], {"keys": NEW}, "threshold_missed"),
        (Op.ROTATE, [BANK_KEYS.sig], {"keys": NEW}, "threshold_missed"),
        (Op.ROTATE, [BANK_KEYS.sig, NEW.sig], {"keys": NEW}, "signer_order"),
        (Op.ROTATE, [NEW.sig, BANK_KEYS.recovery], {"keys": NEW}, "signer_not_entitled"),
        (Op.ROTATE, [NEW.sig, *REGISTRARS], {"keys": NEW}, "signer_not_entitled"),
        (Op.ROTATE, [NEW.sig, STRANGER], {"keys": NEW}, "signer_not_entitled"),
        (Op.SUSPEND, [BANK_KEYS.sig], {}, "signer_not_entitled"),
        (Op.SUSPEND, [STRANGER], {}, "signer_not_entitled"),
        (Op.REVOKE, [REGISTRARS[0]], {}, "threshold_missed"),
        (Op.REVOKE, [STRANGER], {}, "signer_not_entitled"),
        (Op.LEAVE, [*REGISTRARS], {}, "signer_not_entitled"),
        (Op.RECOVER, [NEW.sig, *TWO], FULL, "threshold_missed"),
        (Op.RECOVER, [NEW.sig, BANK_KEYS.recovery], FULL, "threshold_missed"),
        (Op.RECOVER, [NEW.sig, BANK_KEYS.recovery, REGISTRARS[0]], FULL, "threshold_missed"),
        (Op.RECOVER, [BANK_KEYS.recovery, *TWO], FULL, "threshold_missed"),
        (Op.RECOVER, [NEW.sig, BANK_KEYS.sig, *TWO], FULL, "signer_not_entitled"),
        (Op.RESUME, [*TWO], {}, "status_wrong"),
    ],
)
def test_nobody_else_can_act(
    op: Op, signers: list[SigningKeyPair], fields: dict[str, Any], code: str
) -> None:
    data = step(ONE, op, signers, **fields)
    assert code_of(lambda: ONE.apply(data)) == code


def test_a_replaced_key_and_a_replaced_recovery_key_have_no_say() -> None:
    rotated = ONE.apply(rotate())
    again = step(rotated, Op.ROTATE, [NEWER.sig, BANK_KEYS.sig], keys=NEWER)
    assert code_of(lambda: rotated.apply(again)) == "signer_not_entitled"
    recovered = ONE.apply(recover(ONE))
    old = recover(recovered, old=BANK_KEYS, new=NEWER)
    assert code_of(lambda: recovered.apply(old)) == "signer_not_entitled"


@pytest.mark.parametrize("op", [Op.ROTATE, Op.SUSPEND, Op.RESUME, Op.REVOKE, Op.LEAVE])
def test_after_leaving_only_recovery_is_left(op: Op) -> None:
    gone = ONE.apply(step(ONE, Op.LEAVE, [BANK_KEYS.sig]))
    keys = NEW if op is Op.ROTATE else None
    data = step(gone, op, [BANK_KEYS.sig], keys=keys)
    assert code_of(lambda: gone.apply(data)) == "status_wrong"


# What does not follow ---------------------------------------------------------------------------


def test_an_organisations_id_is_taken_for_ever() -> None:
    for before in ([ENROLLED], [ENROLLED, step(ONE, Op.LEAVE, [BANK_KEYS.sig])]):
        again = enrolled(keys=NEW)
        assert code_of(lambda entries=[*before, again]: replay(entries, ROOT)) == "org_taken"  # type: ignore[misc]


def test_a_statement_about_a_stranger_or_for_another_hub_is_refused() -> None:
    later = Statement(org=POLICE, seq=2, prev=bytes(32), op=Op.SUSPEND, not_before=START)
    data = sign_statement(later, REGISTRARS[:1])
    assert code_of(lambda: ONE.apply(data)) == "org_not_enrolled"
    foreign = enrolled(OrgId("bank@other.example"))
    assert code_of(lambda: replay([foreign], ROOT)) == "hub_wrong"


@pytest.mark.parametrize("changes", [{"seq": 3}, {"prev": bytes(32)}])
def test_a_statement_that_does_not_follow_is_stale(changes: dict[str, Any]) -> None:
    base = following_statement(held(ONE), Op.SUSPEND, not_before=START + 9)
    data = sign_statement(replace(base, **changes), REGISTRARS[:1])
    assert code_of(lambda: ONE.apply(data)) == "statement_stale"


def test_a_leaf_cannot_be_applied_twice_or_elsewhere() -> None:
    data = rotate()
    assert code_of(lambda: ONE.apply(data).apply(data)) == "statement_stale"
    assert code_of(lambda: ONE.apply(data, 0)) == "index_wrong"
    assert code_of(lambda: replay([data], ROOT)) == "org_not_enrolled"


@pytest.mark.parametrize(
    "keys",
    [
        replace(NEW, sig=BANK_KEYS.sig),
        replace(NEW, kem=BANK_KEYS.kem),
        replace(NEW, request=BANK_KEYS.request),
        replace(NEW, sig=BANK_KEYS.recovery),
        replace(NEW, sig=REGISTRARS[0]),
        replace(NEW, recovery=REGISTRARS[0]),
    ],
)
def test_a_key_is_registered_once_for_ever(keys: Keys) -> None:
    data = sign_statement(enrolment(POLICE, keys), [keys.sig])
    assert code_of(lambda: ONE.apply(data)) == "key_taken"


def test_time_does_not_go_back_beyond_the_skew_of_clocks() -> None:
    near = step(ONE, Op.SUSPEND, REGISTRARS[:1], after=-CLOCK_SKEW)
    assert ONE.apply(near).size == 2
    far = step(ONE, Op.SUSPEND, REGISTRARS[:1], after=-CLOCK_SKEW - 1)
    assert code_of(lambda: ONE.apply(far)) == "time_backwards"


def test_a_thief_cannot_rotate_faster_than_a_registrar_can_suspend() -> None:
    state = ONE.apply(rotate())
    fields = {"keys": NEWER, "after": ROTATION_PAUSE - 1}
    soon = step(state, Op.ROTATE, [NEWER.sig, NEW.sig], **fields)
    assert code_of(lambda: state.apply(soon)) == "rotation_too_soon"
    fields["after"] = ROTATION_PAUSE
    assert state.apply(step(state, Op.ROTATE, [NEWER.sig, NEW.sig], **fields)).size == 3


def test_an_expired_key_neither_rotates_nor_leaves_but_can_be_recovered() -> None:
    late = YEAR + 1
    for op, keys in ((Op.ROTATE, NEW), (Op.LEAVE, None)):
        signers = [*([keys.sig] if keys else []), BANK_KEYS.sig]
        data = step(ONE, op, signers, after=late, keys=keys)
        assert code_of(lambda data=data: ONE.apply(data)) == "key_expired"  # type: ignore[misc]
    data = step(
        ONE, Op.RECOVER, [NEW.sig, BANK_KEYS.recovery, *TWO], after=late, keys=NEW,
        recovery=NEW.recovery.public,
    )  # fmt: skip
    assert ONE.apply(data).size == 2


@pytest.mark.parametrize("age", [-CLOCK_SKEW - 1, ACCEPT_WINDOW + 1])
def test_a_statement_that_is_not_fresh_is_not_accepted(age: int) -> None:
    empty = replay([], ROOT)
    assert code_of(lambda: empty.apply(ENROLLED, 0, START + age)) == "statement_not_fresh"
    assert empty.apply(ENROLLED, 0, START).size == 1


# Looking things up ------------------------------------------------------------------------------


def test_a_key_is_looked_up_for_its_own_use_and_within_its_dates() -> None:
    assert code_of(lambda: ONE.signer_at(STRANGER.kid)) == "key_unknown"
    assert code_of(lambda: ONE.signer_at(BANK_KEYS.kem.kid)) == "key_use_wrong"
    assert code_of(lambda: ONE.signer_at(BANK_KEYS.recovery.kid)) == "key_use_wrong"
    assert code_of(lambda: ONE.request_key(BANK_KEYS.sig.kid)) == "key_use_wrong"
    assert code_of(lambda: ONE.signer_at(BANK_KEYS.sig.kid, 0)) == "key_not_in_force"
    assert code_of(lambda: ONE.signer_at(BANK_KEYS.sig.kid, 2)) == "directory_size_unknown"
    assert code_of(lambda: ONE.signer_at(BANK_KEYS.sig.kid, -1)) == "directory_size_unknown"
    assert ONE.signer_at(BANK_KEYS.sig.kid, at=START + YEAR).org == BANK
    for time in (START - CLOCK_SKEW - 1, START + YEAR + 1):
        assert code_of(lambda at=time: ONE.signer_at(BANK_KEYS.sig.kid, at=at)) == "key_expired"  # type: ignore[misc]


def test_a_recipient_must_be_there_active_and_unexpired() -> None:
    assert code_of(lambda: ONE.recipient(POLICE, at=START)) == "org_unknown"
    assert code_of(lambda: ONE.recipient(BANK, at=START, size=0)) == "org_unknown"
    late = START + YEAR + 1
    assert code_of(lambda: ONE.recipient(BANK, at=late)) == "recipient_key_expired"


def test_an_organisation_is_seen_as_it_was_at_an_earlier_size() -> None:
    state = ONE.apply(enrolled(POLICE, POLICE_KEYS)).apply(step(ONE, Op.SUSPEND, TWO[:1]))
    assert [len(state.organisations(size=size)) for size in range(4)] == [0, 1, 2, 2]
    assert state.organisation(BANK, size=2).status is Status.ACTIVE
    assert state.organisation(BANK).status is Status.SUSPENDED


# Charter and root points ------------------------------------------------------------------------

TOML = DEFAULT_CHARTER.encode()
TOML_2 = TOML.replace(b"version = 1", b"version = 2", 1)
POINT = format_point(charter_point(parse_charter(TOML)))
POINT_2 = format_point(charter_point(parse_charter(TOML_2)))


def test_the_charter_in_force_is_the_one_of_the_last_point() -> None:
    state = replay([POINT, ENROLLED, POINT_2], ROOT)
    assert state.charter_in_force().point.version == 2
    assert state.charter_in_force(size=2).point.version == 1
    assert code_of(lambda: state.charter_in_force(size=0)) == "charter_missing"
    assert state.verify_charter(sign_charter(TOML_2, TWO)).version == 2
    assert state.verify_charter(sign_charter(TOML, TWO), size=1).version == 1


def test_a_charter_that_is_old_altered_or_signed_by_too_few_is_refused() -> None:
    state = replay([POINT, POINT_2], ROOT)
    for data, code in (
        (sign_charter(TOML, TWO), "charter_not_in_force"),
        (sign_charter(TOML_2 + b"# wider\n", TWO), "charter_not_in_force"),
        (sign_charter(TOML_2, TWO[:1]), "threshold_missed"),
        (sign_charter(TOML_2, [STRANGER, NEW.sig]), "threshold_missed"),
    ):
        assert code_of(lambda data=data: state.verify_charter(data)) == code  # type: ignore[misc]


def test_an_older_charter_cannot_come_back() -> None:
    for second in (POINT, format_point(CharterPoint(version=1, sha256=bytes(32), size=9))):
        assert code_of(lambda second=second: replay([POINT_2, second], ROOT)) == "charter_order"  # type: ignore[misc]


TOML_3 = TOML.replace(b"format = 1", b"format = 1\nregistrars = 3", 1)
POINT_3 = format_point(charter_point(parse_charter(TOML_3)))


def test_a_charter_asks_for_more_registrars_than_the_root_file() -> None:
    assert code_of(lambda: replay([POINT_3, ENROLLED], ROOT)) == "threshold_missed"
    assert (replay([POINT], ROOT).threshold, replay([POINT_3], ROOT).threshold) == (2, 3)
    state = replay([ENROLLED, POINT_3], ROOT)
    suspended = state.apply(step(state, Op.SUSPEND, REGISTRARS[:1]))
    resume = step(suspended, Op.RESUME, TWO)
    assert code_of(lambda: suspended.apply(resume)) == "threshold_missed"
    assert suspended.weigh(resume, now=held(state).time + 2 * DAY).missing == 1
    resumed = suspended.apply(step(suspended, Op.RESUME, REGISTRARS))
    assert held(resumed).status is Status.ACTIVE
    assert code_of(lambda: state.apply(recover(state))) == "threshold_missed"
    assert held(state.apply(rotate(state))).sig == NEW.sig.public
    assert state.verify_charter(sign_charter(TOML_3, TWO)).registrars == 3


def test_a_charter_never_asks_for_fewer_registrars_than_the_root_file() -> None:
    fewer = TOML.replace(b"format = 1", b"format = 1\nregistrars = 1", 1)
    state = replay([format_point(charter_point(parse_charter(fewer)))], ROOT)
    assert state.threshold == 2


def test_a_point_that_lies_about_the_registrars_puts_no_charter_in_force() -> None:
    """The hub writes the point; the charter's own bytes say how many registrars decide."""
    for toml, lie in ((TOML_3, None), (TOML_3, 1), (TOML, 3)):
        point = replace(charter_point(parse_charter(toml)), registrars=lie)
        state = replay([format_point(point)], ROOT)
        signed = sign_charter(toml, TWO)
        assert code_of(lambda s=state, c=signed: s.verify_charter(c)) == "charter_not_in_force"  # type: ignore[misc]


def test_weighing_applies_nothing_and_checks_everything() -> None:
    time = held(ONE).time + DAY
    half = step(ONE, Op.REVOKE, REGISTRARS[:1])
    weighed = ONE.weigh(half, now=time)
    assert (weighed.registrars, weighed.missing, ONE.size) == (1, 1, 1)
    assert ONE.weigh(step(ONE, Op.REVOKE, [BANK_KEYS.recovery]), now=time).missing == 0
    for leaf, code in (
        (step(ONE, Op.REVOKE, [STRANGER]), "signer_not_entitled"),
        (step(ONE, Op.SUSPEND, TWO[:1], after=3 * DAY), "statement_not_fresh"),
        (step(ONE, Op.RESUME, TWO), "status_wrong"),
        (step(ONE, Op.ROTATE, [NEW.sig], keys=NEW), "threshold_missed"),
    ):
        assert code_of(lambda leaf=leaf: ONE.weigh(leaf, now=time)) == code  # type: ignore[misc]


NEXT_ROOT = replace(
    ROOT,
    version=2,
    prev=ROOT.sha256,
    registrars=(Registrar(name="fourth", key=signing(243).public),),
    threshold=1,
)


def test_a_root_point_hands_over_to_the_next_registrars() -> None:
    point = format_point(root_point(NEXT_ROOT))
    entries = [format_point(root_point(ROOT)), POINT, ENROLLED, point]
    state = replay(entries, ROOT, [NEXT_ROOT])
    assert state.root == NEXT_ROOT
    police = enrolment(POLICE, POLICE_KEYS)
    old = sign_statement(police, [POLICE_KEYS.sig, *TWO])
    new = sign_statement(police, [POLICE_KEYS.sig, signing(243)])
    assert code_of(lambda: state.apply(old)) == "signer_not_entitled"
    assert state.apply(new).size == 5
    assert state.verify_charter(sign_charter(TOML, TWO)).version == 1


@pytest.mark.parametrize(
    ("root", "successors"),
    [
        (NEXT_ROOT, []),
        (NEXT_ROOT, [replace(NEXT_ROOT, created=START + 1)]),
        (replace(NEXT_ROOT, version=3), [replace(NEXT_ROOT, version=3)]),
        (replace(ROOT, created=START + 1), [NEXT_ROOT]),
    ],
)
def test_a_root_that_is_not_known_here_stops_the_replay(root: Any, successors: list[Any]) -> None:
    point = format_point(root_point(root))
    assert code_of(lambda: replay([ENROLLED, point], ROOT, successors)) == "root_unknown"


def test_another_hubs_root_is_no_successor() -> None:
    other = replace(NEXT_ROOT, hub="other.example")
    assert code_of(lambda: replay([], ROOT, [other])) == "hub_wrong"


# Any order --------------------------------------------------------------------------------------

LIFE = [ENROLLED, rotate(), POINT]
LIFE.append(step(replay(LIFE, ROOT), Op.SUSPEND, TWO[:1]))
LIFE.append(step(replay(LIFE, ROOT), Op.RESUME, TWO))
LIFE.append(recover(replay(LIFE, ROOT), new=NEWER))


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(range(len(LIFE))), max_size=8))
def test_only_the_true_order_of_leaves_is_accepted(order: list[int]) -> None:
    statements = [number for number in order if number != 2]
    points = order.count(2)
    legal = statements == [0, 1, 3, 4, 5][: len(statements)] and points <= 1
    entries = [LIFE[number] for number in order]
    if legal:
        assert replay(entries, ROOT).size == len(order)
    else:
        assert code_of(lambda: replay(entries, ROOT))


@given(st.integers(0, len(LIFE)), st.integers(0, len(LIFE)))
def test_a_state_judges_earlier_sizes_as_the_earlier_state_did(first: int, second: int) -> None:
    size, whole = min(first, second), replay(LIFE[: max(first, second)], ROOT)
    earlier = replay(LIFE[:size], ROOT)
    assert whole.organisations(size=size) == earlier.organisations()
    for keys in (BANK_KEYS, NEW, NEWER):
        for kid in (keys.sig.kid, keys.kem.kid, request_key_id(keys.request.public)):
            known = kid in earlier._keys
            was = known and earlier.key(kid).in_force(size)
            assert (kid in whole._keys and whole.key(kid).in_force(size)) == was


@given(st.integers(0, len(LIFE)))
def test_extending_step_by_step_or_at_once_gives_the_same(cut: int) -> None:
    assert replay(LIFE[:cut], ROOT).extend(LIFE[cut:]) == replay(LIFE, ROOT)


def test_leaves_are_within_the_limit_of_a_tile_bundle() -> None:
    assert max(len(leaf) for leaf in LIFE) < 65_536
    assert json.loads(ENROLLED)["payloadType"].startswith("application/vnd.accord.statement")
