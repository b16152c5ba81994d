"""No cell of the access matrix leaks, and the matrix finds a route that does."""

from collections.abc import Callable

import pytest
from tests.assurance.matrix import Report, examine_hub, run_matrix
from tests.support.hub_world import World

from accord.webbase.routes import Who, declare

pytestmark = pytest.mark.timeout(240)


def test_no_persona_gets_past_its_grants() -> None:
    report = run_matrix(say=lambda _text: None)
    assert (report["outside"], report["wrong"]) == ([], [])
    assert report["routes"] >= 90
    assert report["tried"] >= 350


def leaking(action: str, who: Who) -> Callable[..., str]:
    """A view that forgets to ask the gate."""

    @declare(action, who=who)
    def view(**_: str) -> str:
        return "everything"

    return view


PLANTED = {
    "/v1/leak/<bundle_id>": ("bundle:read", Who.SIGNED),
    "/leak": ("audit:view", Who.PERSON),
    "/v1/undeclared": ("something:new", Who.ANYONE),
    "/v1/other/<planet>": ("feed:read", Who.SIGNED),
}


@pytest.fixture
def planted(tmp_path_factory: pytest.TempPathFactory) -> Report:
    world = World(tmp_path_factory.mktemp("planted"))
    world.app._got_first_request = False
    for path, (action, who) in PLANTED.items():
        world.app.add_url_rule(path, endpoint=f"leak{path}", view_func=leaking(action, who))
    report = Report()
    try:
        examine_hub(world, report)
    finally:
        world.close()
    return report


def test_planted_leaks_and_unlisted_routes_are_found(planted: Report) -> None:
    wrong = " ".join(planted.wrong)
    assert "outsider GET /v1/leak/" in wrong
    assert "viewer of the bank GET /leak" in wrong
    assert "auditor of the bank GET /leak" not in wrong
    outside = " ".join(planted.outside)
    assert "/v1/undeclared: action something:new" in outside
    assert "/v1/other/<planet>: place holder" in outside
    assert all("leak" in one for one in planted.wrong)
