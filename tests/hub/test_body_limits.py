"""Each route takes bodies of the size that its format has, and no larger."""

import pytest
from tests.support.hub_world import Desk

from accord.kernel.statements.tally import MAX_TALLY
from accord.webbase.factory import MAX_BODY

STATEMENT = "application/vnd.accord.statement+json"
TALLY = "/v1/tallies/2026-10"
ACKNOWLEDGEMENTS = "/v1/acknowledgements"


@pytest.mark.parametrize(
    ("method", "path", "size", "status"),
    [
        ("PUT", TALLY, MAX_TALLY, 400),
        ("PUT", TALLY, MAX_TALLY + 1, 413),
        ("POST", ACKNOWLEDGEMENTS, 500_000, 400),
        ("POST", ACKNOWLEDGEMENTS, MAX_BODY + 1, 413),
    ],
)
def test_a_body_is_read_up_to_the_limit_of_its_route(
    bank: Desk, method: str, path: str, size: int, status: int
) -> None:
    answer = bank.send(method, path, b"x" * size, STATEMENT)
    assert answer.status_code == status, answer.text
