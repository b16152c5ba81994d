"""The published bundles and deliveries: each gets exactly the answer that stands beside it."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from tests.support import make_asb_vectors

from accord.kernel.bundle import disclosure, framing, verification
from accord.kernel.envelope import opening
from accord.kernel.errors import AccordError, VerificationFailed
from accord.kernel.identifiers import KeyId, parse_org_id
from accord.kernel.indicators import parse_lines
from accord.kernel.keys import KemKeyPair, SignerKey, SigningKeyPair

FOLDER = Path(__file__).resolve().parents[3] / "schemas/vectors/asb"
FILES: dict[str, dict[str, Any]] = {
    path.name: json.loads(path.read_bytes()) for path in sorted(FOLDER.glob("*.json"))
}


def test_the_published_files_are_those_that_the_second_writer_makes() -> None:
    """So it makes the same bytes every time."""
    published = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    assert published == make_asb_vectors.files()


def test_no_two_cases_have_one_name() -> None:
    names = [case["name"] for file in FILES.values() for case in file["cases"]]
    assert len(set(names)) == len(names)


def raw(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def cases(*questions: str) -> list[Any]:
    return [
        pytest.param(file, case, id=f"{name.removesuffix('.json')}: {case['name']}")
        for name, file in FILES.items()
        for case in file["cases"]
        if all(question in case["expect"] for question in questions)
    ]


class Directory:
    """The senders of a vector file, as a lookup."""

    def __init__(self, file: dict[str, Any]) -> None:
        """Make the keys of the file's senders."""
        self._keys: dict[bytes, SignerKey] = {}
        for sender in file["directory"]:
            pair = SigningKeyPair.from_seeds(
                raw(sender["ed25519_seed"]), raw(sender["ml_dsa_65_seed"])
            )
            assert pair.kid == raw(sender["key_id"])
            self._keys[pair.kid] = SignerKey(org=parse_org_id(sender["org"]), public=pair.public)

    def __call__(self, kid: KeyId) -> SignerKey:
        """Return the key or refuse."""
        if kid not in self._keys:
            raise VerificationFailed("signer_unknown", "The directory does not know this key.")
        return self._keys[kid]


def keys_of(file: dict[str, Any], org: str) -> dict[KeyId, KemKeyPair]:
    [seed] = [raw(r["x_wing_seed"]) for r in file["recipients"] if r["org"] == org]
    pair = KemKeyPair.from_seed(seed)
    return {pair.kid: pair}


def hub_answer(file: dict[str, Any], data: bytes) -> str:
    try:
        parsed = framing.parse_bundle(data)
        verification.verify_bundle(parsed, signer=Directory(file), now=file["now"])
    except AccordError as error:
        return error.code
    return "ok"


def open_it(file: dict[str, Any], case: dict[str, Any], delivery: bytes) -> Any:
    return opening.open_trimmed(
        delivery,
        signer_lookup=Directory(file),
        kem_keys=keys_of(file, case["recipient"]),
        now=file["now"],
        parse_records=parse_lines,
    )


def desk_answer(file: dict[str, Any], case: dict[str, Any], delivery: bytes) -> str:
    try:
        opened = open_it(file, case, delivery)
    except AccordError as error:
        return error.code
    assert [index for index, _ in opened.quarantined] == case.get("quarantined", [])
    return "ok"


def delivered(case: dict[str, Any]) -> bytes:
    if "delivery" in case:
        return raw(case["delivery"])
    return framing.trim(framing.parse_bundle(raw(case["bundle"])), case["entry"])


@pytest.mark.parametrize(("file", "case"), cases("verify"))
def test_the_hub_answers_as_published(file: dict[str, Any], case: dict[str, Any]) -> None:
    assert hub_answer(file, raw(case["bundle"])) == case["expect"]["verify"]


@pytest.mark.parametrize(("file", "case"), cases("open"))
def test_the_desk_answers_as_published(file: dict[str, Any], case: dict[str, Any]) -> None:
    assert desk_answer(file, case, delivered(case)) == case["expect"]["open"]


def disclosure_answer(file: dict[str, Any], case: dict[str, Any]) -> str:
    try:
        parsed = disclosure.parse_disclosure(raw(case["disclosure"]))
        shown = disclosure.verify_disclosure(parsed, signer=Directory(file))
    except AccordError as error:
        return error.code
    assert shown.line == case["line"].encode()
    return "ok"


@pytest.mark.parametrize(("file", "case"), cases("disclose"))
def test_a_reader_of_one_record_answers_as_published(
    file: dict[str, Any], case: dict[str, Any]
) -> None:
    assert disclosure_answer(file, case) == case["expect"]["disclose"]


@pytest.mark.parametrize(
    ("file", "case"), [one for one in cases("open") if one.values[1]["expect"]["open"] == "ok"]
)
def test_a_published_delivery_is_the_one_we_trim_and_write(
    file: dict[str, Any], case: dict[str, Any]
) -> None:
    bundle = framing.parse_bundle(raw(case["bundle"]))
    assert framing.trim(bundle, case["entry"]) == raw(case["delivery"])
    assert len(open_it(file, case, delivered(case)).lines) == bundle.header.n
