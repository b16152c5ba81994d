"""Waiting for a receipt never takes all of the hub's threads."""

import threading
import time

from tests.support.hub_world import Desk, World


def test_who_finds_no_place_to_wait_is_answered_at_once(
    world: World, bank: Desk, police: Desk
) -> None:
    bundle_id, raw = bank.seal(police)
    bank.put_bundle(raw, bundle_id)
    path = f"/v1/bundles/{bundle_id}/receipt"
    places = world.config.threads // 2
    answers: list[tuple[int, float]] = []

    def ask() -> None:
        start = time.monotonic()
        answer = bank.get(path, "wait=20")
        answers.append((answer.status_code, time.monotonic() - start))

    threads = [threading.Thread(target=ask) for _ in range(places + 3)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 15
    while len(answers) < 3 and time.monotonic() < deadline:
        threads[-1].join(0.1)
    assert len(answers) == 3
    assert all(status == 503 and seconds < 10 for status, seconds in answers)
    world.witness_round()
    for thread in threads:
        thread.join(15)
    assert sorted(status for status, _ in answers) == [200] * places + [503] * 3


def test_a_receipt_that_is_there_needs_no_place(world: World, bank: Desk, police: Desk) -> None:
    bundle_id, raw = bank.seal(police)
    bank.put_bundle(raw, bundle_id)
    world.witness_round()
    assert bank.get(f"/v1/bundles/{bundle_id}/receipt", "wait=20").status_code == 200
