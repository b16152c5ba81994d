"""What the hub accepts, what it refuses with which code, and that nothing accepted is lost."""

import secrets

import pytest
from tests.support.hub_world import NOW, ORIGIN, Desk, World

from accord.kernel.bundle.framing import parse_trimmed
from accord.kernel.bundle.model import DirectoryPoint, HandlingPolicy
from accord.kernel.directory.rootfile import LogName
from accord.kernel.encoding import b64decode
from accord.kernel.envelope.opening import open_trimmed
from accord.kernel.indicators import parse_lines
from accord.kernel.keys import KemKeyPair
from accord.kernel.markings import BundleKind, LegalBasis, Onward, OrgKind, Purpose, Tlp
from accord.kernel.statements.acknowledgement import (
    Acknowledgement,
    Item,
    Outcome,
    sign_acknowledgement,
    verify_acknowledgement,
)
from accord.kernel.tlog.heads import parse_membership
from accord.kernel.tlog.leaf import parse_record, verify_opening
from accord.kernel.tlog.proof import parse_proof, verify_proof

STATEMENT = "application/vnd.accord.statement+json"


def code(answer: object) -> str:
    return str(answer.json()["code"])  # type: ignore[attr-defined]


def test_a_bundle_travels_from_bank_to_police(world: World, bank: Desk, police: Desk) -> None:
    bundle_id, bundle = bank.seal(police)
    answer = bank.put_bundle(bundle, bundle_id)
    assert answer.status_code == 202, answer.text
    assert answer.json()["state"] == "stored"
    [(seq, trimmed)] = police.deliveries()
    opened = open_trimmed(
        trimmed,
        signer_lookup=world.services.directory.state().signer_at,
        kem_keys={police.kem.kid: police.kem},
        now=world.clock(),
        parse_records=parse_lines,
    )
    assert opened.header.id == bundle_id
    assert not opened.quarantined
    page = police.get("/v1/feed", "after=0").json()
    assert [item["bundle"] for item in page["items"]] == [bundle_id]
    assert page["next"] == seq


def test_there_is_no_receipt_before_the_quorum_and_one_after(
    world: World, bank: Desk, police: Desk
) -> None:
    bundle_id, bundle = bank.seal(police)
    index = bank.put_bundle(bundle, bundle_id).json()["index"]
    early = bank.get(f"/v1/bundles/{bundle_id}/receipt", "wait=0")
    assert (early.status_code, code(early)) == (503, "receipt_pending")
    world.witness_round()
    answer = bank.get(f"/v1/bundles/{bundle_id}/receipt", "wait=0")
    assert answer.status_code == 200
    proof = parse_proof(answer.content)
    record = parse_record(proof.extra)
    leaf = record.leaf()
    verified = verify_proof(answer.content, leaf, world.root.log_policy(LogName.AUDIT))
    assert verified.index == index
    fields = verify_opening(leaf, record)
    assert fields["subject"] == bundle_id
    assert "person" not in fields
    members = [value for name, value in fields.items() if name.startswith("member.")]
    assert [parse_membership(value).org for value in members] == [bank.org]


def test_the_same_bytes_again_get_the_same_answer(bank: Desk, police: Desk) -> None:
    bundle_id, bundle = bank.seal(police)
    first = bank.put_bundle(bundle, bundle_id).json()
    assert bank.put_bundle(bundle, bundle_id).json()["index"] == first["index"]
    assert len(police.deliveries()) == 1
    _, other = bank.seal(police, bundle_id=bundle_id)
    again = bank.put_bundle(other, bundle_id)
    assert (again.status_code, code(again)) == (409, "bundle_id_taken")


def test_a_bundle_is_only_for_those_it_names(world: World, bank: Desk, police: Desk) -> None:
    stranger = world.enrol("other-police", OrgKind.LAW_ENFORCEMENT)
    bundle_id, bundle = bank.seal(police)
    bank.put_bundle(bundle, bundle_id)
    assert stranger.deliveries() == []
    absent = stranger.get("/v1/bundles/00000000-0000-7000-8000-000000000000")
    foreign = stranger.get(f"/v1/bundles/{bundle_id}")
    assert (absent.status_code, code(absent)) == (foreign.status_code, code(foreign))
    assert (foreign.status_code, code(foreign)) == (404, "not_found")
    assert stranger.get(f"/v1/bundles/{bundle_id}/receipt", "wait=0").status_code == 404
    own = police.get(f"/v1/bundles/{bundle_id}")
    assert parse_trimmed(own.content).header.id == bundle_id


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"expires": NOW - 1, "created": NOW - 86_400}, "bundle_expired"),
        ({"created": NOW + 3600}, "created_in_future"),
    ],
    ids=["expired", "from the future"],
)
def test_a_bundle_out_of_its_time_is_refused(
    bank: Desk, police: Desk, changes: dict[str, int], expected: str
) -> None:
    bundle_id, bundle = bank.seal(police, **changes)
    answer = bank.put_bundle(bundle, bundle_id)
    assert (answer.status_code, code(answer)) == (422, expected)


def test_what_the_charter_does_not_allow_is_refused_with_the_rule(
    world: World, bank: Desk, police: Desk
) -> None:
    other = world.enrol("second-bank", OrgKind.FINANCIAL)
    bundle_id, bundle = bank.seal(other)
    answer = bank.put_bundle(bundle, bundle_id)
    assert (answer.status_code, code(answer)) == (403, "charter_kind")
    policy = HandlingPolicy(
        tlp=Tlp.AMBER,
        purpose=Purpose.SCREENING,
        legal_basis=LegalBasis.LEGAL_OBLIGATION,
        onward=Onward.NONE,
    )
    bundle_id, bundle = bank.seal(police, policy=policy)
    answer = bank.put_bundle(bundle, bundle_id)
    assert (answer.status_code, code(answer)) == (403, "charter_purpose")
    assert answer.json()["observed"] == "financial-to-police"
    assert police.deliveries() == []


def test_nobody_sends_in_the_name_of_another(world: World, bank: Desk, police: Desk) -> None:
    other = world.enrol("second-bank", OrgKind.FINANCIAL)
    bundle_id, bundle = other.seal(police)
    answer = bank.put_bundle(bundle, bundle_id)
    assert (answer.status_code, code(answer)) == (403, "sender_other")
    bundle_id, bundle = bank.seal(police, signer=other.sig)
    assert bank.put_bundle(bundle, bundle_id).status_code == 422


@pytest.mark.usefixtures("police")
def test_a_key_that_is_not_in_force_receives_nothing(world: World, bank: Desk) -> None:
    stale = Desk(name="police", kind=OrgKind.LAW_ENFORCEMENT, world=world)
    bundle_id, bundle = bank.seal(stale)
    answer = bank.put_bundle(bundle, bundle_id)
    assert (answer.status_code, code(answer)) == (403, "recipient_key_other")
    nobody = Desk(name="nobody", kind=OrgKind.LAW_ENFORCEMENT, world=world)
    bundle_id, bundle = bank.seal(nobody)
    assert code(bank.put_bundle(bundle, bundle_id)) == "recipient_unknown"
    assert isinstance(stale.kem, KemKeyPair)


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        (DirectoryPoint(origin=f"{ORIGIN}/directory", size=999, root=bytes(32)), "directory_ahead"),
        (DirectoryPoint(origin=f"{ORIGIN}/directory", size=2, root=bytes(32)), "directory_other"),
    ],
    ids=["ahead", "another history"],
)
def test_a_directory_that_is_not_ours_is_refused(
    bank: Desk, police: Desk, point: DirectoryPoint, expected: str
) -> None:
    bundle_id, bundle = bank.seal(police, directory=[point])
    assert code(bank.put_bundle(bundle, bundle_id)) == expected


@pytest.mark.parametrize("where", [0, 8, 200, 4000, -1], ids=str)
def test_a_changed_byte_is_refused(bank: Desk, police: Desk, where: int) -> None:
    bundle_id, bundle = bank.seal(police)
    changed = bytearray(bundle)
    changed[where] ^= 1
    answer = bank.put_bundle(bytes(changed), bundle_id)
    assert answer.status_code in {400, 403, 422}
    for cut in (0, 7, 100, len(bundle) - 1):
        assert bank.put_bundle(bundle[:cut], bundle_id).status_code == 400
    assert police.deliveries() == []


def test_unsigned_replayed_late_and_foreign_requests_are_refused(world: World, bank: Desk) -> None:
    assert code(world.client.get("/v1/feed")) == "signature_missing"
    headers = bank.headers("GET", "/v1/feed")
    assert world.client.get("/v1/feed", headers=headers).status_code == 200
    assert code(world.client.get("/v1/feed", headers=headers)) == "nonce_replayed"
    late = bank.headers("GET", "/v1/feed", now=world.clock() - 400)
    assert code(world.client.get("/v1/feed", headers=late)) == "signature_old"
    ahead = bank.headers("GET", "/v1/feed", now=world.clock() + 4000)
    assert code(world.client.get("/v1/feed", headers=ahead)) == "clock_skew"
    foreign = bank.headers("GET", "/v1/feed", authority="other.test")
    assert code(world.client.get("/v1/feed", headers=foreign)) == "signature_wrong"
    stranger = Desk(name="stranger", kind=OrgKind.FINANCIAL, world=world)
    assert code(stranger.get("/v1/feed")) == "signature_wrong"


def test_refusals_are_in_the_log_with_their_code(world: World, bank: Desk, police: Desk) -> None:
    before = world.services.reader.head(LogName.AUDIT)
    bundle_id, bundle = bank.seal(police, expires=NOW - 1, created=NOW - 86_400)
    bank.put_bundle(bundle, bundle_id)
    after = world.services.reader.head(LogName.AUDIT)
    assert before is not None
    assert after is not None
    assert after.size == before.size + 1


def test_a_retraction_goes_to_everyone_who_got_the_original(
    world: World, bank: Desk, police: Desk
) -> None:
    second = world.enrol("other-police", OrgKind.LAW_ENFORCEMENT)
    original, bundle = bank.seal(police, second)
    assert bank.put_bundle(bundle, original).status_code == 202
    recall = {"kind": BundleKind.RETRACTION, "refs": [original]}
    bundle_id, bundle = bank.seal(police, **recall)
    assert code(bank.put_bundle(bundle, bundle_id)) == "retraction_incomplete"
    bundle_id, bundle = bank.seal(police, second, **recall)
    assert bank.put_bundle(bundle, bundle_id).status_code == 202
    events = [item["event"] for item in second.get("/v1/feed", "after=0").json()["items"]]
    assert events == ["delivered", "delivered", "retracted"]
    other = world.enrol("second-bank", OrgKind.FINANCIAL)
    bundle_id, bundle = other.seal(police, **recall)
    assert code(other.put_bundle(bundle, bundle_id)) == "retraction_unknown"


def test_expiry_reaches_the_feed_once(world: World, bank: Desk, police: Desk) -> None:
    bundle_id, bundle = bank.seal(police, expires=world.clock() + 3600)
    bank.put_bundle(bundle, bundle_id)
    assert world.services.retention.expire(now=world.clock()) == 0
    world.clock.now += 3601
    assert world.services.retention.expire(now=world.clock()) == 1
    assert world.services.retention.expire(now=world.clock()) == 0
    events = [item["event"] for item in police.get("/v1/feed", "after=0").json()["items"]]
    assert events == ["delivered", "expired"]


def test_an_acknowledgement_reaches_the_sender_as_it_was_signed(
    world: World, bank: Desk, police: Desk
) -> None:
    bundle_id, bundle = bank.seal(police)
    bank.put_bundle(bundle, bundle_id)
    [(_, trimmed)] = police.deliveries()
    said = Acknowledgement(
        org=police.org,
        created=world.clock(),
        items=(
            Item(
                bundle=bundle_id,
                manifest=parse_trimmed(trimmed).manifest_sha256,
                state=Outcome.OPENED,
                time=world.clock(),
            ),
        ),
    )
    signed = sign_acknowledgement(said, police.sig)
    assert police.send("POST", "/v1/acknowledgements", signed, STATEMENT).status_code == 202
    [item] = bank.get("/v1/acknowledgements", "after=0").json()["items"]
    signer = world.services.directory.state().signer_at
    assert verify_acknowledgement(b64decode(item["statement"]), signer) == said
    forged = sign_acknowledgement(said, bank.sig)
    assert police.send("POST", "/v1/acknowledgements", forged, STATEMENT).status_code == 422
    stranger = world.enrol("other-police", OrgKind.LAW_ENFORCEMENT)
    invented = Acknowledgement(org=stranger.org, created=world.clock(), items=said.items)
    answer = stranger.send(
        "POST", "/v1/acknowledgements", sign_acknowledgement(invented, stranger.sig), STATEMENT
    )
    assert answer.status_code == 404


def test_what_was_sealed_is_nowhere_at_the_hub(world: World, bank: Desk, police: Desk) -> None:
    canary = "http://canary-7f3a91.example.net/pay"
    bundle_id, bundle = bank.seal(police, values=[canary])
    answer = bank.put_bundle(bundle, bundle_id)
    world.witness_round()
    police.deliveries()
    seen = [answer.content, police.get("/v1/feed", "after=0").content]
    seen += [world.client.get("/metrics").content]
    for name, data in [*world.files().items(), *((str(i), d) for i, d in enumerate(seen))]:
        assert b"canary-7f3a91" not in data, name


def test_a_large_body_is_a_file_and_comes_back_whole(
    world: World, bank: Desk, police: Desk
) -> None:
    values = [f"http://host-{secrets.token_hex(24)}.example.net/x" for _ in range(9000)]
    bundle_id, bundle = bank.seal(police, values=values)
    assert bank.put_bundle(bundle, bundle_id).status_code == 202
    assert any(name.startswith("hub/bodies/") for name in world.files())
    [(_, trimmed)] = police.deliveries()
    opened = open_trimmed(
        trimmed,
        signer_lookup=world.services.directory.state().signer_at,
        kem_keys={police.kem.kid: police.kem},
        now=world.clock(),
        parse_records=parse_lines,
    )
    assert opened.header.n == len(values)


def test_bytes_that_were_accepted_stay_accepted_when_a_check_fails_today(
    world: World, bank: Desk, police: Desk
) -> None:
    bundle_id, bundle = bank.seal(police, expires=world.clock() + 60)
    first = bank.put_bundle(bundle, bundle_id).json()
    world.clock.now += 120
    again = bank.put_bundle(bundle, bundle_id)
    assert (again.status_code, again.json()["index"]) == (202, first["index"])


def test_the_same_acknowledgement_again_is_kept_and_logged_once(
    world: World, bank: Desk, police: Desk
) -> None:
    bundle_id, bundle = bank.seal(police)
    bank.put_bundle(bundle, bundle_id)
    [(_, trimmed)] = police.deliveries()
    item = Item(
        bundle=bundle_id,
        manifest=parse_trimmed(trimmed).manifest_sha256,
        state=Outcome.RECEIVED,
        time=world.clock(),
    )
    said = Acknowledgement(org=police.org, created=world.clock(), items=(item,))
    signed = sign_acknowledgement(said, police.sig)
    answers = [police.send("POST", "/v1/acknowledgements", signed, STATEMENT) for _ in range(3)]
    assert len({answer.json()["index"] for answer in answers}) == 1
    assert len(bank.get("/v1/acknowledgements", "after=0").json()["items"]) == 1
