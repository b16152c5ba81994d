"""The end of keeping: told, deleted on time, proved, and nothing left behind in files."""

import hashlib
import secrets
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.support.hub_world import NOW, Desk, World

from accord.hub.storage import scrub
from accord.hub.storage.bodies import INLINE_LIMIT
from accord.kernel.directory.rootfile import LogName
from accord.kernel.errors import AccordError, VerificationFailed
from accord.kernel.identifiers import BundleId
from accord.kernel.tlog.erasure import verify_erasure
from accord.kernel.tlog.leaf import Opening, parse_record
from accord.kernel.tlog.proof import parse_proof, verify_proof

DAY = 86_400


def send(sender: Desk, *to: Desk, **changes: object) -> tuple[str, bytes]:
    bundle_id, bundle = sender.seal(*to, **changes)
    assert sender.put_bundle(bundle, bundle_id).status_code == 202
    return bundle_id, bundle


def end(world: World) -> tuple[int, int]:
    """Do what the regular work does; return how many were told and how many erased."""
    told = world.services.retention.expire(now=world.clock())
    return told, world.services.retention.erase(now=world.clock())


def large() -> list[str]:
    return [f"http://h-{secrets.token_hex(28)}.example.net/{n}" for n in range(12_000)]


def body_files(world: World) -> list[Path]:
    return [path for path in world.config.bodies.rglob("*") if path.is_file()]


def test_sealed_bytes_are_deleted_on_time_and_the_deletion_is_proved(
    world: World, bank: Desk, police: Desk
) -> None:
    third = world.enrol("third", police.kind)
    bundle_id, bundle = send(bank, police, expires=NOW + DAY)
    path = f"/v1/bundles/{bundle_id}/erasure"
    assert end(world) == (0, 0)
    assert police.get(path).json()["code"] == "erasure_missing"
    world.clock.now = NOW + DAY
    assert end(world) == (1, 1)
    assert end(world) == (0, 0)
    events = [one["event"] for one in police.get("/v1/feed", "after=0").json()["items"]]
    assert events == ["delivered", "expired"], "the tombstone stays"
    assert police.deliveries() == []
    gone = police.get(f"/v1/bundles/{bundle_id}")
    assert (gone.status_code, gone.json()["code"]) == (404, "bundle_erased")
    assert police.get(path).json()["code"] == "receipt_pending"
    world.witness_round()
    for desk in (bank, police):
        answer = desk.get(path, f"sender={bank.org}")
        assert answer.status_code == 200, answer.text
        proof = parse_proof(answer.content)
        record = parse_record(proof.extra)
        verify_proof(
            answer.content, leaf=record.leaf(), policy=world.root.log_policy(LogName.AUDIT)
        )
        opened = {one.field: one.value for one in record.fields if isinstance(one, Opening)}
        assert (opened["what"], opened["subject"]) == ("bundle.erased", bundle_id)
    for stranger in (third,):
        assert stranger.get(path).json()["code"] == "not_found"
        assert stranger.get(f"/v1/bundles/{bundle_id}").json()["code"] == "not_found"
    again = bank.put_bundle(bundle, bundle_id)  # type: ignore[arg-type]
    assert again.status_code == 202, "the same bytes still get the same answer"
    assert police.deliveries() == []


def test_nothing_sealed_is_left_in_the_database(world: World, bank: Desk, police: Desk) -> None:
    bundle_id, bundle = send(bank, police, expires=NOW + DAY)
    marks = [bundle[-600:-300], bundle[-200:]]
    world.clock.now = NOW + DAY
    end(world)
    scrub(world.services.database.writing, "bundles", "bundle_entries")
    held = dict(world.files())
    with world.services.database.reading.connect() as connection:
        for table in ("bundles", "bundle_entries"):
            for row in connection.execute(text(f"SELECT * FROM {table}")):  # noqa: S608 - two names
                held[table] = held.get(table, b"") + b"".join(
                    value for value in row if isinstance(value, bytes)
                )
    found = [name for name, data in held.items() if any(mark in data for mark in marks)]
    assert found == [], bundle_id


def test_files_of_large_bodies_go_too_and_what_a_crash_left_is_swept(
    world: World, bank: Desk, police: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        send(bank, police, values=large(), expires=NOW + DAY)
    assert len(body_files(world)) == 2
    world.clock.now = NOW + DAY
    retention = world.services.retention
    retention.expire(now=world.clock())
    with monkeypatch.context() as patch:
        # The process ends after the commit and before the files.
        patch.setattr(world.services.sweep, "delete", lambda _names, **_now: 0)
        assert retention.erase(now=world.clock()) == 2
    assert len(body_files(world)) == 2
    assert world.services.sweep.sweep(now=world.clock()) == 2
    assert body_files(world) == []
    metrics = world.client.get("/metrics").text
    for line in (
        "accord_bundles_erased_total 2.0",
        "accord_body_files_deleted_total 2.0",
        "accord_bundles_past_their_time 0.0",
    ):
        assert line in metrics


def test_a_body_on_its_way_into_a_row_is_not_swept(world: World, bank: Desk, police: Desk) -> None:
    send(bank, police, values=large())
    store = world.services.sweep._bodies
    young = store.put(secrets.token_bytes(INLINE_LIMIT + 1), now=world.clock())
    assert world.services.sweep.sweep(now=world.clock() + 3599) == 0
    assert world.services.sweep.sweep(now=world.clock() + 3600) == 1
    assert store.age(young, now=world.clock()) == -1
    assert len(body_files(world)) == 1, "a row names this one"


def test_what_was_taken_back_still_ends_in_time(world: World, bank: Desk, police: Desk) -> None:
    bundle_id, _ = send(bank, police, expires=NOW + DAY)
    send(bank, police, replaces=bundle_id)
    world.clock.now = NOW + DAY
    assert end(world) == (1, 1)
    page = police.get("/v1/feed", "after=0").json()["items"]
    mine = [item["event"] for item in page if item["bundle"] == bundle_id]
    assert mine == ["delivered", "superseded", "expired"]


def test_a_proof_of_erasure_holds_for_its_bundle_alone_and_not_when_a_bit_is_turned(
    world: World, bank: Desk, police: Desk
) -> None:
    bundle_id, bundle = send(bank, police, expires=NOW + DAY)
    other, _ = send(bank, police, expires=NOW + DAY)
    accepted = bank.get(f"/v1/bundles/{bundle_id}/receipt")
    world.clock.now = NOW + DAY
    assert end(world) == (2, 2)
    world.witness_round()
    policy = world.root.log_policy(LogName.AUDIT)
    name, digest = BundleId(bundle_id), hashlib.sha256(bundle).hexdigest()
    for desk in (bank, police):
        data = desk.get(f"/v1/bundles/{bundle_id}/erasure").content
        found = verify_erasure(data, policy, bundle=name, sender=bank.org, sha256=digest)
        assert found.erasure.sender == bank.org
        assert (found.erasure.at, found.erasure.basis) == (NOW + DAY, "retention")
    others = bank.get(f"/v1/bundles/{other}/erasure").content
    receipt = bank.get(f"/v1/bundles/{bundle_id}/receipt").content
    assert accepted.status_code != 404
    for wrong, changes in (
        (others, {}),
        (receipt, {}),
        (data, {"sha256": "0" * 64}),
        (data, {"bundle": BundleId(other)}),
        (data, {"sender": police.org}),
    ):
        with pytest.raises(VerificationFailed) as caught:
            verify_erasure(wrong, policy, **{"bundle": name, "sha256": digest} | changes)
        assert caught.value.code == "erasure_other"
    for place in range(0, len(data), 29):
        turned = bytearray(data)
        turned[place] ^= 1 << place % 8
        try:
            again = verify_erasure(bytes(turned), policy, bundle=name, sha256=digest)
        except AccordError:
            continue
        # A line of a key that the quorum does not need may be damaged; what is proved stays.
        assert again.erasure == found.erasure, place
        assert again.index == found.index
