"""No step of storing a bundle can fail, or lie about failing, with anything lost or doubled."""

import pytest
from tests.assurance.steps import examine_steps
from tests.support.hub_world import World

pytestmark = pytest.mark.timeout(240)


def test_every_step_failed_and_every_step_kept_but_reported_failed(
    engine: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    world = World(tmp_path_factory.mktemp(engine))
    try:
        report = examine_steps(world, lambda _text: None)
    finally:
        world.close()
    assert report["faults"] == []
    assert report["steps"][-1] == "commit"
    assert len(report["steps"]) >= 8
    assert sum(report["told"].values()) == report["tried"]
    assert sum(count for code, count in report["told"].items() if code != "202") > 10
