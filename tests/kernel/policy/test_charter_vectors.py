"""The published charters and questions, which a second writer made from the page alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from accord.kernel.encoding import b64encode
from accord.kernel.errors import Malformed
from accord.kernel.identifiers import OrgId, parse_org_id
from accord.kernel.markings import BundleKind, Onward, OrgKind, Purpose, Tlp
from accord.kernel.policy.charter import parse_charter
from accord.kernel.policy.decide import Party, Question, decide

PATH = Path(__file__).resolve().parents[3] / "schemas" / "vectors" / "directory" / "charters.json"
VECTORS = json.loads(PATH.read_bytes())
CHARTER = parse_charter(VECTORS["charter"].encode())


def named(case: dict[str, Any]) -> str:
    return str(case["name"])


def party(told: dict[str, Any]) -> Party:
    return Party(
        org=parse_org_id(told["org"]),
        kind=OrgKind(told["kind"]),
        country=told["country"],
        capabilities=frozenset(told["capabilities"]),
    )


def test_the_hash_is_that_of_the_text() -> None:
    assert b64encode(CHARTER.sha256) == VECTORS["sha256"]


@pytest.mark.parametrize("case", VECTORS["questions"], ids=named)
def test_questions(case: dict[str, Any]) -> None:
    told = case["question"]
    decision = decide(
        CHARTER,
        Question(
            sender=party(told["sender"]),
            recipients=tuple(party(one) for one in told["recipients"]),
            kind=BundleKind(told["kind"]),
            tlp=Tlp(told["tlp"]),
            purpose=Purpose(told["purpose"]),
            onward=Onward(told["onward"]),
            lifetime=told["lifetime"],
            approved=told.get("approved"),
            replies_to=frozenset(OrgId(org) for org in told["replies_to"]),
            recalls=told["recalls"],
        ),
    )
    assert {"code": decision.code, "rule": decision.rule} == case["expect"]


@pytest.mark.parametrize("case", VECTORS["cases"], ids=named)
def test_deformed_charters(case: dict[str, Any]) -> None:
    with pytest.raises(Malformed) as caught:
        parse_charter(case["charter"].encode())
    assert caught.value.code == case["expect"]["code"]
