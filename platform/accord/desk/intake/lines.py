"""From a canonical value and its row's context to the record line that will be signed."""

import dataclasses
from collections import Counter

from accord.desk.intake.context import Context
from accord.kernel.errors import Malformed
from accord.kernel.indicators import (
    Basis,
    IndicatorRecord,
    Kind,
    Network,
    Normalised,
    encode_line,
)

# Bound here because on Python 3.11 each ``Kind.WALLET`` is a call.
_WALLET = Kind.WALLET
_CODED = ("roles", "first", "last", "confidence", "basis", "countries")
"""Fields of closed lists and numbers, where no free text can stand."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What holds for rows that do not say it themselves."""

    network: Network | None = None
    confidence: int = 50
    basis: Basis = Basis.REPORTED


class RecordLines:
    """Makes record lines; ``left_out`` counts the context that a record cannot carry."""

    def __init__(self, defaults: Defaults, left_out: Counter[str]) -> None:
        """Keep both."""
        self._given: dict[str, object] = {
            "confidence": defaults.confidence,
            "basis": defaults.basis,
        }
        self._left_out = left_out

    def line(
        self, found: Normalised, context: Context | None
    ) -> tuple[IndicatorRecord, bytes, bool]:
        """Return the record, its line, and whether the note had to be left out for it.

        Raises:
            Malformed: not even the value with coded context fits a record.
        """
        if context is None:
            return *_encoded(found, self._given), False
        fields = self._given | context.fields
        if context.token:
            fields["token"] = context.token
        if context.tx is not None and found.network is not None and found.kind is _WALLET:
            move = context.move(found.network.value)
            if move is not None:
                fields["moves"] = (move,)
        try:
            return *_encoded(found, fields), False
        except Malformed:
            # Some free text is unfit (it may hold a secret): what has no free text still goes.
            kept = {name: fields[name] for name in _CODED if name in fields}
            for name in fields.keys() - kept.keys():
                self._left_out[name] += 1
            return *_encoded(found, kept), "note" in fields


def _encoded(found: Normalised, fields: dict[str, object]) -> tuple[IndicatorRecord, bytes]:
    record = IndicatorRecord(
        kind=found.kind,
        network=found.network,
        value=found.value,
        canon=found.canon,
        checksum=found.checksum,
        alias=found.aliases or None,
        memo=found.memo,
        **fields,  # type: ignore[arg-type]
    )
    return record, encode_line(record)


def value_key(found: Normalised) -> bytes:
    """Return what identifies a value among rows and bundles: kind, network, value and memo."""
    network = "" if found.network is None else found.network._value_
    memo = "" if found.memo is None else found.memo
    return f"{found.kind._value_}|{network}|{found.value}|{memo}".encode()
