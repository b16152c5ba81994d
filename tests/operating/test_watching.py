"""What the operator's tools see: ready or not and why, and figures that name no member."""

import re

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.support.hub_world import Desk, World

from accord.hub.transparency import LogName

NAMES = ("first-bank", "police", "@hub.test")


def figures(world: World) -> dict[str, float]:
    answer = world.app.test_client().get(
        "/metrics", base_url="http://127.0.0.1:8600", environ_base={"REMOTE_ADDR": "127.0.0.1"}
    )
    assert answer.status_code == 200
    for name in NAMES:
        assert name not in answer.text
    found = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            labels = ",".join(sample.labels.values())
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def test_the_figures_follow_what_happens(world: World, bank: Desk, police: Desk) -> None:
    before = figures(world)
    bundle_id, raw = bank.seal(police)
    assert bank.put_bundle(raw, bundle_id).status_code == 202
    after = figures(world)
    assert after["accord_commit_seconds_count"] > before["accord_commit_seconds_count"]
    assert after["accord_commit_seconds_sum"] > before["accord_commit_seconds_sum"]
    assert after["accord_acts_total"] > before["accord_acts_total"]
    assert after["accord_log_witness_lag{audit}"] >= 1
    assert after["accord_writer_waiting"] == 0
    assert after["accord_disk_free_bytes"] > 0
    assert after["accord_witness_well{ngo.test/witness}"] == 1
    world.witness_round()
    world.services.jobs.run_due()
    world.clock.now += 1000
    last = figures(world)
    assert last["accord_log_witness_lag{audit}"] == 0
    assert last["accord_jobs_failing"] == 0
    assert any(re.fullmatch(r"accord_job_overdue_seconds\{\w+\}", name) for name in last)


def test_a_silent_witness_and_a_failing_job_are_seen(world: World) -> None:
    def refuse(_request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused")

    def fail(_now: int) -> None:
        raise KeyError

    world.services.rounds._client = httpx2.Client(transport=httpx2.MockTransport(refuse))
    world.services.jobs.every("broken", 60, fail)
    world.services.jobs.run_due()
    world.clock.now += 700
    for name in LogName:
        world.services.jobs.round(name)
    seen = figures(world)
    assert seen["accord_witness_well{ngo.test/witness}"] == 0
    assert seen["accord_jobs_failing"] == 1


def ready(world: World) -> tuple[int, str]:
    answer = world.client.get("/readyz")
    return answer.status_code, "ready" if answer.status_code == 200 else answer.json()["code"]


def test_ready_says_why_not(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ready(world) == (200, "ready")
    with monkeypatch.context() as patch:
        patch.setattr("accord.findings.FULL_BYTES", 2**63)
        status, code = ready(world)
        assert (status, code) == (507, "disk_full")
        assert world.client.get("/readyz").json()["next_step"]
    world.services.logs.stopped = "9, here: 8"
    assert ready(world) == (503, "behind_witness")
    world.services.logs.stopped = None
    world.services.writer.close()
    assert ready(world) == (503, "writer_closed")
    assert world.client.get("/healthz").status_code == 200
