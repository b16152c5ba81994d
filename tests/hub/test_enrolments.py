"""Enrolment at the hub: each step is one act, and a stranger's guess changes nothing."""

import secrets
from dataclasses import dataclass

import httpx2
import pytest
from sqlalchemy import Connection
from tests.support.hub_world import ORIGIN, Desk, World

from accord.hub.transparency import LogName
from accord.kernel.directory.authority import verify_enrolment_request
from accord.kernel.directory.challenge import open_challenge
from accord.kernel.directory.statements import countersign
from accord.kernel.encoding import b64decode, b64encode
from accord.kernel.errors import Unavailable, VerificationFailed
from accord.kernel.keys import SigningKeyPair
from accord.kernel.markings import OrgKind


@dataclass
class Begun:
    """An enrolment whose proof is still to be given."""

    world: World
    desk: Desk
    statement: bytes
    path: str
    secret: bytes

    def prove(self, secret: bytes) -> httpx2.Response:
        return self.world.client.post(f"{self.path}/proof", json={"proof": b64encode(secret)})

    def audit_size(self) -> int:
        head = self.world.services.reader.head(LogName.AUDIT)
        return head.size if head else 0


@pytest.fixture
def begun(world: World) -> Begun:
    desk = Desk(name="first-bank", kind=OrgKind.FINANCIAL, world=world)
    _, code = world.services.enrolments.invite(desk.name, desk.kind, now=world.clock())
    statement = desk.enrolment()
    body = {"invite": code, "statement": b64encode(statement)}
    answer = world.client.post("/v1/enrolments", json=body).json()
    payload = verify_enrolment_request(statement, hub=ORIGIN).envelope.payload
    secret = open_challenge(desk.kem, payload, b64decode(answer["challenge"]))
    path = f"/v1/enrolments/{answer['id']}"
    return Begun(world=world, desk=desk, statement=statement, path=path, secret=secret)


def test_a_wrong_proof_is_not_found_and_leaves_no_trace(begun: Begun) -> None:
    before = begun.audit_size()
    for secret in (b"", bytes(32), secrets.token_bytes(32), begun.secret + b"\0"):
        assert begun.prove(secret).status_code == 404
    assert begun.audit_size() == before
    assert begun.world.client.get(begun.path).json()["state"] == "proof-needed"


def test_a_proof_given_twice_is_logged_once(begun: Begun) -> None:
    before = begun.audit_size()
    assert begun.prove(begun.secret).json()["state"] == "approval-needed"
    assert begun.prove(begun.secret).json()["state"] == "approval-needed"
    assert begun.audit_size() == before + 1


def test_an_approval_without_the_registrars_changes_nothing(begun: Begun) -> None:
    begun.prove(begun.secret)
    services, now = begun.world.services, begun.world.clock()
    for signed in (begun.statement, countersign(begun.statement, [SigningKeyPair.generate()])):
        with pytest.raises(VerificationFailed):
            services.statements.countersigned(signed, now=now)
    assert begun.world.client.get(begun.path).json()["state"] == "approval-needed"
    assert services.directory.refresh().find_organisation(begun.desk.org) is None


def test_a_statement_and_what_belongs_to_it_are_one_act(begun: Begun) -> None:
    def fail(_connection: Connection) -> None:
        raise Unavailable("storage_failed", "The disk is full.")

    signed = countersign(begun.statement, [begun.world.registrar])
    directory, now = begun.world.services.directory, begun.world.clock()
    before = begun.audit_size()
    with pytest.raises(Unavailable):
        directory.append_statement(signed, now=now, beside=fail)
    assert directory.refresh().find_organisation(begun.desk.org) is None
    assert begun.audit_size() == before


def test_an_approved_enrolment_is_active(begun: Begun) -> None:
    begun.prove(begun.secret)
    signed = countersign(begun.statement, [begun.world.registrar])
    begun.world.services.statements.countersigned(signed, now=begun.world.clock())
    assert begun.world.client.get(begun.path).json()["state"] == "active"
    assert begun.prove(begun.secret).json()["state"] == "active"
