"""A vault in a fresh directory, and records and bundles to put into it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from accord.desk.storage import NewBundle, Vault, Way, create_vault
from accord.desk.storage.bundles import add_bundle
from accord.kernel.identifiers import BundleId, KeyId, OrgId, make_bundle_id
from accord.kernel.indicators import Basis, IndicatorRecord, encode_line, normalise, record_of

NOW = 1_790_000_000
VAULT_KEY = bytes(range(32))
BANK = OrgId("first-bank@hub.example")


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    made = create_vault(tmp_path / "vault.db", VAULT_KEY)
    yield made
    made.close()


def bundle_id(number: int) -> BundleId:
    return make_bundle_id(NOW * 1000 + number, number.to_bytes(10, "big"))


def described(
    number: int, *, org: OrgId = BANK, way: Way = Way.RECEIVED, **changes: object
) -> NewBundle:
    values = {
        "org": org,
        "id": bundle_id(number),
        "way": way,
        "kind": "indicators",
        "tlp": "amber",
        "purpose": "suspicion-report",
        "legal_basis": "legal-obligation",
        "onward": "none",
        "created": NOW - 100,
        "expires": NOW + 1000,
        "arrived": NOW,
        "signer": KeyId(bytes(32)),
        "manifest": bytes([number % 256]) * 32,
        "header": b"header",
        "dsse": b"dsse",
        "head": b"head",
        "title": "Wallets seen",
    }
    return NewBundle(**values | changes)  # type: ignore[arg-type]


def records_of(values: Sequence[str], network: str | None = None) -> list[IndicatorRecord]:
    return [
        record_of(normalise(value, network=network), confidence=80, basis=Basis.OBSERVED)
        for value in values
    ]


def put(vault: Vault, new: NewBundle, records: Sequence[IndicatorRecord]) -> int | None:
    with vault.transaction() as connection:
        return add_bundle(
            connection,
            vault.term_key,
            new,
            lines=[encode_line(record) for record in records],
            records=records,
        )
