"""The indicator record: what may be said of one indicator, and nothing else.

Types and limits of each field; ``lines`` checks what types cannot say, and writes and reads the
line that is salted, hashed and signed. There is no place for a file, an image, a digest of
material or a person. Format: docs/formats/indicators.md.
"""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from accord.kernel.indicators.kinds import (
    MAX_ALIAS,
    MAX_ALIASES,
    MAX_MEMO,
    MAX_VALUE,
    Checksum,
    Kind,
    Network,
    Normalised,
)

MAX_TIME = 253_402_300_799
"""The last second of the year 9999."""


class Role(StrEnum):
    """What the indicator is used for."""

    PAYMENT = "payment"
    COLLECTION = "collection"
    CONSOLIDATION = "consolidation"
    MIXER = "mixer"
    CASH_OUT = "cash-out"
    EXCHANGE_DEPOSIT = "exchange-deposit"
    HOSTING = "hosting"
    AFFILIATE = "affiliate"
    STOREFRONT = "storefront"
    PAYMENT_PAGE = "payment-page"
    UNKNOWN = "unknown"


class Basis(StrEnum):
    """How the sender knows."""

    OBSERVED = "observed"
    REPORTED = "reported"
    INFERRED = "inferred"
    THIRD_PARTY = "third-party"


class Precision(StrEnum):
    """How much of a time is known."""

    SECOND = "second"
    DAY = "day"
    MONTH = "month"
    YEAR = "year"


class Direction(StrEnum):
    """Whether value came to the wallet or left it."""

    IN = "in"
    OUT = "out"


Time = Annotated[int, Meta(ge=0, le=MAX_TIME)]
Amount = Annotated[str, Meta(max_length=40, pattern=r"^(0|[1-9][0-9]*)(\.[0-9]+)?\Z")]


class Moment(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A time in unix seconds and the precision to which it is known."""

    t: Time
    p: Precision


class Report(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A report number in another system, for example a CyberTipline report."""

    system: Annotated[str, Meta(min_length=1, max_length=40)]
    id: Annotated[str, Meta(min_length=1, max_length=80)]


class Move(
    msgspec.Struct,
    frozen=True,
    gc=False,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
):
    """One movement of value: transaction, direction, counterparty, amount as decimal text."""

    tx: Annotated[str, Meta(min_length=1, max_length=128)]
    dir: Direction
    peer: Annotated[str, Meta(min_length=1, max_length=MAX_VALUE)] | None = None
    amount: Amount
    asset: Annotated[str, Meta(min_length=1, max_length=64)]
    t: Time | None = None


class IndicatorRecord(
    msgspec.Struct,
    frozen=True,
    gc=False,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
):
    """One indicator with its context; fields in the order in which they are written."""

    kind: Kind
    network: Network | None = None
    value: Annotated[str, Meta(min_length=1, max_length=MAX_VALUE)]
    canon: Annotated[int, Meta(ge=1, le=1_000_000)]
    checksum: Checksum | None = None
    alias: (
        Annotated[
            tuple[Annotated[str, Meta(min_length=1, max_length=MAX_ALIAS)], ...],
            Meta(min_length=1, max_length=MAX_ALIASES),
        ]
        | None
    ) = None
    memo: Annotated[str, Meta(min_length=1, max_length=MAX_MEMO)] | None = None
    token: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    roles: Annotated[tuple[Role, ...], Meta(min_length=1, max_length=4)] | None = None
    first: Moment | None = None
    last: Moment | None = None
    moves: Annotated[tuple[Move, ...], Meta(min_length=1, max_length=100)] | None = None
    confidence: Annotated[int, Meta(ge=0, le=100)]
    basis: Basis
    countries: (
        Annotated[tuple[Annotated[str, Meta(max_length=2)], ...], Meta(min_length=1, max_length=16)]
        | None
    ) = None
    vasp: Annotated[str, Meta(min_length=1, max_length=80)] | None = None
    report: Report | None = None
    note: Annotated[str, Meta(min_length=1, max_length=500)] | None = None


def record_of(found: Normalised, *, confidence: int, basis: Basis) -> IndicatorRecord:
    """Return the record of a normalised value without further context."""
    return IndicatorRecord(
        kind=found.kind,
        network=found.network,
        value=found.value,
        canon=found.canon,
        checksum=found.checksum,
        alias=found.aliases or None,
        memo=found.memo,
        confidence=confidence,
        basis=basis,
    )
