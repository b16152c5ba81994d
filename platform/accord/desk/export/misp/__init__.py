"""MISP feed: a folder of events and their manifest, as MISP reads it from a URL or a disk."""

from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

import msgspec

from accord.desk.export.form import Format, Occasion
from accord.desk.export.misp.events import event_of, manifest_entry
from accord.desk.export.selection import Selected

MAX_ATTRIBUTES = 10_000
"""Attributes of one event; a larger bundle becomes several events (MISP issue 7992)."""


def write(target: Path, records: Iterable[Selected], occasion: Occasion) -> None:
    """Write ``manifest.json`` and one file for each event, at most ``MAX_ATTRIBUTES`` long."""
    target.mkdir(mode=0o700)
    manifest: dict[str, object] = {}
    for _, group in groupby(records, key=lambda one: one.bundle.no):
        part: list[Selected] = []
        for one in group:
            if part and one.record // MAX_ATTRIBUTES != part[0].record // MAX_ATTRIBUTES:
                _write_event(target, part, occasion, manifest)
                part = []
            part.append(one)
        _write_event(target, part, occasion, manifest)
    (target / "manifest.json").write_bytes(msgspec.json.encode(manifest))


def _write_event(
    target: Path, part: list[Selected], occasion: Occasion, manifest: dict[str, object]
) -> None:
    number = part[0].record // MAX_ATTRIBUTES
    event = event_of(part, bundle=part[0].bundle, number=number, host=occasion.org)
    (target / f"{event['uuid']}.json").write_bytes(msgspec.json.encode({"Event": event}))
    manifest[str(event["uuid"])] = manifest_entry(event)


MISP = Format(
    name="misp",
    ending="",
    words="A MISP feed: a folder with a manifest and one file for each event.",
    write=write,
    folder=True,
)
