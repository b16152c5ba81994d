"""Look 5,000 mixed values up in a vault of many records: half of them are there.

To fill ten million records takes minutes: ``--keep FOLDER`` leaves the vault there, and takes the
one that is there already.
"""

import secrets
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from accord.desk.indicators import How, Manner, search
from accord.desk.indicators.search import decode_record
from accord.desk.storage import NewBundle, Vault, Way, create_vault, open_vault
from accord.desk.storage.bundles import add_bundle, records_at
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


def fill(
    vault: Vault, count: int, *, now: int = NOW, kind: str = "indicators", start: int = 0
) -> list[str]:
    """Put ``count`` made-up records in, bundle by bundle, behind ``start``; return their values."""
    values: list[str] = []
    for at in range(0, count, _BUNDLE):
        some = _records(min(_BUNDLE, count - at))
        values += [record.value for record in some]
        with vault.transaction() as connection:
            add_bundle(
                connection,
                vault.term_key,
                _bundle((start + at) // _BUNDLE, now, kind),
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
        path = Path(options.get("keep") or folder) / f"vault-{count}.db"
        filled = _filled(path, count)
        size = path.stat().st_size
        vault = open_vault(path, bytes(32))  # with nothing of it in memory
        chosen = _some(vault, count, SOUGHT // 2)
        prefixes = [value[:14] for value in chosen[:100]]
        chosen += [f"0x{secrets.token_hex(20)}" for _ in range(SOUGHT - len(chosen))]
        vault.close()
        vault = open_vault(path, bytes(32))
        used = time.process_time()
        seconds = _timed(vault, chosen, Manner(subdomains=True))
        used = time.process_time() - used
        prefix = _timed(vault, prefixes, Manner(how=How.PREFIX))
        note = _timed(vault, ["payment 0a1b"], Manner(how=How.NOTE))
        vault.close()
    return [
        {
            "figure": round(seconds, 3),
            "unit": f"s for {SOUGHT:,} values among {count:,}",
            "goal": f"< {GOAL_SECONDS:.0f} among {RECORDS:,}",
            "met": seconds < GOAL_SECONDS,
            "cpu_seconds": round(used, 3),
            "records_a_second_in": round(count / filled) if filled else None,
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


def _filled(path: Path, count: int) -> float:
    """Fill the vault unless it is there; return the seconds that it took, or 0."""
    if path.exists():
        return 0
    making = path.with_suffix(".part")
    vault = create_vault(making, bytes(32))
    started = time.perf_counter()
    for start in range(0, count, _BUNDLE):
        fill(vault, min(_BUNDLE, count - start), start=start)
    filled = time.perf_counter() - started
    vault.close()
    making.rename(path)
    return filled


def _some(vault: Vault, count: int, wanted: int) -> list[str]:
    """Return values of records all over the vault, in no order."""
    numbers = [secrets.randbelow(count) for _ in range(wanted)]
    found = records_at(vault, numbers)
    return [decode_record(found[number].line).value for number in numbers]


def _timed(vault: Vault, values: list[str], manner: Manner) -> float:
    started = time.perf_counter()
    search(vault, values, person="bench", reason="bench", now=NOW, manner=manner)
    return time.perf_counter() - started
