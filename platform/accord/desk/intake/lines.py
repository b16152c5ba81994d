"""From a canonical value and its row's context to the record line that will be signed."""

import dataclasses
from collections import Counter
from collections.abc import Sequence

from accord.desk.intake.context import Context
from accord.kernel.errors import Malformed
from accord.kernel.indicators import (
    Basis,
    IndicatorRecord,
    Kind,
    Network,
    Normalised,
    encode_lines,
)

# Bound here because on Python 3.11 each ``Kind.WALLET`` is a call.
_WALLET = Kind.WALLET
_CODED = ("roles", "first", "last", "confidence", "basis", "countries")
"""Fields of closed lists and numbers, where no free text can stand."""

Line = tuple[IndicatorRecord, bytes, bool]
"""A record, its line, and whether the row's note had to be left out of it."""


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

    def lines(self, pairs: Sequence[tuple[Normalised, Context | None]]) -> list[Line | Malformed]:
        """Return the record of each value, its line, and whether its note had to be left out.

        ``Malformed``: not even the value with coded context fits a record.
        """
        given = [self._fields(found, context) for found, context in pairs]
        records = [_record(found, fields) for (found, _), fields in zip(pairs, given, strict=True)]
        return [
            (record, line, False)
            if isinstance(line, bytes)
            else self._bare(found, fields, has_context=context is not None, error=line)
            for (found, context), fields, record, line in zip(
                pairs, given, records, encode_lines(records), strict=True
            )
        ]

    def _fields(self, found: Normalised, context: Context | None) -> dict[str, object]:
        if context is None:
            return self._given
        fields = self._given | context.fields
        if context.token:
            fields["token"] = context.token
        if context.tx is not None and found.network is not None and found.kind is _WALLET:
            move = context.move(found.network.value)
            if move is not None:
                fields["moves"] = (move,)
        return fields

    def _bare(
        self, found: Normalised, fields: dict[str, object], *, has_context: bool, error: Malformed
    ) -> Line | Malformed:
        """Some free text is unfit (it may hold a secret): what has no free text still goes."""
        if not has_context:
            return error
        kept = {name: fields[name] for name in _CODED if name in fields}
        for name in fields.keys() - kept.keys():
            self._left_out[name] += 1
        record = _record(found, kept)
        (line,) = encode_lines([record])
        return (record, line, "note" in fields) if isinstance(line, bytes) else line


def _record(found: Normalised, fields: dict[str, object]) -> IndicatorRecord:
    return IndicatorRecord(
        kind=found.kind,
        network=found.network,
        value=found.value,
        canon=found.canon,
        checksum=found.checksum,
        alias=found.aliases or None,
        memo=found.memo,
        **fields,  # type: ignore[arg-type]
    )


def value_key(found: Normalised) -> bytes:
    """Return what identifies a value among rows and bundles: kind, network, value and memo."""
    network = "" if found.network is None else found.network._value_
    memo = "" if found.memo is None else found.memo
    return f"{found.kind._value_}|{network}|{found.value}|{memo}".encode()
