"""Records as MISP events: one event a bundle, one attribute a record, ids that never change.

Source: MISP core format (draft-dulaunoy-misp-core-format), MISP feed manifest (misp-book).
"""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from accord.desk.export.selection import Selected
from accord.desk.indicators.search import EndState
from accord.desk.storage import StoredBundle
from accord.kernel.indicators import IndicatorRecord, Kind, Network

_NAMESPACE = uuid.UUID("b1c5d9a4-2f0e-5a1c-8a56-0d7f3c9e4b21")
_TYPES: Mapping[Kind, tuple[str, str]] = {
    Kind.DOMAIN: ("domain", "Network activity"),
    Kind.ONION: ("domain", "Network activity"),
    Kind.URL: ("url", "Network activity"),
    Kind.TRANSACTION: ("text", "Financial fraud"),
}
_WALLETS: Mapping[Network, str] = {
    Network.BTC: "btc",
    Network.DASH: "dash",
    Network.XMR: "xmr",
}
"""Networks for which MISP has a type of its own; the others go as text, tagged with the network."""

_THREAT_UNDEFINED, _ANALYSIS_DONE, _OWN_ORGANISATION = "4", "2", "0"


def event_uuid(org: str, bundle: str, number: int) -> str:
    """Return the id of an event, the same at every desk and for every version."""
    return str(uuid.uuid5(_NAMESPACE, f"event {org} {bundle} {number}"))


def event_of(
    part: Sequence[Selected],
    *,
    bundle: StoredBundle,
    number: int,
    host: str,
    stamp: int | None = None,
) -> dict[str, Any]:
    """Return the event of a part of one bundle.

    Args:
        part: records of the bundle; ended ones become deleted attributes.
        bundle: what they came in.
        number: which part of the bundle.
        host: whose desk makes it.
        stamp: unix second of the last change; that of the arrival when absent.
    """
    changed = str(stamp if stamp is not None else max(bundle.created, bundle.arrived))
    org = {"name": bundle.org, "uuid": str(uuid.uuid5(_NAMESPACE, f"org {bundle.org}"))}
    return {
        "uuid": event_uuid(bundle.org, bundle.id, number),
        "info": bundle.title or f"Indicators from {bundle.org}",
        "date": dt.datetime.fromtimestamp(bundle.created, tz=dt.UTC).strftime("%Y-%m-%d"),
        "timestamp": changed,
        "publish_timestamp": changed,
        "published": True,
        "analysis": _ANALYSIS_DONE,
        "threat_level_id": _THREAT_UNDEFINED,
        "distribution": _OWN_ORGANISATION,
        "extends_uuid": "",
        "Orgc": org,
        "Org": {"name": host, "uuid": str(uuid.uuid5(_NAMESPACE, f"org {host}"))},
        "Tag": [
            {"name": f"tlp:{bundle.tlp}", "colour": "#ffc000"},
            {"name": f'accord:purpose="{bundle.purpose}"', "colour": "#3a5f7d"},
            {"name": f'accord:onward="{bundle.onward}"', "colour": "#3a5f7d"},
        ],
        "Attribute": [_attribute(one, changed) for one in part],
    }


def manifest_entry(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the manifest says of an event."""
    kept = ("info", "date", "analysis", "threat_level_id", "timestamp", "Orgc", "Tag")
    return {name: event[name] for name in kept}


def _attribute(one: Selected, stamp: str) -> dict[str, Any]:
    found = one.found
    kind, category = _type_of(found)
    gone = EndState.ACTIVE not in one.states
    made: dict[str, Any] = {
        "uuid": str(
            uuid.uuid5(_NAMESPACE, f"record {one.bundle.org} {one.bundle.id} {one.record}")
        ),
        "type": kind,
        "category": category,
        "value": found.value,
        "to_ids": not gone and kind != "text",
        "distribution": _OWN_ORGANISATION,
        "timestamp": stamp,
        "comment": found.note or "",
        "deleted": gone,
        "disable_correlation": False,
    }
    if found.network is not None:
        made["Tag"] = [{"name": f'accord:network="{found.network.value}"', "colour": "#3a5f7d"}]
    return made


def _type_of(found: IndicatorRecord) -> tuple[str, str]:
    if found.kind is Kind.WALLET:
        return _WALLETS.get(found.network or Network.EVM, "text"), "Financial fraud"
    return _TYPES[found.kind]
