"""The published vectors of the logs: each case gives the answer that it names."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.conftest import ROOT
from tests.support import make_tlog_vectors
from tests.support.logs import NOW, MadeLog, numbered

from accord.kernel.encoding import b64decode, b64encode
from accord.kernel.errors import AccordError
from accord.kernel.tlog import leaf, merkle, tiles
from accord.kernel.tlog.checkpoint import open_cosigned, verify_checkpoint
from accord.kernel.tlog.notes import LogKeyPair, WitnessKeyPair
from accord.kernel.tlog.policy import parse_policy
from accord.kernel.tlog.proof import verify_proof
from accord.witness.app import create_app
from accord.witness.service import LogBook, Witness
from accord.witness.storage import Identity, WitnessDatabase

FOLDER = ROOT / "schemas/vectors/tlog"
PUBLISHED = {path.name: json.loads(path.read_text("utf-8")) for path in FOLDER.glob("*.json")}
KEYS = PUBLISHED["checkpoints.json"]["keys"]
RECORD_SCHEMA = Draft202012Validator(
    json.loads((ROOT / "schemas/tlog/record.v1.json").read_text("utf-8"))
)


def checkpoint(case: dict[str, Any]) -> Any:
    found = verify_checkpoint(
        case["note"].encode(), origin=case["origin"], log_vkeys=KEYS["log"]["vkeys"]
    )
    return {"origin": found.origin, "size": found.size, "root": b64encode(found.root)}


def cosigned(case: dict[str, Any]) -> Any:
    policy = parse_policy(case["policy"])
    opened = open_cosigned(case["note"].encode(), policy, now=case["now"], max_age=case["max_age"])
    (time,) = set(opened.times.values())
    return {"size": opened.checkpoint.size, "witnessed": time}


def policy(case: dict[str, Any]) -> Any:
    parsed = parse_policy(case["policy"])
    expect = case["expect"]
    return {
        "met": [names for names in expect["met"] if parsed.met_by(names)],
        "unmet": [names for names in expect["unmet"] if not parsed.met_by(names)],
    }


def tree(case: dict[str, Any]) -> Any:
    log = MadeLog().append(numbered(case["size"]))
    expect = case["expect"]
    hashes = [merkle.leaf_hash(entry) for entry in log.entries]
    for index, path in expect["inclusion"].items():
        merkle.verify_inclusion(
            index=int(index),
            size=case["size"],
            leaf=hashes[int(index)],
            path=[b64decode(step) for step in path],
            root=b64decode(expect["root"]),
        )
    return {
        "root": b64encode(log.edge.root()),
        "files": sorted(log.files),
        "inclusion": {
            at: [b64encode(step) for step in log.inclusion(int(at))] for at in expect["inclusion"]
        },
        "consistency": {
            old: [b64encode(step) for step in log.consistency(int(old))]
            for old in expect["consistency"]
        },
    }


def path_of(case: dict[str, Any]) -> Any:
    found = tiles.parse_tile_path(case["path"])
    return {"level": found.level, "index": found.index, "width": found.width}


def record(case: dict[str, Any]) -> Any:
    parsed = leaf.parse_record(case["record"].encode())
    RECORD_SCHEMA.validate(json.loads(case["record"]))
    return leaf.verify_opening(b64decode(case["leaf"]), parsed)


def proof(case: dict[str, Any]) -> Any:
    found = verify_proof(
        case["proof"].encode(), b64decode(case["entry"]), parse_policy(case["policy"])
    )
    return {"index": found.index, "size": found.checkpoint.size}


ANSWERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "checkpoints.json": checkpoint,
    "cosigned.json": cosigned,
    "policies.json": policy,
    "trees.json": tree,
    "paths.json": path_of,
    "leaves.json": record,
    "proofs.json": proof,
}
CASES = [
    pytest.param(name, case, id=f"{name}: {case['name']}")
    for name in ANSWERS
    for case in PUBLISHED[name]["cases"]
]


@pytest.mark.parametrize(("name", "case"), CASES)
def test_each_case_gives_its_answer(name: str, case: dict[str, Any]) -> None:
    try:
        answer = ANSWERS[name](case)
    except AccordError as error:
        answer = {"error": error.code}
    assert answer == case["expect"]


def test_the_witness_answers_the_requests_in_their_order(tmp_path: Path) -> None:
    keys = PUBLISHED["witnessing.json"]["keys"]
    own = keys["witnesses"][0]
    pair = WitnessKeyPair(
        own["name"], (b64decode(own["ed25519_seed"]), b64decode(own["ml_dsa_44_seed"]))
    )
    database = WitnessDatabase.create(
        tmp_path / "state", Identity(name=pair.name, vkeys=pair.vkeys)
    )
    LogBook(database, lambda: NOW).follow(keys["log"]["name"], keys["log"]["vkeys"])
    client = create_app(Witness(database, pair, lambda: NOW)).test_client()
    for case in PUBLISHED["witnessing.json"]["cases"]:
        answer = client.post("/add-checkpoint", data=case["request"].encode())
        found: dict[str, int] = {"status": answer.status_code}
        if answer.status_code == 409:
            found["size"] = int(answer.data)
        assert found == case["expect"], case["name"]
    database.close()


def test_the_keys_are_those_of_the_seeds() -> None:
    for content in PUBLISHED.values():
        log = content["keys"]["log"]
        made = LogKeyPair(
            log["name"], b64decode(log["ed25519_seed"]), b64decode(log["ml_dsa_44_seed"])
        )
        assert list(made.vkeys) == log["vkeys"]
        for own in content["keys"]["witnesses"]:
            seeds = (b64decode(own["ed25519_seed"]), b64decode(own["ml_dsa_44_seed"]))
            assert list(WitnessKeyPair(own["name"], seeds).vkeys) == own["vkeys"]


def test_the_maker_still_makes_the_published_cases() -> None:
    made = make_tlog_vectors.files()
    assert set(made) == set(PUBLISHED)
    for name, content in made.items():
        published = PUBLISHED[name]
        assert content["keys"] == published["keys"]
        assert [(case["name"], case["expect"]) for case in content["cases"]] == [
            (case["name"], case["expect"]) for case in published["cases"]
        ]
