"""How stored things look in ``--json`` and in a line for people; one place for all commands."""

import dataclasses
from collections.abc import Collection
from typing import Any

import msgspec

from accord.clock import moment
from accord.desk.exchange.confirmations import Confirmation
from accord.desk.exchange.pull import PullReport, Received
from accord.desk.exchange.recalls import Recall
from accord.desk.indicators import Hit, Match, SearchReport, SearchResult
from accord.desk.indicators.search import EndState, end_states
from accord.desk.storage import Mark, MarkState, StoredBundle
from accord.desk.storage.bundles import WHOLE
from accord.desk.storage.deliveries import DeliveryRow
from accord.desk.storage.hints import Hint, Missing
from accord.kernel.errors import Malformed


def bundle_data(
    bundle: StoredBundle, marks: list[Mark], *, now: int, told: Collection[EndState] = ()
) -> dict[str, Any]:
    """Return a bundle as data: who, when, how it may be handled, what became of it."""
    return {
        "id": bundle.id,
        "org": bundle.org,
        "way": bundle.way.value,
        "kind": bundle.kind,
        "title": bundle.title,
        "records": bundle.n,
        "tlp": bundle.tlp,
        "purpose": bundle.purpose,
        "legal_basis": bundle.legal_basis,
        "onward": bundle.onward,
        "created": bundle.created,
        "arrived": bundle.arrived,
        "expires": bundle.expires,
        "purged": bundle.purged,
        "states": [state.value for state in end_states(bundle, WHOLE, marks, now=now, told=told)],
        "records_taken_back": len(
            {
                mark.record
                for mark in marks
                if mark.record != WHOLE and mark.state is MarkState.RETRACTED
            }
        ),
    }


def bundle_line(data: dict[str, Any]) -> str:
    """Return a bundle in one line."""
    states = ", ".join(data["states"])
    return (
        f"{data['id']}  {moment(data['arrived'])}  {data['org']}  {data['kind']}  "
        f"{data['records']} records  {data['tlp']}  {states}  {data['title']}"
    )


def missing_data(one: Missing) -> dict[str, Any]:
    """Return a bundle that the feed announced and that never came."""
    return {"id": one.id, "org": one.org, "kind": one.kind, "at": one.at, "ended": one.ended}


def hint_data(hint: Hint) -> dict[str, Any]:
    """Return what the feed told about a bundle; nothing was changed by it."""
    return {"event": hint.event, "subject": hint.subject, "at": hint.at}


def refused_data(row: DeliveryRow) -> dict[str, Any]:
    """Return a delivery that could not be opened."""
    return {
        "seq": row.seq,
        "org": row.org,
        "id": row.id,
        "code": row.code,
        "message": row.message,
        "at": row.at,
    }


def mark_data(mark: Mark) -> dict[str, Any]:
    """Return what another bundle did to this one; ``record`` is absent for all of it."""
    data: dict[str, Any] = {
        "state": mark.state.value,
        "by": mark.by_id,
        "by_org": mark.by_org,
        "reason": mark.code,
        "note": mark.note,
        "deadline": mark.deadline,
        "at": mark.at,
    }
    return data if mark.record == WHOLE else {"record": mark.record} | data


def confirmation_data(one: Confirmation) -> dict[str, Any]:
    """Return one recipient's standing."""
    return {
        "org": one.org,
        "standing": one.standing.value,
        "outcome": one.outcome,
        "code": one.code,
        "at": one.at,
    }


def recall_data(recall: Recall) -> dict[str, Any]:
    """Return a recall with the standing of each recipient; ``records`` 0 is all of it."""
    return {
        "id": recall.id,
        "original": recall.original,
        "reason": recall.reason,
        "deadline": recall.deadline,
        "sent": recall.sent,
        "records": recall.records,
        "done": recall.done,
        "recipients": [confirmation_data(one) for one in recall.recipients],
    }


def recall_line(data: dict[str, Any]) -> str:
    """Return a recall in words: how far it is, and who has not applied it."""
    late = [
        f"{one['org']} {one['standing']}"
        for one in data["recipients"]
        if one["standing"] != "confirmed"
    ]
    done = len(data["recipients"]) - len(late)
    return (
        f"Recall {data['id']}: {done} of {len(data['recipients'])} have applied it, due "
        f"{moment(data['deadline'])}" + (f"; {', '.join(late)}" if late else "")
    )


def received_data(received: Received) -> dict[str, Any]:
    """Return one delivery as it was dealt with."""
    return {
        "seq": received.seq,
        "state": received.state.value,
        "id": received.bundle,
        "org": received.org,
        "kind": received.kind,
        "records": received.records,
        "quarantined": received.quarantined,
        "code": received.code,
    }


def pull_data(report: PullReport) -> dict[str, Any]:
    """Return what one pull brought."""
    return {
        "bundles": report.bundles,
        "records": report.records,
        "quarantined": report.quarantined,
        "recalls": report.recalls,
        "repeated": report.repeated,
        "refused": [{"seq": seq, "code": code} for seq, code in report.refused],
        "acknowledged": report.acknowledged,
        "purged": report.purged,
        "missing": report.missing,
        "resync": None if report.resync is None else dataclasses.asdict(report.resync),
    }


def pull_line(report: PullReport) -> str:
    """Return a pull in words."""
    words = [f"{report.bundles} bundles, {report.records} records received"]
    if report.recalls:
        words.append(f"{report.recalls} recalls applied")
    if report.quarantined:
        words.append(f"{report.quarantined} records quarantined")
    if report.refused:
        codes = ", ".join(sorted({code for _, code in report.refused}))
        words.append(f"{len(report.refused)} bundles refused ({codes})")
    if report.purged:
        words.append(f"{report.purged} expired bundles deleted")
    if report.resync is not None:
        words.append(
            f"full resync ({report.resync.reason}): {report.resync.items} items of the feed read, "
            f"{report.resync.fetched} bundles fetched"
        )
    if report.missing:
        words.append(f"{report.missing} announced bundles never came: accord inbox names them")
    return "; ".join(words) + "."


def search_data(report: SearchReport) -> dict[str, Any]:
    """Return a whole search."""
    return {
        "no": report.no,
        "at": report.at,
        "found": report.found,
        "results": [result_data(result) for result in report.results],
    }


def result_data(result: SearchResult) -> dict[str, Any]:
    """Return the answer for one value."""
    value, error = result.value, result.error
    hidden = error is not None and error.code in _SECRETS
    return {
        "input": "***" if hidden else result.sought,
        "ok": error is None,
        "kind": value.kind.value if value else None,
        "network": value.network.value if value and value.network else None,
        "value": value.value if value else None,
        "code": error.code if error else None,
        "message": error.message if error else None,
        "total": result.total,
        "origins": result.origins,
        "hits": [hit_data(hit) for hit in result.hits],
    }


def hit_data(hit: Hit) -> dict[str, Any]:
    """Return one hit: who, when, basis, confidence, signature, end states, and the record."""
    return {
        "bundle": hit.bundle,
        "record": hit.record,
        "org": hit.org,
        "way": hit.way.value,
        "created": hit.created,
        "arrived": hit.arrived,
        "expires": hit.expires,
        "tlp": hit.tlp,
        "purpose": hit.purpose,
        "match": hit.match,
        "signature": hit.signature,
        "states": [state.value for state in hit.states],
        "indicator": msgspec.to_builtins(hit.found),
    }


def search_text(report: SearchReport) -> str:
    """Return a search for people: every value in order, found or not."""
    lines = []
    for result in report.results:
        if result.error is not None:
            lines.append(f"{_shown(result)}  no valid value: {_words(result.error)}")
            continue
        if not result.hits:
            lines.append(f"{_shown(result)}  not found")
            continue
        lines.append(f"{_shown(result)}  {result.total} hits, {result.origins} independent origins")
        lines += [f"    {_hit_line(hit)}" for hit in result.hits]
    lines.append(
        f"{report.found} of {len(report.results)} found. Search {report.no} in the journal."
    )
    return "\n".join(lines)


_SECRETS = frozenset({"private_key", "seed_phrase"})


def _shown(result: SearchResult) -> str:
    if result.value is not None:
        return result.value.value
    return "***" if result.error and result.error.code in _SECRETS else result.sought[:120]


def _words(error: Malformed) -> str:
    return f"{error.message} [{error.code}]"


def _hit_line(hit: Hit) -> str:
    states = ", ".join(hit.states)
    return (
        f"{states}: {hit.org}, {moment(hit.created)}, {hit.found.basis}, confidence "
        f"{hit.found.confidence}, {hit.tlp}, signature {hit.signature}, {hit.bundle} "
        f"record {hit.record}" + _found_as(hit)
    )


def _found_as(hit: Hit) -> str:
    """Say as what another value a record was found."""
    if hit.match is Match.VALUE:
        return ""
    note = f": {hit.found.note}" if hit.match is Match.NOTE else ""
    return f", {hit.match}, {hit.found.value}{note}"
