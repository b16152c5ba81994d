"""Look 5,000 mixed values up in a vault of many records: half of them are there."""

import secrets
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from accord.desk.indicators import How, Manner, search
from accord.desk.storage import NewBundle, Vault, Way, create_vault
from accord.desk.storage.bundles import add_bundle
from accord.kernel.identifiers import KeyId, OrgId, make_bundle_id
from accord.kernel.indicators import Basis, Checksum, IndicatorRecord, Kind, Network, encode_line

NAME = "vault"
RECORDS, SHORT_RECORDS = 10_000_000, 200_000
SOUGHT = 5_000
GOAL_SECONDS = 1.0
NOW = 1_790_000_000
_BUNDLE = 50_000
_HOSTS = 10
"""One record in so many is a host below one of many domains; the others are accounts."""


def fill(vault: Vault, count: int, *, now: int = NOW, kind: str = "indicators") -> list[str]:
    """Put ``count`` made-up records into the vault, bundle by bundle; return their values."""
    values: list[str] = []
    for number, start in enumerate(range(0, count, _BUNDLE)):
        some = _records(min(_BUNDLE, count - start))
        values += [record.value for record in some]
        with vault.transaction() as connection:
            add_bundle(
                connection,
                vault.term_key,
                _bundle(number, now, kind),
                lines=[encode_line(record) for record in some],
                records=some,
            )
    return values


def _records(count: int) -> Sequence[IndicatorRecord]:
    digits = secrets.token_bytes(20 * count).hex()
    records = []
    for place in range(count):
        own = digits[40 * place : 40 * place + 40]
        host = place % _HOSTS == 0
        records.append(
            IndicatorRecord(
                kind=Kind.DOMAIN if host else Kind.WALLET,
                network=None if host else Network.EVM,
                value=f"{own[:6]}.shop-{own[6:12]}.com" if host else f"0x{own}",
                canon=1,
                checksum=None if host else Checksum.NONE,
                confidence=80,
                basis=Basis.OBSERVED,
                note=f"payment page {own[:4]}" if host else None,
            )
        )
    return records


def _bundle(number: int, now: int, kind: str) -> NewBundle:
    return NewBundle(
        org=OrgId(f"org-{number % 7}@hub.example"),
        id=make_bundle_id(now * 1000 + number, number.to_bytes(10, "big")),
        way=Way.RECEIVED,
        kind=kind,
        tlp="amber",
        purpose="screening",
        legal_basis="legal-obligation",
        onward="none",
        created=now,
        expires=now + 86_400,
        arrived=now,
        signer=KeyId(bytes(32)),
        manifest=bytes(32),
        header=b"header",
        dsse=b"dsse",
        head=b"head",
        title="Bench",
    )


def run(options: dict[str, Any]) -> list[dict[str, Any]]:
    """Fill a vault, then time a whole search: written down, looked up, decoded, counted."""
    count = options.get("rows") or (SHORT_RECORDS if options.get("short") else RECORDS)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vault.db"
        vault = create_vault(path, bytes(32))
        started = time.perf_counter()
        values = fill(vault, count)
        filled = time.perf_counter() - started
        size = path.stat().st_size
        chosen = [values[secrets.randbelow(len(values))] for _ in range(SOUGHT // 2)]
        chosen += [f"0x{secrets.token_hex(20)}" for _ in range(SOUGHT - len(chosen))]
        seconds = _timed(vault, chosen, Manner(subdomains=True))
        prefix = _timed(vault, [value[:14] for value in chosen[:100]], Manner(how=How.PREFIX))
        note = _timed(vault, ["payment 0a1b"], Manner(how=How.NOTE))
        vault.close()
    return [
        {
            "figure": round(seconds, 3),
            "unit": f"s for {SOUGHT:,} values among {count:,}",
            "goal": f"< {GOAL_SECONDS:.0f} among {RECORDS:,}",
            "met": seconds < GOAL_SECONDS,
            "records_a_second_in": round(count / filled),
            "bytes_a_record": round(size / count),
        },
        {
            "figure": round(prefix, 3),
            "unit": f"s for 100 prefixes among {count:,}",
            "goal": "printed",
            "met": True,
        },
        {
            "figure": round(note, 3),
            "unit": f"s for two words of notes among {count:,}",
            "goal": "printed",
            "met": True,
        },
    ]


def _timed(vault: Vault, values: list[str], manner: Manner) -> float:
    started = time.perf_counter()
    search(vault, values, person="bench", reason="bench", now=NOW, manner=manner)
    return time.perf_counter() - started
