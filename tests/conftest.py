"""For every suite: the shared reference material, hypothesis profiles, the database engines.

``--engine sqlite|postgresql|both`` says on which engine hubs are tested: SQLite without it. Tests of
PostgreSQL itself always run where there is one. ``--engine both -m postgresql`` runs what a run
without ``--engine`` leaves out: the hub's suite on PostgreSQL. ``--engine postgresql`` puts the
hubs of all suites there.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from tests.support import postgres
from tests.support.hub_world import Places

from accord.logs import log_to_stderr

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"

settings.register_profile(
    "default", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("default")

# ``stix2-validator`` brings it, and ``jsonschema`` builds its grammar on import, for two seconds in
# each worker. It judges the formats "iri" and "iri-reference", which no schema here has.
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]

# As in every program: stdout is data only.
log_to_stderr()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The reference material beside the project; tests that need it skip where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("the shared reference material is not beside this checkout")
    return SHARED


@pytest.fixture(scope="session")
def project() -> Path:
    """The project's root directory."""
    return ROOT


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine",
        choices=("sqlite", "postgresql", "both"),
        default="sqlite",
        help="the database engine of the hubs under test",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "postgresql: one of several engines on which this runs")
    if config.getoption("--engine") == "postgresql":
        Places.engine = "postgresql"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that asks for ``engine`` on every engine that was chosen."""
    if "engine" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--engine")
        names = ["sqlite", "postgresql"] if chosen == "both" else [chosen]
        engines = [
            pytest.param(name, marks=pytest.mark.postgresql if name == "postgresql" else ())
            for name in names
        ]
        metafunc.parametrize("engine", engines, indirect=True)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that ask for more time first: all workers would wait for one begun last."""
    long = {item.path for item in items if item.get_closest_marker("timeout")}
    items.sort(key=lambda item: item.path not in long)


@pytest.fixture(scope="module")
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """The engine on which this test's hubs keep their data.

    A fixture of a whole module that makes a ``World`` asks for it, so that it is made for each.
    """
    name: str = request.param
    if name == "postgresql" and postgres.server_folder() is None:
        pytest.skip("no PostgreSQL 15 or newer on this machine: not tested on PostgreSQL")
    with Places.on(name):
        yield name
