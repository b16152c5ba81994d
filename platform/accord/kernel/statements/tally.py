"""An organisation's signed counts of one closed month (formats 5): the only source of summaries.

Counts by kind, network, role and country; no value, no bundle. A desk makes it; the hub learns
these counts and nothing about any bundle. Invariant: ``format_tally(parse_tally(b)) == b``.
Disclosure control is the summaries' business.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from accord.kernel import dsse
from accord.kernel.encoding import (
    JsonValue,
    dump_object,
    parse_object,
    require_int,
    require_keys,
    require_list,
    require_str,
)
from accord.kernel.errors import Malformed
from accord.kernel.identifiers import OrgId, parse_org_id
from accord.kernel.indicators.countries import COUNTRIES
from accord.kernel.indicators.kinds import Kind, Network
from accord.kernel.indicators.records import Role
from accord.kernel.keys import SigningKeyPair
from accord.kernel.markings import parse_code
from accord.kernel.statements.acknowledgement import SignerLookup, verify_one_signer

TALLY_TYPE = "application/vnd.accord.tally.v1+json"
TALLY_CONTEXT = b"accord/1/tally"

MAX_CELLS = 20_000
MAX_TALLY = 4 * 1024 * 1024
"""Largest signed tally in bytes; 20,000 cells take about 3 MiB."""

MAX_COUNT = 10**12

_MONTH = re.compile(r"20[0-9]{2}-(?:0[1-9]|1[0-2])")
_WITH_NETWORK = frozenset({Kind.WALLET, Kind.TRANSACTION})
_MONTHS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One count.

    Attributes:
        kind: what was shared.
        network: for wallets and transactions, else ``None``.
        role: first role of the record, ``unknown`` when it has none.
        country: first country of the record, ``None`` when it has none.
        records: how many, at least 1. A record counts in one cell only.
    """

    kind: Kind
    role: Role
    records: int
    network: Network | None = None
    country: str | None = None

    @property
    def place(self) -> tuple[str, str, str, str]:
        """What orders cells and may stand only once."""
        return self.kind.value, self.network or "", self.role.value, self.country or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """All counts of ``org`` for ``month`` (``YYYY-MM``, UTC), made at ``created`` (unix seconds).

    No cells means that nothing was shared; that is a tally too.
    """

    org: OrgId
    month: str
    created: int
    cells: tuple[Cell, ...]


def month_end(month: str) -> int:
    """Return the unix second at which ``month`` (``YYYY-MM``, UTC) is over.

    Raises:
        Malformed: ``month_invalid``.
    """
    if _MONTH.fullmatch(month) is None:
        raise Malformed("month_invalid", "A month is written YYYY-MM.", observed=month[:20])
    year, number = int(month[:4]), int(month[5:])
    following = (year + 1, 1) if number == _MONTHS else (year, number + 1)
    return int(datetime(*following, 1, tzinfo=UTC).timestamp())


def format_tally(tally: Tally) -> bytes:
    """Return the payload: one JSON object, keys in the order of the format."""
    return dump_object(
        {
            "v": 1,
            "org": tally.org,
            "month": tally.month,
            "created": tally.created,
            "cells": [_cell_object(cell) for cell in tally.cells],
        }
    )


def _cell_object(cell: Cell) -> dict[str, JsonValue]:
    obj: dict[str, JsonValue] = {"kind": cell.kind.value}
    if cell.network is not None:
        obj["network"] = cell.network.value
    obj["role"] = cell.role.value
    if cell.country is not None:
        obj["country"] = cell.country
    obj["records"] = cell.records
    return obj


def parse_tally(payload: bytes) -> Tally:
    """Parse a payload strictly.

    Raises:
        Malformed: ``json_*``, ``key_*``, ``value_invalid``, ``org_id_invalid``, ``month_invalid``,
            ``month_open`` (made before the month was over), ``kind_unknown``,
            ``network_unknown``, ``network_misplaced``, ``role_unknown``, ``country_unknown``,
            ``cell_order``.
    """
    obj = parse_object(payload, limit=MAX_TALLY)
    require_keys(obj, required=("v", "org", "month", "created", "cells"))
    require_int(obj, "v", minimum=1, maximum=1)
    month = require_str(obj, "month", limit=7)
    created = require_int(obj, "created")
    if created < month_end(month):
        raise Malformed(
            "month_open",
            "A tally is made when its month is over.",
            observed=month,
            next_step="Make it on the first day of the next month (UTC).",
        )
    cells = tuple(_parse_cell(cell) for cell in require_list(obj, "cells", maximum=MAX_CELLS))
    places = [cell.place for cell in cells]
    if sorted(set(places)) != places:
        raise Malformed("cell_order", "Cells are sorted, each place once.")
    return Tally(org=parse_org_id(obj["org"]), month=month, created=created, cells=cells)


def _parse_cell(obj: JsonValue) -> Cell:
    if not isinstance(obj, dict):
        raise Malformed("value_invalid", "A cell must be an object.")
    require_keys(
        obj,
        required=("kind", "network", "role", "country", "records"),
        optional=("network", "country"),
    )
    kind = parse_code(Kind, obj["kind"], code="kind_unknown")
    if ("network" in obj) != (kind in _WITH_NETWORK):
        raise Malformed(
            "network_misplaced", "Wallets and transactions have a network, others have none."
        )
    country = obj.get("country")
    if country is not None and not (isinstance(country, str) and country in COUNTRIES):
        raise Malformed("country_unknown", "A country is written as ISO 3166-1 alpha-2.")
    return Cell(
        kind=kind,
        network=parse_code(Network, obj["network"], code="network_unknown")
        if "network" in obj
        else None,
        role=parse_code(Role, obj["role"], code="role_unknown"),
        country=str(country) if country is not None else None,
        records=require_int(obj, "records", minimum=1, maximum=MAX_COUNT),
    )


def sign_tally(tally: Tally, signer: SigningKeyPair) -> bytes:
    """Return the signed bytes; the content is checked first."""
    payload = format_tally(tally)
    parse_tally(payload)
    return dsse.sign(TALLY_TYPE, payload, [signer], context=TALLY_CONTEXT)


def verify_tally(data: bytes, signer: SignerLookup) -> Tally:
    """Verify a tally and return it: one signer, its signature holds, it is the organisation named.

    Raises:
        Malformed: as ``dsse.parse`` and ``parse_tally``.
        VerificationFailed: ``signer_count``, ``signature_wrong``, ``signer_not_org``, or what
            ``signer`` raises.
    """
    envelope = dsse.parse(data, payload_type=TALLY_TYPE, limit=MAX_TALLY)
    tally = parse_tally(envelope.payload)
    verify_one_signer(envelope, tally.org, signer, context=TALLY_CONTEXT)
    return tally
