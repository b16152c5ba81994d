"""Regular work: done when due, by one process at a time, whatever fails and wherever clocks go."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.support.hub_world import NOW, Desk, MovingClock, Places, World

from accord.hub.jobs.leases import JobTable, Timing
from accord.hub.jobs.regular import LEASE_SECONDS, RegularWork
from accord.hub.jobs.tables import JobRow
from accord.hub.storage import Database, Writer, open_database
from accord.kernel.errors import Unavailable


@dataclass
class Processes:
    """Several processes' regular work over one database, each with a writer of its own."""

    place: Path | str
    clock: MovingClock = field(default_factory=MovingClock)
    seen: list[tuple[str, int]] = field(default_factory=list)
    opened: list[tuple[Database, Writer]] = field(default_factory=list)

    def table(self) -> JobTable:
        database = open_database(self.place)
        writer = Writer(database.writing)
        self.opened.append((database, writer))
        return JobTable(engine=database.reading, writer=writer)

    def begin(self, name: str) -> RegularWork:
        work = RegularWork(table=self.table(), clock=self.clock)
        work.every("look", 5, lambda now: self.seen.append((name, now)))
        return work

    def row(self) -> sa.Row[tuple[object, ...]]:
        with self.opened[0][0].reading.connect() as connection:
            return connection.execute(sa.select(JobRow.__table__)).one()

    def close(self) -> None:
        for database, writer in self.opened:
            writer.close()
            database.close()


@pytest.fixture
def processes(tmp_path: Path, engine: str) -> Iterator[Processes]:
    assert engine
    made = Processes(Places.empty(tmp_path / "hub.db"))
    yield made
    made.close()


def test_an_act_is_done_at_once_and_then_each_time_it_is_due(processes: Processes) -> None:
    work = processes.begin("a")
    for processes.clock.now in (NOW, NOW + 1, NOW + 5, NOW + 6):
        work.run_due()
    assert processes.seen == [("a", NOW), ("a", NOW + 5)]


def test_a_job_during_which_time_passes_is_done_once(processes: Processes) -> None:
    """Its end lay ahead of the look that began before it, so it was taken for a clock set back."""
    work = RegularWork(table=processes.table(), clock=processes.clock)

    def slow(now: int) -> None:
        processes.seen.append(("slow", now))
        processes.clock.now += 2

    work.every("slow", 5, slow)
    assert work.run_due() == ["slow"]
    assert processes.seen == [("slow", NOW)]
    behind = processes.table()
    timings = {"slow": Timing(every=5, lease=LEASE_SECONDS)}
    assert behind.claim(timings, now=NOW + 1) is None, "nor by one whose look began before its end"
    processes.clock.now += 5
    assert work.run_due() == ["slow"]


def test_one_of_several_processes_does_it_each_time(processes: Processes) -> None:
    works = [processes.begin(name) for name in "abc"]
    for _ in range(4):
        for work in works:
            work.run_due()
        processes.clock.now += 5
    assert [now for _, now in processes.seen] == [NOW, NOW + 5, NOW + 10, NOW + 15]


def test_what_each_process_keeps_itself_is_done_by_each(processes: Processes) -> None:
    done: list[str] = []
    for name in "ab":
        work = RegularWork(table=processes.table(), clock=processes.clock)
        work.every("own", 5, lambda _now, name=name: done.append(name), each_process=True)
        assert work.run_due() == ["own"]
        assert work.run_due() == []
    assert done == ["a", "b"]


def test_the_lease_of_a_crashed_process_runs_out(processes: Processes) -> None:
    gone, other = processes.table(), processes.begin("b")
    timing = {"look": Timing(every=5, lease=LEASE_SECONDS)}
    lease = gone.claim(timing, now=NOW)
    assert lease is not None
    processes.clock.now += LEASE_SECONDS - 1
    assert other.run_due() == []
    processes.clock.now += 1
    assert other.run_due() == ["look"]
    # Should it not have crashed but slept, it gives back nothing.
    assert not gone.finish(lease, timing["look"], error=None, now=processes.clock.now)
    row = processes.row()
    assert (row.run_at, row.lease_until) == (processes.clock.now + 5, None)


def test_a_job_that_is_being_done_is_not_begun_again(processes: Processes) -> None:
    first, second = processes.table(), processes.begin("b")
    RegularWork(table=first, clock=processes.clock)
    within: list[str] = []
    work = RegularWork(table=first, clock=processes.clock)
    work.every("look", 5, lambda _now: within.extend(second.run_due()))
    assert work.run_due() == ["look"]
    assert within == []


def test_a_failing_act_stops_neither_the_others_nor_its_next_time(processes: Processes) -> None:
    work = RegularWork(table=processes.table(), clock=processes.clock)
    good: list[int] = []

    def fail(_now: int) -> None:
        raise Unavailable("storage_failed", "Full.")

    work.every("bad", 5, fail)
    work.every("good", 5, good.append)
    assert work.run_due() == ["bad", "good"]
    processes.clock.now += 5
    assert work.run_due() == ["bad", "good"]
    assert good == [NOW, NOW + 5]
    with processes.opened[0][0].reading.connect() as connection:
        rows = connection.execute(
            sa.select(JobRow.name, JobRow.attempts, JobRow.last_error).order_by(JobRow.name)
        ).all()
    assert [tuple(row) for row in rows] == [("bad", 2, "storage_failed"), ("good", 0, None)]


@pytest.mark.parametrize("leased", [False, True])
def test_a_clock_that_is_set_back_does_not_stop_the_work(
    processes: Processes, *, leased: bool
) -> None:
    work = processes.begin("a")
    work.run_due()
    if leased:
        processes.clock.now += 5
        processes.table().claim({"look": Timing(every=5, lease=LEASE_SECONDS)}, now=NOW + 5)
    processes.clock.now -= 86_400
    assert work.run_due() == ["look"]


def test_one_name_is_registered_once(processes: Processes) -> None:
    work = processes.begin("a")
    with pytest.raises(ValueError, match="look"):
        work.every("look", 9, lambda _now: None)


def test_a_look_that_finds_nothing_writes_nothing(processes: Processes) -> None:
    work = processes.begin("a")
    work.run_due()
    asked: list[str] = []
    sa.event.listen(
        processes.opened[0][0].writing,
        "before_cursor_execute",
        lambda _c, _k, statement, *_: asked.append(statement),
    )
    assert work.run_due() == []
    assert asked == []


def test_expiry_is_regular_work_of_every_hub(world: World, bank: Desk, police: Desk) -> None:
    bundle_id, bundle = bank.seal(police)
    assert bank.put_bundle(bundle, bundle_id).status_code == 202
    world.services.jobs.run_due()
    world.clock.now += 31 * 86_400
    assert "expiry" in world.services.jobs.run_due()
    items = police.get("/v1/feed", "after=0").json()["items"]
    assert [item["event"] for item in items] == ["delivered", "expired"]
