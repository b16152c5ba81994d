"""What waits follows standing and charter as they are now; what was taken is never hidden.

Beside it: recalls in counts, and a sender's notice that disputes its own bundle.
"""

from tests.hub.test_standing import signed
from tests.support.hub_people import make_person
from tests.support.hub_world import Desk, World

from accord.kernel.bundle.framing import parse_trimmed
from accord.kernel.bundle.model import HandlingPolicy
from accord.kernel.directory.statements import Op
from accord.kernel.identifiers import BundleId
from accord.kernel.markings import BundleKind, LegalBasis, Onward, OrgKind, Purpose, Tlp
from accord.kernel.policy.charter import sign_charter
from accord.kernel.policy.default_charter import DEFAULT_CHARTER
from accord.kernel.statements.acknowledgement import (
    Acknowledgement,
    Item,
    Outcome,
    sign_acknowledgement,
)

STATEMENT = "application/vnd.accord.statement+json"
POLICY = HandlingPolicy(
    tlp=Tlp.AMBER,
    purpose=Purpose.INVESTIGATION,
    legal_basis=LegalBasis.LAW_ENFORCEMENT,
    onward=Onward.NONE,
)


def send(sender: Desk, *to: Desk, **changes: object) -> BundleId:
    bundle_id, bundle = sender.seal(*to, **changes)
    answer = sender.put_bundle(bundle, bundle_id)
    assert answer.status_code == 202, answer.text
    return bundle_id


def events(desk: Desk, bundle: BundleId) -> list[tuple[str, str | None]]:
    items = desk.get("/v1/feed", "after=0&limit=1000").json()["items"]
    return [(one["event"], one.get("subject")) for one in items if one.get("bundle") == bundle]


def publish(world: World, version: int, *, widest: bool) -> None:
    text = DEFAULT_CHARTER.replace("version = 1", f"version = {version}")
    if not widest:
        text = text.replace('max_tlp = "red"', 'max_tlp = "green"', 1)
    raw = sign_charter(text.encode(), [world.registrar])
    world.services.directory.publish_charter(raw, now=world.clock())


def look(world: World) -> tuple[int, int]:
    changed = world.services.visibility.look(now=world.clock())
    return changed.lost, changed.restored


def test_a_narrower_charter_withholds_what_was_not_taken_and_hides_nothing_else(
    world: World, bank: Desk, police: Desk
) -> None:
    taken = send(bank, police)
    assert len(police.deliveries()) == 1
    waits = send(bank, police)
    recall = send(bank, police, kind=BundleKind.RETRACTION, refs=(taken,), lines=[b"{}"])
    assert look(world) == (0, 0)
    publish(world, 2, widest=False)
    assert look(world) == (1, 0)
    assert look(world) == (0, 0), "told once"
    lost = ("visibility-lost", police.org)
    assert events(police, waits) == [("delivered", None), lost]
    assert events(bank, waits) == [lost], "the sender is told too"
    assert events(police, taken) == [("delivered", None), ("retracted", recall)]
    got = [parse_trimmed(raw).header.id for _, raw in police.deliveries()]
    assert got == [taken, recall]
    assert police.get(f"/v1/bundles/{waits}").json()["code"] == "not_found"
    assert police.get(f"/v1/bundles/{taken}").status_code == 200
    publish(world, 3, widest=True)
    assert look(world) == (0, 1)
    assert events(police, waits)[-1] == ("delivered", None)
    assert parse_trimmed(police.deliveries()[-1][1]).header.id == waits


def test_who_is_suspended_loses_sight_of_what_waits_and_gets_it_when_back(
    world: World, bank: Desk, police: Desk
) -> None:
    waits = send(bank, police)
    statements = world.services.statements
    for op, changed in ((Op.SUSPEND, (1, 0)), (Op.RESUME, (0, 1))):
        raw = signed(statements.draft(police.org, op, now=world.clock()), world.registrar)
        statements.countersigned(raw, now=world.clock())
        assert look(world) == changed
    assert [event for event, _ in events(police, waits)] == [
        "delivered",
        "visibility-lost",
        "delivered",
    ]
    assert {parse_trimmed(raw).header.id for _, raw in police.deliveries()} == {waits}


def test_a_senders_notice_about_its_own_bundle_disputes_it_for_those_who_get_the_notice(
    world: World, bank: Desk, police: Desk
) -> None:
    second = world.enrol("second-bank", OrgKind.FINANCIAL)
    listed = send(police, bank, second, kind=BundleKind.LIST, policy=POLICY)
    theirs = send(bank, police)
    notice = send(
        police,
        bank,
        kind=BundleKind.NOTICE,
        refs=(listed, theirs),
        policy=POLICY,
        lines=[b'{"subject":"x","text":"y"}'],
    )
    assert events(bank, listed) == [("delivered", None), ("disputed", notice)]
    assert events(second, listed) == [("delivered", None)]
    assert events(police, theirs) == [("delivered", None)], "not its own bundle"


def test_recalls_are_counted_by_signed_words_and_shown_without_content(
    world: World, bank: Desk, police: Desk
) -> None:
    second = world.enrol("second-police", OrgKind.LAW_ENFORCEMENT)
    operator = world.enrol("hub-operator", OrgKind.OPERATOR)
    original = send(bank, police, second)
    recall = send(bank, police, second, kind=BundleKind.RETRACTION, refs=(original,), lines=[b"{}"])

    def say(desk: Desk, state: Outcome) -> None:
        manifests = {
            (header := parse_trimmed(raw)).header.id: header.manifest_sha256
            for _, raw in desk.deliveries()
        }
        said = Acknowledgement(
            org=desk.org,
            created=world.clock(),
            items=tuple(
                Item(bundle=one, manifest=manifests[one], state=state, time=world.clock())
                for one in (recall,)
            ),
        )
        raw = sign_acknowledgement(said, desk.sig)
        assert desk.send("POST", "/v1/acknowledgements", raw, STATEMENT).status_code == 202
        world.clock.now += 1

    viewer = make_person(world, "olga", operator.org)
    stranger = make_person(world, "zoe", second.org)

    def counted() -> list[tuple[int, int]]:
        found = world.services.recalls.view(viewer.actor(), now=world.clock())
        return [(one.recipients, one.confirmed) for one in found]

    say(police, Outcome.OPENED)
    assert counted() == [(2, 0)], "opened is not applied"
    say(police, Outcome.RECALL_APPLIED)
    say(police, Outcome.RECALL_APPLIED)
    assert counted() == [(2, 1)]
    say(second, Outcome.RECALL_APPLIED)
    assert counted() == [(2, 2)]
    assert world.services.recalls.view(stranger.actor(), now=world.clock()) == []
    owner = make_person(world, "bea", bank.org)
    assert len(world.services.recalls.view(owner.actor(), now=world.clock())) == 1
    client = viewer.browser()
    page = client.get("/recalls")
    client.close()
    assert page.status_code == 200
    assert "2 of 2" in page.text
    assert original not in page.text
    for name in (police.org, second.org):
        assert name not in page.text
