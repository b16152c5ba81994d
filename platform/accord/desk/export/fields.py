"""The columns of a table export: one row a record, the same in every table format."""

import datetime as dt

from accord.desk.export.selection import Selected
from accord.kernel.indicators.records import Moment

COLUMNS = (
    "kind", "network", "value", "aliases", "memo", "token", "roles", "first", "last",
    "confidence", "basis", "countries", "vasp", "report", "note", "marking", "purpose", "onward",
    "sender", "bundle", "record", "received", "expires", "state",
)  # fmt: skip
"""Column names in order."""

_FORMATS = {"second": "%Y-%m-%dT%H:%M:%SZ", "day": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y"}


def row_of(one: Selected) -> tuple[str, ...]:
    """Return the cells of one record, as plain text in the order of ``COLUMNS``."""
    found, bundle = one.found, one.bundle
    report = "" if found.report is None else f"{found.report.system} {found.report.id}"
    return (
        found.kind.value,
        "" if found.network is None else found.network.value,
        found.value,
        " ".join(found.alias or ()),
        found.memo or "",
        found.token or "",
        " ".join(role.value for role in found.roles or ()),
        _moment(found.first),
        _moment(found.last),
        str(found.confidence),
        found.basis.value,
        " ".join(found.countries or ()),
        found.vasp or "",
        report,
        found.note or "",
        marking(bundle.tlp),
        bundle.purpose,
        bundle.onward,
        bundle.org,
        bundle.id,
        str(one.record),
        _second(bundle.arrived),
        _second(bundle.expires),
        " ".join(state.value for state in one.states),
    )


def marking(tlp: str) -> str:
    """Return the marking as it is written (FIRST TLP 2.0)."""
    return f"TLP:{tlp.upper()}"


def _second(at: int) -> str:
    return dt.datetime.fromtimestamp(at, tz=dt.UTC).strftime(_FORMATS["second"])


def _moment(moment: Moment | None) -> str:
    if moment is None:
        return ""
    return dt.datetime.fromtimestamp(moment.t, tz=dt.UTC).strftime(_FORMATS[moment.p.value])
