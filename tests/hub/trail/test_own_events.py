"""A desk's own events over HTTP: all of them, in order, provable, nobody else's, no names."""

from tests.hub.trail.conftest import Scene
from tests.support.hub_world import Desk

from accord.hub.audit import Event, EventClass
from accord.kernel.encoding import b64decode
from accord.kernel.tlog.checkpoint import verify_cosigned
from accord.kernel.tlog.heads import OwnEvent, extend_head, start_of
from accord.kernel.tlog.leaf import parse_record
from accord.kernel.tlog.merkle import leaf_hash, verify_inclusion


def pages(scene: Scene, desk: Desk, *, limit: int) -> list[OwnEvent]:
    found: list[OwnEvent] = []
    after = 0
    while True:
        answer = desk.get("/v1/events", f"after={after}&limit={limit}")
        assert answer.status_code == 200, answer.text
        page = answer.json()
        checkpoint = verify_cosigned(b64decode(page["checkpoint"]), scene.policy)
        for item in page["items"]:
            record = parse_record(b64decode(item["record"]))
            verify_inclusion(
                index=item["number"],
                size=checkpoint.size,
                leaf=leaf_hash(record.leaf()),
                path=[b64decode(step) for step in item["path"]],
                root=checkpoint.root,
            )
            found.append(OwnEvent(number=item["number"], record=record))
        after += len(page["items"])
        if not page["more"]:
            return found


def test_every_own_event_comes_once_whatever_the_page(scene: Scene) -> None:
    for desk in (scene.bank, scene.police):
        whole = pages(scene, desk, limit=200)
        assert pages(scene, desk, limit=2) == whole
        assert extend_head(start_of(desk.org), whole).seq == len(whole) > 3


def test_no_name_and_no_other_organisations_number_is_opened(scene: Scene) -> None:
    for event in pages(scene, scene.bank, limit=200):
        fields = event.record.opened()
        assert not {"person", "about"} & set(fields)
        numbers = [value for name, value in fields.items() if name.startswith("member.")]
        assert all(value.startswith(f"{scene.bank.org} ") for value in numbers)


def test_what_no_quorum_covers_is_not_shown_yet(scene: Scene) -> None:
    before = len(pages(scene, scene.bank, limit=200))
    scene.record(Event(what=EventClass.SIGN_IN_OK, org=scene.bank.org, person="late"))
    assert len(pages(scene, scene.bank, limit=200)) == before
    scene.world.witness_round()
    assert len(pages(scene, scene.bank, limit=200)) == before + 1


def test_a_person_and_a_stranger_do_not_get_them(scene: Scene) -> None:
    assert scene.world.client.get("/v1/events").status_code == 401
    assert scene.ombudsman.get("/v1/events", "after=0&limit=1").status_code == 403
    assert scene.bank.get("/v1/events", "after=0&limit=201").status_code == 400
