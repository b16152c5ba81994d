"""The published vectors, which a second writer made from the format's page alone."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accord.kernel import dsse
from accord.kernel.directory.organisation import KeyUse
from accord.kernel.directory.rootfile import ROOT_TYPE, verify_root, verify_successor
from accord.kernel.directory.state import replay
from accord.kernel.directory.statements import STATEMENT_TYPE
from accord.kernel.directory.words import six_words
from accord.kernel.encoding import b64decode, b64encode
from accord.kernel.errors import AccordError
from accord.kernel.identifiers import KeyId

FOLDER = Path(__file__).resolve().parents[3] / "schemas" / "vectors" / "directory"
ROOTS, REPLAYS, WORDS = (
    json.loads((FOLDER / f"{name}.json").read_bytes()) for name in ("roots", "replays", "words")
)


def named(case: dict[str, Any]) -> str:
    return str(case["name"])


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(AccordError) as caught:
        call()
    return caught.value.code


@pytest.mark.parametrize("case", ROOTS["cases"], ids=named)
def test_root_files(case: dict[str, Any]) -> None:
    data, expect = case["root"].encode(), case["expect"]

    def verify() -> Any:
        if "previous" in case:
            return verify_successor(data, verify_root(case["previous"].encode()))
        return verify_root(data)

    if "code" in expect:
        assert code_of(verify) == expect["code"]
    else:
        assert b64encode(verify().sha256) == expect["sha256"]


@pytest.mark.parametrize("case", REPLAYS["cases"], ids=named)
def test_replays(case: dict[str, Any]) -> None:
    root = verify_root(REPLAYS["roots"][case["root"]].encode())
    successors = []
    for name in case.get("successors", []):
        before = successors[-1] if successors else root
        successors.append(verify_successor(REPLAYS["roots"][name].encode(), before))
    entries = [REPLAYS["leaves"][name].encode() for name in case["leaves"]]
    expect = case["expect"]
    if "code" in expect:
        good = replay(entries[: expect["at"]], root, successors)
        assert code_of(lambda: good.apply(entries[expect["at"]])) == expect["code"]
        return
    state = replay(entries, root, successors)
    assert [
        {"org": one.org, "status": one.status, "seq": one.seq} for one in state.organisations()
    ] == expect["organisations"]
    sizes = range(len(entries) + 1)
    for key in expect["signing_keys"]:
        record = state.key(KeyId(b64decode(key["kid"])))
        assert record.use is KeyUse.SIG
        assert [size for size in sizes if record.in_force(size)] == key["sizes"]


def enveloped(kind: str, text: str) -> bytes:
    pair = dsse.SignaturePair(kid=KeyId(bytes(32)), ed25519=bytes(64), mldsa65=bytes(3309))
    return dsse.join(kind, text.encode(), [pair])


@pytest.mark.parametrize("case", WORDS["cases"], ids=named)
def test_six_words(case: dict[str, Any]) -> None:
    root = enveloped(ROOT_TYPE, case["root_payload"])
    statement = enveloped(STATEMENT_TYPE, case["statement_payload"])
    assert list(six_words(root, statement)) == case["expect"]["words"]
