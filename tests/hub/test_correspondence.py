"""Requests, answers and sightings at the hub: who may, who is told, and what nobody learns."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, event
from tests.support.hub_world import BTC, Desk, World

from accord.hub.bundles.correspondence import open_requests
from accord.hub.directory import service as directory
from accord.kernel.bundle.model import HandlingPolicy
from accord.kernel.identifiers import BundleId, make_bundle_id
from accord.kernel.markings import BundleKind, LegalBasis, Onward, OrgKind, Purpose, Tlp

ASK = b'{"ask":"freeze"}'
POLICY = HandlingPolicy(
    tlp=Tlp.AMBER,
    purpose=Purpose.INVESTIGATION,
    legal_basis=LegalBasis.LAW_ENFORCEMENT,
    onward=Onward.NONE,
)


@pytest.fixture
def other(world: World) -> Desk:
    return world.enrol("other", OrgKind.FINANCIAL)


def send(
    sender: Desk, kind: BundleKind, *to: Desk, refs: tuple[BundleId, ...] = ()
) -> tuple[BundleId, str]:
    """Send a bundle of ``kind``; return its id and ``stored`` or the refusal's code."""
    name, sealed = sender.seal(*to, kind=kind, lines=[ASK], refs=refs, policy=POLICY)
    answer = sender.put_bundle(sealed, name)
    found = answer.json()
    return name, found.get("code") or found["state"]


def closed(desk: Desk) -> list[tuple[str, str]]:
    items = desk.get("/v1/feed", "after=0&limit=1000&wait=0").json()["items"]
    return [(one["bundle"], one["subject"]) for one in items if one["event"] == "request-closed"]


def test_whoever_was_asked_answers_whoever_asked_and_nobody_else(
    police: Desk, bank: Desk, other: Desk
) -> None:
    request, stored = send(police, BundleKind.REQUEST, bank)
    assert stored == "stored"
    assert send(bank, BundleKind.RESPONSE, police, refs=(request,))[1] == "stored"
    assert send(bank, BundleKind.RESPONSE, other, refs=(request,))[1] == "response_not_asked"
    assert send(bank, BundleKind.RESPONSE, police, other, refs=(request,))[1] == (
        "response_not_asked"
    )
    assert send(bank, BundleKind.RESPONSE, police)[1] == "response_not_asked"


def test_someone_who_was_not_asked_gets_the_answer_for_what_does_not_exist(
    police: Desk, bank: Desk, other: Desk
) -> None:
    request, _ = send(police, BundleKind.REQUEST, bank)
    nothing = make_bundle_id(1_795_600_000_000, b"0123456789")
    answers = []
    for ref in (request, nothing):
        name, sealed = other.seal(
            police, kind=BundleKind.RESPONSE, lines=[ASK], refs=(ref,), policy=POLICY
        )
        answer = other.put_bundle(sealed, name).json()
        answers.append({key: value for key, value in answer.items() if key != "request_id"})
    assert answers[0] == answers[1]
    assert answers[0]["code"] == "response_not_asked"


def test_police_that_were_not_asked_cannot_answer_either(
    world: World, police: Desk, bank: Desk
) -> None:
    second = world.enrol("second-police", OrgKind.LAW_ENFORCEMENT)
    request, _ = send(police, BundleKind.REQUEST, bank)
    assert send(second, BundleKind.RESPONSE, police, refs=(request,))[1] == "response_not_asked"


def test_an_indicator_bundle_is_no_request(police: Desk, bank: Desk) -> None:
    listed, _ = send(police, BundleKind.LIST, bank)
    assert send(bank, BundleKind.RESPONSE, police, refs=(listed,))[1] == "response_not_asked"
    assert send(bank, BundleKind.SIGHTING, police, refs=(listed,))[1] == "stored"


def test_a_sighting_goes_only_to_whoever_sent_the_bundle(
    police: Desk, bank: Desk, other: Desk
) -> None:
    listed, _ = send(police, BundleKind.LIST, bank)
    for sender, to, refs in (
        (other, police, (listed,)),
        (bank, other, (listed,)),
        (police, bank, (listed,)),
        (bank, police, ()),
    ):
        assert send(sender, BundleKind.SIGHTING, to, refs=refs)[1] == "sighting_not_received"


def test_a_request_outside_the_charter_is_refused(bank: Desk, other: Desk, police: Desk) -> None:
    assert send(bank, BundleKind.REQUEST, other)[1] == "charter_kind"
    assert send(bank, BundleKind.REQUEST, police)[1] == "charter_kind"


def test_closing_tells_everybody_who_was_asked_once(
    world: World, police: Desk, bank: Desk, other: Desk
) -> None:
    with world.services.database.reading.connect() as connection:
        before = open_requests(connection, police.org, now=world.clock())
    request, _ = send(police, BundleKind.REQUEST, bank, other)
    closing, stored = send(police, BundleKind.REQUEST, bank, other, refs=(request,))
    assert stored == "stored"
    again, _ = send(police, BundleKind.REQUEST, bank, other, refs=(request,))
    for desk in (bank, other, police):
        assert closed(desk).count((request, closing)) == 1
        assert (request, again) not in closed(desk)
    with world.services.database.reading.connect() as connection:
        assert open_requests(connection, police.org, now=world.clock()) == before
        assert open_requests(connection, police.org, now=world.clock() + 31 * 86_400) == 0


def test_nobody_closes_the_request_of_another(world: World, police: Desk, bank: Desk) -> None:
    second = world.enrol("third-police", OrgKind.LAW_ENFORCEMENT)
    request, _ = send(police, BundleKind.REQUEST, bank)
    closing, _ = send(second, BundleKind.REQUEST, bank, refs=(request,))
    assert (request, closing) not in closed(bank)


def test_the_same_request_again_is_the_same_request(police: Desk, bank: Desk) -> None:
    name, sealed = police.seal(bank, kind=BundleKind.REQUEST, lines=[ASK], policy=POLICY)
    first, second = police.put_bundle(sealed, name), police.put_bundle(sealed, name)
    assert first.json()["index"] == second.json()["index"]
    other_name, other_sealed = police.seal(
        bank, kind=BundleKind.REQUEST, lines=[ASK], policy=POLICY, bundle_id=name
    )
    assert other_name == name
    assert police.put_bundle(other_sealed, name).json()["code"] == "bundle_id_taken"


class Statements:
    """Counts the statements that an engine runs."""

    def __init__(self, *engines: Engine) -> None:
        """Count on ``engines``."""
        self.seen: list[str] = []
        for engine in engines:
            event.listen(engine, "before_cursor_execute", self._count)

    def _count(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        self.seen.append(statement)


def test_the_answer_to_a_submitter_is_the_same_whether_or_not_others_hold_the_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The look into the directory every half second comes when it comes.
    monkeypatch.setattr(directory, "REFRESH_SECONDS", 3600)
    told: list[tuple[int, dict[str, object], list[str], list[str]]] = []
    for held in (False, True):
        folder = tmp_path / str(held)
        folder.mkdir()
        made = World(folder)
        one, two = (made.enrol(name, OrgKind.FINANCIAL) for name in ("one", "two"))
        police = made.enrol("police", OrgKind.LAW_ENFORCEMENT)
        name, sealed = two.seal(police, values=[BTC if held else "example.org"])
        assert two.put_bundle(sealed, name).status_code == 202
        database = made.services.database
        name, sealed = one.seal(police, values=[BTC])
        counted = Statements(database.reading, database.writing)
        answer = one.put_bundle(sealed, name)
        members = answer.json()
        note = str(members.pop("checkpoint")).splitlines()
        assert members.pop("id") == name
        headers = sorted(answer.headers)
        # Timing class: the very same statements in the same order, whatever others hold.
        told.append((answer.status_code, members | {"lines": len(note)}, headers, counted.seen))
        made.close()
    assert told[0] == told[1]
