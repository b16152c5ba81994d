"""T24: a hub and one member together enumerate values. There is no index of values to ask."""

import hashlib
import hmac

import pytest
from sqlalchemy import inspect
from tests.support.hub_world import Desk, World

from accord.kernel.bundle.content import content_root
from accord.kernel.bundle.framing import parse_bundle
from accord.kernel.indicators import Basis, encode_line, normalise, record_of
from accord.kernel.markings import OrgKind

VALUE = "sought.evil-example.org"


@pytest.fixture(scope="module")
def raw(world: World, mallory: Desk) -> bytes:
    reader = world.enrol("reader", OrgKind.LAW_ENFORCEMENT)
    bundle_id, made = mallory.seal(reader, values=[VALUE])
    assert mallory.put_bundle(made, bundle_id).status_code == 202
    return made


def test_the_hub_has_no_table_and_no_route_of_values(world: World, raw: bytes) -> None:
    assert raw
    names = inspect(world.services.database.reading).get_table_names()
    rules = [rule.rule for rule in world.app.url_map.iter_rules()]
    for word in ("index_of", "blind", "indicator", "value", "term", "lookup", "match", "oprf"):
        assert [name for name in [*names, *rules] if word in name] == []


def test_knowing_the_value_does_not_confirm_it(world: World, raw: bytes) -> None:
    """What the hub holds is not a function of the value that one could compute again."""
    line = encode_line(record_of(normalise(VALUE), confidence=80, basis=Basis.OBSERVED))
    header = parse_bundle(raw).header
    guesses = [
        hashlib.sha256(data).digest()
        for data in (line, b"\0" + line, VALUE.encode(), b"\0" + VALUE.encode(), line + b"\n")
    ]
    guesses += [content_root(salt, [line]) for salt in (bytes(32), header.root, header.sig)]
    guesses += [hmac.digest(header.id.encode(), line, "sha256")]
    assert header.root not in guesses
    held = b"".join(world.files().values())
    assert not any(guess in held for guess in guesses)


def test_a_header_tells_no_count_by_kind(raw: bytes) -> None:
    text = parse_bundle(raw).header_bytes.decode()
    for word in ("wallet", "domain", "btc", "url", "network", "tags"):
        assert word not in text
