"""``accord show ID``: one bundle in full, with what became of it and who has confirmed it."""

import itertools
import json
from typing import Any

import click
import msgspec

from accord.clock import moment
from accord.desk.app import Desk
from accord.desk.cli.correspondence import sighting_data
from accord.desk.cli.feedback import (
    event_data,
    event_line,
    next_words,
    progress_data,
    recall_here_data,
    recall_here_lines,
)
from accord.desk.cli.opened import opened_desk, person_here
from accord.desk.cli.shown import (
    bundle_data,
    bundle_line,
    confirmation_data,
    hint_data,
    mark_data,
    recall_data,
    recall_line,
)
from accord.desk.exchange.confirmations import confirmations
from accord.desk.exchange.recalls import RecallHere, recalls, recalls_of
from accord.desk.exchange.timeline import Timeline, timeline_here
from accord.desk.indicators.search import told_states
from accord.desk.storage import StoredBundle, Way
from accord.desk.storage.bundles import find_bundle, lines_of, marks_of, quarantined_of
from accord.desk.storage.hints import hints_of
from accord.desk.storage.journal import Act, record_act
from accord.desk.storage.outbox import outbox_row
from accord.desk.storage.requests import sightings_of
from accord.kernel.encoding import b64encode
from accord.kernel.envelope.payload import parse_head
from accord.kernel.identifiers import OrgId, parse_bundle_id
from accord.kernel.markings import BundleKind
from accord.terminal import Terminal, common_options

MAX_RECORDS = 10_000
_ESCAPED = "backslashreplace"
_SIGNED = frozenset({"retracted", "superseded", "disputed"})
"""What only a verified bundle brings about, whatever the hub says."""

_CHECKED = frozenset({BundleKind.INDICATORS.value, BundleKind.LIST.value})
"""Kinds whose lines are checked as records when they are opened."""


@click.command()
@click.argument("bundle_id", metavar="ID")
@click.option("--from", "org", help="The sender, when two used the same id: name@hub.")
@click.option("--records", type=click.IntRange(0, MAX_RECORDS), default=100, show_default=True)
@click.option("--offset", type=click.IntRange(0), default=0, help="First record to show.")
@common_options
def show(terminal: Terminal, *, bundle_id: str, org: str | None, records: int, offset: int) -> None:
    """Show one bundle in full."""
    with opened_desk(terminal) as desk:
        bundle = find_bundle(desk.vault, parse_bundle_id(bundle_id), org)
        record_act(
            desk.vault,
            person=person_here(),
            act=Act.BUNDLE_VIEW,
            subject=bundle.subject,
            reason="",
            now=desk.clock(),
        )
        data = describe_bundle(desk, bundle)
        story = timeline_here(desk.vault, bundle, now=desk.clock())
        taken = recalls_of(desk.vault, desk.config.org or OrgId(""), bundle)
        lines = itertools.islice(lines_of(desk.vault, bundle), offset, offset + records)
        data["lines"] = [
            {"record": number, "content": _content(line)}
            for number, line in enumerate(lines, start=offset)
        ]
    terminal.result(data, _text(data, story, taken))


def describe_bundle(desk: Desk, bundle: StoredBundle) -> dict[str, Any]:
    """Return everything about a bundle but its records."""
    vault = desk.vault
    marks = marks_of(vault, bundle.org, bundle.id)
    data = bundle_data(bundle, marks, now=desk.clock(), told=told_states(vault, bundle))
    head = parse_head(bundle.head)[1] if bundle.head is not None else None
    data |= {
        "narrative": head.narrative if head else None,
        "case_ref": head.case_ref if head else None,
        "recipients": list(head.recipients) if head else [],
        "replaces": bundle.replaces,
        "signer": b64encode(bundle.signer),
        "manifest": b64encode(bundle.manifest),
        "signature": desk.signature_state(bundle),
        "marks": [mark_data(mark) for mark in marks],
        "told": [hint_data(hint) for hint in hints_of(vault, bundle.org, bundle.id)],
        "quarantined": [
            {"record": record, "code": code} for record, code in quarantined_of(vault, bundle)
        ],
        "sightings": [sighting_data(one) for one in sightings_of(vault, bundle.org, bundle.id)],
    }
    if bundle.way is Way.RECEIVED:
        recalled = recalls_of(vault, desk.config.org or OrgId(""), bundle)
        data["taken_back"] = [recall_here_data(one) for one in recalled]
    row = outbox_row(vault, bundle.id) if bundle.way is Way.SENT else None
    if row is not None:
        own = recalls(vault, bundle.org, now=desk.clock(), retraction=bundle.id, limit=1)
        said = own[0].recipients if own else confirmations(vault, bundle.id, now=desk.clock())
        data["sent"] = {
            "state": row.state.value,
            "log_index": row.log_index,
            "receipted": row.receipted,
            "code": row.code,
            "message": row.message,
            "recipients": [confirmation_data(one) for one in said],
            "deadline": own[0].deadline if own else None,
        }
        data["recalls"] = [
            recall_data(one)
            for one in recalls(vault, bundle.org, now=desk.clock(), original=bundle.id)
        ]
    story = timeline_here(vault, bundle, now=desk.clock())
    if story is not None:
        data["timeline"] = [event_data(one) for one in story.events]
        data["progress"] = progress_data(story.progress)
    return data


def _text(data: dict[str, Any], story: Timeline | None, taken: list[RecallHere]) -> str:
    lines = [
        bundle_line(data),
        f"Created {moment(data['created'])}, expires {moment(data['expires'])}.",
        f"Purpose {data['purpose']}, basis {data['legal_basis']}, onward {data['onward']}.",
        f"Signature: {data['signature']}.",
    ]
    if data["narrative"]:
        lines.append(data["narrative"])
    lines += [
        f"{mark['state']} by {mark['by']} ({mark['reason']})"
        + (f", record {mark['record']}" if "record" in mark else "")
        for mark in data["marks"]
    ]
    done = {mark["state"] for mark in data["marks"]} | set(data["states"])
    lines += [
        f"The hub says {told['event']}; no signed bundle here does."
        for told in data["told"]
        if told["event"] in _SIGNED and told["event"] not in done
    ]
    lines += [
        f"{one['saw']} by {one['org']} ({one['count']}, {one['period']})"
        + (f", record {one['record']}" if "record" in one else "")
        for one in data["sightings"]
    ]
    if "sent" in data:
        lines.append(f"At the hub: {data['sent']['state']}.")
        lines += [f"  {one['org']}: {one['standing']}" for one in data["sent"]["recipients"]]
        lines += [recall_line(one) for one in data["recalls"]]
    for one in taken:
        lines += recall_here_lines(one)
    if story is not None:
        lines += ["What became of it:", *map(event_line, story.events)]
        lines.append(f"Next: {next_words(story.progress)}.")
    unchecked = {one["record"] for one in data["quarantined"]}
    if data["kind"] not in _CHECKED:
        unchecked |= {line["record"] for line in data["lines"]}
    lines += [
        f"{line['record']:>6}  {_record(line['content'], checked=line['record'] not in unchecked)}"
        for line in data["lines"]
    ]
    return "\n".join(lines)


def _content(line: bytes) -> dict[str, Any]:
    """Return what a line says; a sender may have signed and sealed anything at all."""
    try:
        found = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {"unreadable": line.decode("utf-8", _ESCAPED)}


def _record(content: dict[str, Any], *, checked: bool) -> str:
    # What was not checked may hold control characters for this terminal: it is shown escaped.
    if not checked:
        return json.dumps(content)
    kind = content.get("network") or content["kind"]
    return f"{kind}  {content['value']}  confidence {content['confidence']}  {content['basis']}"
