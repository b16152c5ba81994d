"""Fixtures for every suite: the shared reference material, hypothesis profiles."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from accord.logs import log_to_stderr

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"

settings.register_profile(
    "default", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("default")

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
