"""A sighting: what a recipient saw of the records of a bundle, in closed coarse codes only.

The header's only ref is the bundle. Each line speaks of one record (or the whole bundle). There is
no text and no exact number or date, so that nothing of a customer can be in it.

Invariant: ``format_sighting(parse_sighting(b)) == b``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from accord.kernel.bundle.model import MAX_RECORDS, Header
from accord.kernel.correspondence.words import only_ref
from accord.kernel.encoding import JsonValue, dump_object, parse_object, require_int, require_keys
from accord.kernel.errors import Malformed
from accord.kernel.markings import parse_code

MAX_LINE = 1024
MAX_SIGHTINGS = 10_000
"""Lines of one bundle."""

_ORDER = ("record", "saw", "count", "period")
_WHOLE = -1


class Saw(StrEnum):
    """What a recipient says of a record."""

    SEEN = "seen"
    NOT_SEEN = "not-seen"
    FALSE_POSITIVE = "false-positive"
    OUTDATED = "outdated"
    HELPFUL = "helpful"


class Count(StrEnum):
    """How often, in coarse steps. ``0`` goes with ``not-seen`` and with opinions."""

    NONE = "0"
    ONE = "1"
    FEW = "2-9"
    TENS = "10-99"
    MANY = "100+"


class Period(StrEnum):
    """Over which time up to the bundle's own was looked."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    LONGER = "longer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One line; ``record`` is ``None`` for the whole bundle."""

    record: int | None
    saw: Saw
    count: Count
    period: Period


def format_sighting(sighting: Sighting) -> bytes:
    """Return the line, without LF; ``parse_sighting`` judges it."""
    obj: dict[str, JsonValue] = {}
    if sighting.record is not None:
        obj["record"] = sighting.record
    obj |= {
        "saw": sighting.saw.value,
        "count": sighting.count.value,
        "period": sighting.period.value,
    }
    return dump_object(obj)


def parse_sighting(line: bytes) -> Sighting:
    """Parse one line strictly.

    Raises:
        Malformed: ``too_long``, ``json_*``, ``key_*``, ``value_invalid``, ``saw_unknown``,
            ``count_unknown``, ``period_unknown``, ``count_contradicts``.
    """
    obj = parse_object(line, limit=MAX_LINE)
    require_keys(obj, required=_ORDER, optional=("record",))
    sighting = Sighting(
        record=require_int(obj, "record", maximum=MAX_RECORDS - 1) if "record" in obj else None,
        saw=parse_code(Saw, obj["saw"], code="saw_unknown"),
        count=parse_code(Count, obj["count"], code="count_unknown"),
        period=parse_code(Period, obj["period"], code="period_unknown"),
    )
    none = sighting.count is Count.NONE
    if (sighting.saw is Saw.SEEN and none) or (sighting.saw is Saw.NOT_SEEN and not none):
        raise Malformed(
            "count_contradicts",
            "What was seen has a count above 0, what was not seen has 0.",
            observed=f"{sighting.saw} {sighting.count}",
        )
    return sighting


def read_sightings(header: Header, lines: Sequence[bytes]) -> tuple[Sighting, ...]:
    """Return what a bundle of kind ``sighting`` says of the bundle in the header's ref.

    Raises:
        Malformed: ``lines_count``, ``sightings_order``, or as ``parse_sighting``.
        VerificationFailed: ``refs_other``.
    """
    only_ref(header)
    if not 1 <= len(lines) <= MAX_SIGHTINGS:
        raise Malformed(
            "lines_count",
            f"A sighting has 1 to {MAX_SIGHTINGS} lines.",
            observed=f"{len(lines)} lines",
        )
    found = tuple(parse_sighting(line) for line in lines)
    places = [_place(one) for one in found]
    if any(first >= second for first, second in pairwise(places)):
        raise Malformed(
            "sightings_order",
            "Lines rise by record (the whole bundle first), then by what was seen, each once.",
        )
    return found


def _place(one: Sighting) -> tuple[int, int]:
    return (_WHOLE if one.record is None else one.record, list(Saw).index(one.saw))
