"""T11: a stranger or a member asks in order to learn what is there. Refusals look alike."""

import json
import statistics
import time

import httpx2
import pytest
from tests.desk.wire import DeskAt
from tests.support.hub_people import VISIT, make_person
from tests.support.hub_world import Desk, World
from tests.support.lies import twin

from accord.kernel.directory.rootfile import LogName
from accord.kernel.identifiers import BundleId
from accord.kernel.keys import RequestKeyPair
from accord.kernel.markings import OrgKind

ABSENT = BundleId("019e0000-0000-7000-8000-000000000000")


@pytest.fixture(scope="module")
def stranger(world: World) -> Desk:
    return Desk(name="stranger", kind=OrgKind.FINANCIAL, world=world)


@pytest.fixture(scope="module")
def present(world: World, bank: DeskAt, police: DeskAt) -> BundleId:
    """A bundle between two others."""
    sender = twin(world, bank, OrgKind.FINANCIAL)
    bundle_id, raw = sender.seal(twin(world, police, OrgKind.LAW_ENFORCEMENT))
    assert sender.put_bundle(raw, bundle_id).status_code == 202
    world.witness_round()
    return bundle_id


def told(answer: httpx2.Response) -> tuple[int, dict[str, object], list[str]]:
    """Return all that an answer tells: what differs by itself is left out."""
    body = json.loads(answer.content)
    body.pop("request_id", None)
    own = {"date", "x-request-id", "content-length"}
    headers = sorted(
        f"{name}: {value}" for name, value in answer.headers.items() if name not in own
    )
    return answer.status_code, body, headers


@pytest.mark.parametrize("path", ["/v1/bundles/{}", "/v1/bundles/{}/receipt"])
def test_a_bundle_of_others_looks_absent(mallory: Desk, present: BundleId, path: str) -> None:
    there, absent = (mallory.get(path.format(one)) for one in (present, ABSENT))
    assert told(there) == told(absent)
    assert there.status_code == 404


@pytest.mark.parametrize(
    "path", ["/v1/feed", "/v1/deliveries", "/v1/acknowledgements", f"/v1/bundles/{ABSENT}"]
)
def test_a_stranger_learns_nothing_of_keys(
    world: World, stranger: Desk, mallory: Desk, path: str
) -> None:
    """A key that nobody has, and a member's key with a signature by another one."""
    unknown = stranger.get(path)
    headers = mallory.headers("GET", path)
    forged = Desk(
        name="x", kind=OrgKind.NGO, world=world, request_key=RequestKeyPair.generate()
    ).headers("GET", path)
    wrong = world.client.get(path, headers=headers | {"Signature": forged["Signature"]})
    assert told(unknown) == told(wrong)
    assert unknown.status_code == 401


def test_a_suspended_member_and_a_stranger_look_alike_to_a_name_in_the_path(
    world: World, stranger: Desk, present: BundleId
) -> None:
    for method, path in (("PUT", f"/v1/bundles/{present}"), ("PUT", "/v1/tallies/2026-10")):
        known = stranger.send(method, path, b"x", "application/octet-stream")
        assert known.json()["code"] == "signature_wrong"
    bare = [world.client.get(f"/v1/bundles/{one}") for one in (present, ABSENT)]
    assert told(bare[0]) == told(bare[1])


def test_unsigned_requests_are_not_logged_one_by_one(world: World, stranger: Desk) -> None:
    before = world.services.reader.head(LogName.AUDIT)
    for _ in range(20):
        stranger.get("/v1/feed")
        world.client.put(f"/v1/bundles/{ABSENT}", content=b"x")
        world.client.post("/v1/enrolments", json={"invite": "x", "statement": "eHg="})
    assert world.services.reader.head(LogName.AUDIT) == before


def test_invites_and_enrolments_of_others_cannot_be_guessed_at(world: World) -> None:
    _, code = world.services.enrolments.invite("new-bank", OrgKind.FINANCIAL, now=world.clock())
    wrong = [code[:-1], code + "A", code.swapcase(), "", "x" * 27]
    answers = [
        world.client.post("/v1/enrolments", json={"invite": one, "statement": "eHg="})
        for one in wrong
    ]
    assert {answer.status_code for answer in answers} <= {400, 403}
    assert {answer.json()["code"] for answer in answers} <= {"invite_wrong", "request_invalid"}
    for path in ("a" * 26, "b" * 26):
        assert world.client.get(f"/v1/enrolments/{path}").status_code == 404


def test_a_name_that_nobody_has_takes_as_long_as_a_wrong_password(
    world: World, police: DeskAt
) -> None:
    sign_in = world.services.people.sign_in
    make_person(world, "ana", police.org)
    times: dict[str, list[float]] = {"ana": [], "nobody": []}
    for _ in range(5):
        for name, spent in times.items():
            start = time.perf_counter()
            with pytest.raises(Exception, match="wrong"):
                sign_in.password(name, "not the password", VISIT, now=world.clock())
            spent.append(time.perf_counter() - start)
    ana, nobody = (statistics.median(times[name]) for name in ("ana", "nobody"))
    assert 0.2 < ana / nobody < 5  # Argon2 takes most of it; a shortcut would be a hundredfold
