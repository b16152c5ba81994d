"""Quotas and flood quarantine: 429 above the limit, others unaffected, nothing lost in silence."""

import dataclasses
import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import text
from tests.support.hub_world import HOST, Desk, World

from accord.hub.app import make_hub
from accord.hub.bundles import HeldState, Limits, QuotaRecords, Quotas
from accord.hub.config import parse_config
from accord.kernel.bundle.model import HandlingPolicy
from accord.kernel.errors import Malformed, NotFound
from accord.kernel.markings import BundleKind, LegalBasis, Onward, OrgKind, Purpose, Tlp

POLICY = HandlingPolicy(
    tlp=Tlp.AMBER,
    purpose=Purpose.INVESTIGATION,
    legal_basis=LegalBasis.LAW_ENFORCEMENT,
    onward=Onward.NONE,
)


class Small(World):
    """A hub whose settings allow little."""

    def limit(self, **limits: int) -> None:
        """Open the hub again with ``limits``."""
        self.client.close()
        self.services.close()
        self.services = self.open_services(dataclasses.replace(self.config, **limits))
        self.app = make_hub(self.services, secret_key=secrets.token_bytes(32), port=8600)
        self.client = httpx2.Client(
            transport=httpx2.WSGITransport(app=self.app), base_url=f"http://{HOST}"
        )
        self.clock.now += 20  # nonces from before the start are not taken


@pytest.fixture
def world(tmp_path: Path, engine: str) -> Iterator[Small]:
    assert engine
    made = Small(tmp_path)
    made.clock.now -= made.clock.now % 3600 - 3600
    yield made
    made.close()


def put(sender: Desk, *to: Desk, **changes: object) -> httpx2.Response:
    name, sealed = sender.seal(*to, **changes)
    return sender.put_bundle(sealed, name)


def events(world: World, what: str) -> list[str]:
    with world.services.database.reading.connect() as connection:
        rows = connection.execute(
            text("SELECT opened FROM audit_events WHERE what = :what"), {"what": what}
        )
        return [bytes(row.opened).decode() for row in rows]


def test_above_the_hours_quota_a_member_is_told_when_to_come_back(
    world: Small, bank: Desk, police: Desk
) -> None:
    world.limit(bundles_per_hour=2)
    name, sealed = bank.seal(police)
    assert [bank.put_bundle(sealed, name).status_code, put(bank, police).status_code] == [202, 202]
    refused = put(bank, police)
    assert (refused.status_code, refused.json()["code"]) == (429, "quota_exceeded")
    left = 3600 - world.clock.now % 3600
    assert refused.headers["Retry-After"] == str(left)
    assert bank.put_bundle(sealed, name).status_code == 202, "the same bytes get the same answer"
    world.clock.now += left
    assert put(bank, police).status_code == 202


def test_the_quota_survives_a_start_and_holds_for_one_member_only(
    world: Small, bank: Desk, police: Desk
) -> None:
    world.limit(bundles_per_hour=1)
    assert put(bank, police).status_code == 202
    world.limit(bundles_per_hour=1)
    assert put(bank, police).status_code == 429
    other = world.enrol("other-bank", OrgKind.FINANCIAL)
    assert put(other, police).status_code == 202


def test_a_member_above_its_quota_can_still_take_back(
    world: Small, bank: Desk, police: Desk
) -> None:
    world.limit(bundles_per_hour=1, bundles_per_minute=1)
    name, sealed = bank.seal(police)
    assert bank.put_bundle(sealed, name).status_code == 202
    assert put(bank, police).status_code == 429
    recall = put(bank, police, kind=BundleKind.RETRACTION, refs=(name,), lines=[b"{}"])
    assert (recall.status_code, "held" in recall.json()) == (202, False)
    again = put(bank, police, kind=BundleKind.RETRACTION, refs=(name,), lines=[b"{}"])
    assert again.status_code == 429, "recalls have an allowance of their own, not none"


def test_bytes_of_a_day_are_counted(world: Small, bank: Desk, police: Desk) -> None:
    quotas = world.services.bundles._quotas
    name, sealed = bank.seal(police)
    quotas.limits = dataclasses.replace(quotas.limits, bytes_per_day=len(sealed))
    assert bank.put_bundle(sealed, name).status_code == 202
    assert put(bank, police).json()["code"] == "quota_exceeded"
    world.clock.now += 86_400
    assert put(bank, police).status_code == 202


def test_open_requests_are_counted_until_they_are_closed(
    world: Small, bank: Desk, police: Desk
) -> None:
    world.limit(open_requests=1)
    name, sealed = police.seal(bank, kind=BundleKind.REQUEST, lines=[b"{}"], policy=POLICY)
    assert police.put_bundle(sealed, name).status_code == 202

    def ask(**more: object) -> int:
        made = put(police, bank, kind=BundleKind.REQUEST, lines=[b"{}"], policy=POLICY, **more)
        return made.status_code

    assert ask() == 429
    assert ask(refs=(name,)) == 202, "closing is no new request"
    assert ask() == 202


def test_refusals_are_counted_and_become_one_event(world: Small, bank: Desk, police: Desk) -> None:
    world.limit(bundles_per_hour=1)
    put(bank, police)
    assert [put(bank, police).status_code for _ in range(5)] == [429] * 5
    assert events(world, "bundle.refused") == []
    world.services.jobs.run_due()
    (told,) = events(world, "quota.exceeded")
    assert "n=5" in told
    assert str(bank.org) in told
    records = QuotaRecords(
        writer=world.services.writer,
        recorder=world.services.recorder,
        quotas=Quotas(
            Limits(bundles_per_minute=1, bundles_per_hour=1, bytes_per_day=1, open_requests=1),
            world.services.logs,
        ),
    )
    assert records.record_refusals(now=world.clock()) == 0


def test_a_flood_is_held_aside_and_others_are_not_delayed(
    world: Small, bank: Desk, police: Desk
) -> None:
    other = world.enrol("other-bank", OrgKind.FINANCIAL)
    world.limit(bundles_per_minute=2)
    answers = [put(bank, police).json() for _ in range(5)]
    assert [answer.get("held") for answer in answers] == [None, None, "burst", "burst", "burst"]
    assert put(other, police).json().get("held") is None
    delivered = police.deliveries()
    assert len(delivered) == 3, "two of the flooder, and at once the other's"
    held = world.services.quarantine.list(state=HeldState.HELD)
    assert [(one.org, one.reason) for one in held] == [(bank.org, "burst")] * 3

    world.services.quarantine.release(bank.org, held[0].bundle, now=world.clock())
    world.services.quarantine.drop(bank.org, held[1].bundle, now=world.clock())
    after = police.deliveries()
    assert len(after) == 4
    assert held[0].bundle.encode() in after[-1][1]
    states = [one.state for one in world.services.quarantine.list()]
    assert states == [HeldState.RELEASED, HeldState.DROPPED, HeldState.HELD]
    assert len(events(world, "bundle.released")) == 1
    assert "held_dropped" in events(world, "bundle.refused")[0]
    for verb in (world.services.quarantine.release, world.services.quarantine.drop):
        with pytest.raises(NotFound, match="held_unknown"):
            verb(bank.org, held[0].bundle, now=world.clock())
    world.clock.now += 60
    assert put(bank, police).json().get("held") is None


def test_a_held_bundle_keeps_its_receipt_and_its_answer(
    world: Small, bank: Desk, police: Desk
) -> None:
    world.limit(bundles_per_minute=1)
    put(bank, police)
    name, sealed = bank.seal(police)
    first, second = bank.put_bundle(sealed, name).json(), bank.put_bundle(sealed, name).json()
    assert first["held"] == second["held"] == "burst"
    assert first["index"] == second["index"]
    world.witness_round()
    receipt = bank.get(f"/v1/bundles/{name}/receipt", "wait=0")
    assert receipt.status_code == 200
    assert police.get(f"/v1/bundles/{name}").status_code == 404, "not before it is released"


def test_a_refused_act_counts_nothing(world: Small, bank: Desk, police: Desk) -> None:
    world.limit(bundles_per_hour=2)
    name, sealed = bank.seal(police)
    bank.put_bundle(sealed, name)
    _, changed = bank.seal(police, bundle_id=name)
    assert bank.put_bundle(changed, name).json()["code"] == "bundle_id_taken"
    assert put(bank, police).status_code == 202


def test_settings_of_quotas_are_read_strictly(tmp_path: Path) -> None:
    base = (
        'origin = "hub.test"\ninstance = "00000000"\nhost = "127.0.0.1"\nport = 1\nhttps = false\n'
        "threads = 4\nauthorities = []\n"
    )
    assert parse_config(tmp_path, base).bundles_per_hour == 100_000
    assert parse_config(tmp_path, base + "bundles_per_hour = 7\n").bundles_per_hour == 7
    for value in ("0", "-1", "true", '"7"', "1e3"):
        with pytest.raises(Malformed, match="bundles_per_hour"):
            parse_config(tmp_path, f"{base}bundles_per_hour = {value}\n")
    assert json.dumps(parse_config(tmp_path, base).settings())
