"""T31: two processes of one hub write at once, and one of them is killed. The log never forks.

The acknowledgements are the senders' own; the judge is a verifier that we did not write
(tests/assurance/checker.py). Faults of the server itself: tests/hub/storage.
"""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import func, select
from tests.assurance.checker import examine_rows, examine_served
from tests.assurance.place import HubProcess, Place, made_place
from tests.assurance.senders import Ledger, Load, seal_parcels, signed
from tests.support import postgres

from accord.hub.audit.tables import AuditOrg, AuditSequence
from accord.hub.storage.examination import looking_at

MEMBERS = 8
BUNDLES = 160


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    if postgres.server_folder() is None:
        pytest.skip("no PostgreSQL 15 or newer on this machine: not tested on PostgreSQL")
    with made_place(members=MEMBERS, engine="postgresql") as made:
        yield made


@pytest.fixture(scope="module")
def hub(place: Place) -> Iterator[HubProcess]:
    made = place.hub(processes=2)
    made.start()
    yield made
    assert made.process is not None
    made.process.terminate()
    made.process.join(60)
    assert made.process.exitcode == 0


def send_all(hub: HubProcess, ledger: Ledger) -> None:
    for _ in range(20):
        if not ledger.open():
            return
        load = Load(ledger, hub.url, threads=12)
        load.start()
        load.finish()


def check(place: Place, hub: HubProcess, ledger: Ledger) -> None:
    """Nothing acknowledged is lost or moved, no fork, no gap in an organisation's sequence."""
    assert not ledger.open(), ledger.answers
    for verdict in (
        examine_rows(place.config.place, ledger),
        examine_served(place, hub, ledger),
    ):
        assert verdict.ok, verdict
        assert verdict.checked >= len(ledger.acknowledged)
    with looking_at(place.config.place) as engine, engine.connect() as connection:
        found = connection.execute(
            select(
                AuditOrg.org, func.count(), func.min(AuditOrg.seq), func.max(AuditOrg.seq)
            ).group_by(AuditOrg.org)
        ).all()
        last = {
            row.org: row.last
            for row in connection.execute(select(AuditSequence.org, AuditSequence.last))
        }
    assert {(one[0], one[2], one[3]) for one in found} == {(org, 1, n) for org, n in last.items()}
    assert all(one[1] == one[3] for one in found)


def test_two_processes_write_one_log_under_load(place: Place, hub: HubProcess) -> None:
    ledger = Ledger(seal_parcels(place.running(hub), place.members, BUNDLES, large=1))
    assert len(hub.children()) == 2
    send_all(hub, ledger)
    check(place, hub, ledger)


def test_one_of_two_is_killed_again_and_again_and_another_follows(
    place: Place, hub: HubProcess
) -> None:
    ledger = Ledger(seal_parcels(place.running(hub), place.members, BUNDLES))
    for _ in range(3):
        load = Load(ledger, hub.url, threads=8)
        load.start()
        time.sleep(0.2)
        victim = hub.children()[0]
        os.kill(victim, signal.SIGKILL)
        load.finish()
        end = time.monotonic() + 30
        while victim in (found := hub.children()) or len(found) < 2:
            assert time.monotonic() < end, "no process has followed"
            time.sleep(0.02)
    send_all(hub, ledger)
    check(place, hub, ledger)


def test_a_request_that_was_overheard_is_taken_by_one_of_them_once(
    place: Place, hub: HubProcess
) -> None:
    authority = hub.url.removeprefix("http://")
    for _ in range(10):
        headers = signed(place.police, "GET", authority, "/v1/feed")
        answers = [
            httpx2.get(f"{hub.url}/v1/feed", headers=headers, trust_env=False) for _ in range(3)
        ]
        codes = [answer.json().get("code") for answer in answers]
        assert codes == [None, "nonce_replayed", "nonce_replayed"]


def test_the_others_stop_when_their_parent_is_killed(hub: HubProcess) -> None:
    left = hub.children()
    hub.kill()
    end = time.monotonic() + 30
    while any(Path(f"/proc/{pid}").exists() for pid in left):
        assert time.monotonic() < end, "they serve on without it"
        time.sleep(0.02)
    hub.start()
