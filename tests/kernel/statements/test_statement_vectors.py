"""The published acknowledgements and tallies, which a second writer made from the page alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from accord.kernel.encoding import b64decode
from accord.kernel.errors import AccordError, VerificationFailed
from accord.kernel.identifiers import KeyId, parse_org_id
from accord.kernel.keys import SignerKey, SigningPublicKey
from accord.kernel.statements.acknowledgement import verify_acknowledgement
from accord.kernel.statements.tally import verify_tally

PATH = Path(__file__).resolve().parents[3] / "schemas" / "vectors" / "directory" / "statements.json"
VECTORS = json.loads(PATH.read_bytes())
VERIFY: dict[str, Any] = {"acknowledgement": verify_acknowledgement, "tally": verify_tally}


def signer(kid: KeyId) -> SignerKey:
    for one in VECTORS["signers"]:
        key = SigningPublicKey.from_raw(b64decode(one["key"]))
        if key.kid == kid:
            return SignerKey(org=parse_org_id(one["org"]), public=key)
    raise VerificationFailed("key_unknown", "No such key.")


@pytest.mark.parametrize(
    "case", VECTORS["cases"], ids=lambda case: f"{case['kind']}: {case['name']}"
)
def test_statements(case: dict[str, Any]) -> None:
    verify, data = VERIFY[case["kind"]], case["signed"].encode()
    if "ok" in case["expect"]:
        assert verify(data, signer).org == VECTORS["signers"][0]["org"]
        return
    with pytest.raises(AccordError) as caught:
        verify(data, signer)
    assert caught.value.code == case["expect"]["code"]
