"""What intake says of each row, and what it adds up over a file."""

import dataclasses
from collections import Counter
from enum import StrEnum

import msgspec

from accord.kernel.errors import Malformed
from accord.kernel.indicators import IndicatorRecord, Kind, Network
from accord.kernel.markings import Tlp


class Result(StrEnum):
    """The one result of each row.

    ``ready``: as typed; ``changed``: written differently, or with less, than typed; ``refused``:
    no usable value; ``held``: a person must look first; ``duplicate``: held already by this file or
    sent before; ``blank``: no value in the row.
    """

    READY = "ready"
    CHANGED = "changed"
    REFUSED = "refused"
    HELD = "held"
    DUPLICATE = "duplicate"
    BLANK = "blank"


class RowResult(msgspec.Struct, frozen=True, gc=False):
    """One row.

    Attributes:
        row: number of the data record after the header, from 1.
        result: one of ``Result``.
        kind: of the indicator, unless refused or blank.
        network: for wallets and transactions.
        value: canonical, unless refused or blank; never the text of a refused cell.
        code: stable reason; ``None`` for a row that is ready.
        message: the reason in words; ``None`` for a row that is ready.
        record_line: the canonical record line without LF, for ready and changed rows.
        record: what that line says.
    """

    row: int
    result: Result
    kind: Kind | None = None
    network: Network | None = None
    value: str | None = None
    code: str | None = None
    message: str | None = None
    record_line: bytes | None = None
    record: IndicatorRecord | None = None


@dataclasses.dataclass(slots=True, kw_only=True)
class Totals:
    """Counts over the rows read so far.

    Attributes:
        by_result: rows of each result.
        refused_by_code: refused rows of each code.
        held_by_code: held rows of each code.
        left_out: for each column, cells whose context could not be read and is not carried.
        strictest_tlp: the strictest marking that a row itself carries; a bundle must not go wider.
    """

    by_result: Counter[Result] = dataclasses.field(default_factory=Counter)
    refused_by_code: Counter[str] = dataclasses.field(default_factory=Counter)
    held_by_code: Counter[str] = dataclasses.field(default_factory=Counter)
    left_out: Counter[str] = dataclasses.field(default_factory=Counter)
    strictest_tlp: Tlp | None = None

    @property
    def rows(self) -> int:
        """Rows read."""
        return self.by_result.total()

    @property
    def usable(self) -> int:
        """Rows that can be sent."""
        return self.by_result[Result.READY] + self.by_result[Result.CHANGED]

    def count(self, results: list[RowResult]) -> None:
        """Add a block."""
        self.by_result.update([result.result for result in results])
        for result in results:
            if result.result is Result.REFUSED and result.code:
                self.refused_by_code[result.code] += 1
            elif result.result is Result.HELD and result.code:
                self.held_by_code[result.code] += 1


def words_of(error: Malformed) -> str:
    """Return an error's words for a person, without its code."""
    text = error.message
    if error.observed is not None:
        text += f" (saw: {error.observed})"
    if error.next_step is not None:
        text += f" {error.next_step}"
    return text
