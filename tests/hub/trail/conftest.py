"""One hub for the module: a bank, police, an ombudsman with a grant, an operator, and their people."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from tests.support.hub_world import Desk, World

from accord.hub.access import Actor, Role
from accord.hub.audit import Event, EventClass
from accord.hub.transparency import LogName
from accord.kernel.identifiers import BundleId
from accord.kernel.markings import OrgKind
from accord.kernel.tlog.policy import Policy


@dataclass
class Scene:
    """What the tests of the trail look at; nothing in it depends on their order."""

    world: World
    bank: Desk
    police: Desk
    ombudsman: Desk
    operator: Desk
    bundle: BundleId

    def actor(self, desk: Desk, role: Role = Role.AUDITOR, person: str = "anna") -> Actor:
        return Actor(org=desk.org, kind=desk.kind, role=role, person=person, fresh=True)

    @property
    def policy(self) -> Policy:
        return self.world.root.log_policy(LogName.AUDIT)

    def record(self, event: Event) -> int:
        services = self.world.services
        now = self.world.clock()
        return services.writer.run(lambda c: services.recorder.record(c, event, now=now))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, engine: str) -> Iterator[Scene]:
    assert engine
    world = World(tmp_path_factory.mktemp("hub"))
    bank = world.enrol("first-bank", OrgKind.FINANCIAL)
    police = world.enrol("police", OrgKind.LAW_ENFORCEMENT)
    ombudsman = world.enrol("ombudsman", OrgKind.OVERSIGHT)
    operator = world.enrol("operator", OrgKind.OPERATOR)
    bundle, raw = bank.seal(police)
    assert bank.put_bundle(raw, bundle).status_code == 202
    assert len(police.deliveries()) == 1
    made = Scene(world, bank, police, ombudsman, operator, bundle)
    for desk, person in ((bank, "anna"), (bank, "piet"), (police, "mona")):
        made.record(Event(what=EventClass.SIGN_IN_OK, org=desk.org, person=person))
    made.record(
        Event(
            what=EventClass.ROLE_CHANGED,
            org=bank.org,
            person="anna",
            about="piet",
            basis='=HYPERLINK("http://evil.test")',
        )
    )
    made.record(Event(what=EventClass.SIGN_IN_FAILED, org=bank.org, outcome="sign_in_wrong"))
    world.witness_round()
    yield made
    world.close()
