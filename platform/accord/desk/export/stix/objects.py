"""One record as STIX 2.1 objects. Same record, same ids, at every desk that got the bundle.

An indicator's id is made from sender, bundle and record number, so that a later version replaces
the earlier one wherever it went; an observable's id from its value alone (STIX 2.1, 2.9). TLP 2.0
and wallets have no place in STIX itself: the published extensions are used.

Sources: STIX 2.1 (OASIS, 2021), clauses 2.9, 4.7, 5.1, 6, 7.2; oasis-open/cti-stix-common-objects
(TLP 2.0); muchdogesec/stix2extensions (wallet, transaction).
"""

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from accord.desk.export.selection import Selected
from accord.desk.storage import StoredBundle
from accord.kernel.indicators import IndicatorRecord, Kind, Network
from accord.kernel.markings import Tlp

NAMESPACE = uuid.UUID("5d2f0b1e-7c6a-5c0b-9d53-2f8c3f0a61c4")
"""Namespace of the ids that we make (UUIDv5)."""

_OBSERVABLES = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
"""Namespace of deterministic ids of observables (STIX 2.1, 2.9)."""

_TLP_EXTENSION = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
_TLP_IDS: Mapping[Tlp, str] = {
    Tlp.CLEAR: "94868c89-83c2-464b-929b-a1a8aa3c8487",
    Tlp.GREEN: "bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    Tlp.AMBER: "55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    Tlp.AMBER_STRICT: "939a9414-2ddd-4d32-a0cd-375ea402b003",
    Tlp.RED: "e828b379-4e03-4974-9ac4-e53a884c97c1",
}
_TLP_CREATED = "2022-10-01T00:00:00.000Z"
_OURS_CREATED = "2026-01-01T00:00:00.000Z"
"""Moment of the objects that stand for organisations and handling rules; they never change."""

_WALLET_EXTENSION = "extension-definition--be78509e-6958-51b1-8b26-d17ee0eba2d7"
_TRANSACTION_EXTENSION = "extension-definition--151d042d-4dcf-5e44-843f-1024440318e5"

_CHAINS: Mapping[Network, tuple[str, str]] = {
    Network.BTC: ("bitcoin", "BTC"),
    Network.EVM: ("ethereum", "ETH"),
    Network.XMR: ("monero", "XMR"),
    Network.LTC: ("litecoin", "LTC"),
    Network.BCH: ("bitcoin-cash", "BCH"),
    Network.DOGE: ("dogecoin", "DOGE"),
    Network.DASH: ("dash", "DASH"),
    Network.ZEC: ("zcash", "ZEC"),
    Network.TRX: ("tron", "TRX"),
    Network.SOL: ("solana", "SOL"),
    Network.XRP: ("xrp-ledger", "XRP"),
    Network.XLM: ("stellar", "XLM"),
    Network.ADA: ("cardano", "ADA"),
    Network.DOT: ("polkadot", "DOT"),
    Network.TON: ("ton", "TON"),
    Network.COSMOS: ("cosmos", "ATOM"),
}
"""Network -> the chain's name in labels, the currency's symbol."""

_TYPES: Mapping[Kind, str] = {
    Kind.WALLET: "cryptocurrency-wallet",
    Kind.TRANSACTION: "cryptocurrency-transaction",
    Kind.DOMAIN: "domain-name",
    Kind.ONION: "domain-name",
    Kind.URL: "url",
}
_NAME = 64
"""Characters of a value that stand in an indicator's name."""

_NAMES: Mapping[Kind, str] = {
    Kind.WALLET: "Wallet",
    Kind.TRANSACTION: "Transaction",
    Kind.DOMAIN: "Domain",
    Kind.ONION: "Onion service",
    Kind.URL: "Address of a page",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StixObject:
    """One object as its JSON text.

    Attributes:
        version: ``modified``, else ``created``, else the moment given, in unix milliseconds.
        observable: it is an observable or a relationship to one; tools that take indicators only
            are not given it.
    """

    id: str
    type: str
    version: int
    observable: bool
    data: bytes


def identity_id(org: str) -> str:
    """Return the id of the identity that stands for ``org``."""
    return f"identity--{uuid.uuid5(NAMESPACE, f'identity {org}')}"


def indicator_id(bundle: StoredBundle, record: int) -> str:
    """Return the id of the indicator of one record."""
    return f"indicator--{uuid.uuid5(NAMESPACE, f'record {bundle.org} {bundle.id} {record}')}"


def surroundings_of(bundle: StoredBundle) -> Iterator[StixObject]:
    """Yield what the objects of a bundle refer to: sender, marking, handling rule."""
    yield _object(
        {
            "type": "identity",
            "spec_version": "2.1",
            "id": identity_id(bundle.org),
            "created": _OURS_CREATED,
            "modified": _OURS_CREATED,
            "name": bundle.org,
            "identity_class": "organization",
        }
    )
    tlp = Tlp(bundle.tlp)
    yield _object(
        {
            "type": "marking-definition",
            "spec_version": "2.1",
            "id": _tlp_id(tlp),
            "created": _TLP_CREATED,
            "name": f"TLP:{tlp.value.upper()}",
            "extensions": {
                _TLP_EXTENSION: {"extension_type": "property-extension", "tlp_2_0": tlp.value}
            },
        }
    )
    yield _object(
        {
            "type": "marking-definition",
            "spec_version": "2.1",
            "id": _handling_id(bundle),
            "created": _OURS_CREATED,
            "definition_type": "statement",
            "definition": {
                "statement": f"Purpose: {bundle.purpose}. Basis: {bundle.legal_basis}. "
                f"Passing on: {bundle.onward}."
            },
        }
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a record ended, for a later version of its indicator.

    Attributes:
        state: the end state, given as a label: a revoked indicator does not say why.
        at: unix second.
        revoked: nobody should act on it any more (STIX 2.1, 3.6); a disputed one still stands.
    """

    state: str
    at: int
    revoked: bool


def objects_of(one: Selected, *, ended: Ended | None = None) -> Iterator[StixObject]:
    """Yield observable, indicator and their relationship; of an ended record the indicator alone.

    Args:
        one: the record.
        ended: how it ended: a later version of the indicator that says so.
    """
    found, bundle = one.found, one.bundle
    markings = [_tlp_id(Tlp(bundle.tlp)), _handling_id(bundle)]
    created = bundle.created * 1000
    observable = _observable(found, markings)
    if ended is None:
        yield _object(observable, observable=True, moment=created)
    indicator: dict[str, Any] = {
        "type": "indicator",
        "spec_version": "2.1",
        "id": indicator_id(bundle, one.record),
        "created_by_ref": identity_id(bundle.org),
        "created": _text(created),
        "modified": _text(created if ended is None else max(created + 1, ended.at * 1000)),
    }
    if ended is not None and ended.revoked:
        indicator["revoked"] = True
    shown = found.value if len(found.value) <= _NAME else f"{found.value[:_NAME]}…"
    indicator |= {
        "name": f"{_NAMES[found.kind]} {shown}",
        "description": found.note
        or f"Shared by {bundle.org} for {bundle.purpose}; verify before acting.",
        "indicator_types": ["malicious-activity"],
        "pattern": f"[{_TYPES[found.kind]}:value = '{_escaped(found.value)}']",
        "pattern_type": "stix",
        "pattern_version": "2.1",
        "valid_from": _text(created),
        "valid_until": _text(max(bundle.expires * 1000, created + 1)),
        "confidence": found.confidence,
        "labels": _labels(found) + ([] if ended is None else [f"state:{ended.state}"]),
        "external_references": _references(one),
        "object_marking_refs": markings,
    }
    yield _object(indicator)
    if ended is None:
        pair = f"{indicator['id']} {observable['id']}"
        yield _object(
            {
                "type": "relationship",
                "spec_version": "2.1",
                "id": f"relationship--{uuid.uuid5(NAMESPACE, pair)}",
                "created_by_ref": indicator["created_by_ref"],
                "created": indicator["created"],
                "modified": indicator["created"],
                "relationship_type": "based-on",
                "source_ref": indicator["id"],
                "target_ref": observable["id"],
                "object_marking_refs": markings,
            },
            observable=True,
        )


def _observable(found: IndicatorRecord, markings: list[str]) -> dict[str, Any]:
    kind = _TYPES[found.kind]
    text = msgspec.json.encode({"value": found.value}).decode()
    made: dict[str, Any] = {
        "type": kind,
        "spec_version": "2.1",
        "id": f"{kind}--{uuid.uuid5(_OBSERVABLES, text)}",
        "value": found.value,
        "object_marking_refs": markings,
    }
    if found.kind is Kind.WALLET:
        made["extensions"] = {_WALLET_EXTENSION: {"extension_type": "new-sco"}}
    elif found.kind is Kind.TRANSACTION and found.network is not None:
        made["symbol"] = _CHAINS[found.network][1]
        made["extensions"] = {_TRANSACTION_EXTENSION: {"extension_type": "new-sco"}}
    return made


def _labels(found: IndicatorRecord) -> list[str]:
    labels = [role.value for role in found.roles or ()]
    if found.network is not None:
        labels.append(f"blockchain:{_CHAINS[found.network][0]}")
    if found.kind is Kind.ONION:
        labels.append("tor")
    return [*labels, f"basis:{found.basis.value}"]


def _references(one: Selected) -> list[dict[str, str]]:
    bundle, report = one.bundle, one.found.report
    made = [{"source_name": "accord", "external_id": f"{bundle.org}/{bundle.id}/{one.record}"}]
    if report is not None:
        made.append({"source_name": report.system, "external_id": report.id})
    return made


def _tlp_id(tlp: Tlp) -> str:
    return f"marking-definition--{_TLP_IDS[tlp]}"


def _handling_id(bundle: StoredBundle) -> str:
    text = f"handling {bundle.purpose} {bundle.legal_basis} {bundle.onward}"
    return f"marking-definition--{uuid.uuid5(NAMESPACE, text)}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")


def _text(millis: int) -> str:
    moment = dt.datetime.fromtimestamp(millis / 1000, tz=dt.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{millis % 1000:03d}Z"


def _object(
    made: Mapping[str, Any], *, observable: bool = False, moment: int | None = None
) -> StixObject:
    version = moment
    if version is None:
        text = str(made.get("modified", made["created"]))
        version = int(dt.datetime.fromisoformat(text).timestamp() * 1000)
    return StixObject(
        id=str(made["id"]),
        type=str(made["type"]),
        version=version,
        observable=observable,
        data=msgspec.json.encode(made),
    )
