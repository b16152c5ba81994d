"""Who may read which field of an event: one table, default closed.

A person's name opens to the auditor and administrator of their own organisation and to nobody
else: not to the organisations that the event concerns, not to oversight, not to the operator, and
not to desks or receipts of their own organisation.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from accord.kernel.identifiers import OrgId
from accord.kernel.tlog.heads import FIELD
from accord.kernel.tlog.leaf import Opening, RecordFields


class Standing(StrEnum):
    """What an event is to the one who reads it."""

    ACTED = "acted"
    CONCERNED = "concerned"
    OVERSEES = "oversees"


class Part(StrEnum):
    """What a field of an event tells."""

    FACTS = "facts"
    NAME = "name"
    OWN_NUMBER = "own-number"
    OTHER_NUMBER = "other-number"


OPENS: Mapping[Standing, frozenset[Part]] = {
    Standing.ACTED: frozenset({Part.FACTS, Part.NAME, Part.OWN_NUMBER}),
    Standing.CONCERNED: frozenset({Part.FACTS, Part.OWN_NUMBER}),
    Standing.OVERSEES: frozenset({Part.FACTS, Part.OWN_NUMBER, Part.OTHER_NUMBER}),
}
"""What opens to whom; what is not here stays closed."""

NAMES = frozenset({"person", "about"})
"""Fields that hold a person's name; erasing a person erases these."""

FACTS = frozenset({"time", "what", "org", "subject", "basis", "outcome", "detail"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """For whom fields are opened.

    Attributes:
        org: the reader's organisation.
        whole: the charter lets the organisation see the whole trail.
        names: the reader may see names of their own organisation's people.
    """

    org: OrgId
    whole: bool = False
    names: bool = False


def standings(reader: Reader, *, acted: str, concerned: Collection[str]) -> frozenset[Standing]:
    """Return what an event is to ``reader``; nothing when it is none of their business."""
    found = set()
    if acted == reader.org:
        found.add(Standing.ACTED)
    if reader.org in concerned:
        found.add(Standing.CONCERNED)
    if reader.whole:
        found.add(Standing.OVERSEES)
    return frozenset(found)


def opened_for(reader: Reader, record: RecordFields) -> RecordFields | None:
    """Return ``record`` with what ``reader`` may not read closed; ``None`` for none of theirs.

    The fields that decide (organisation, members) are read from the record itself. An event whose
    organisation was erased with its time opens to nobody as its actor.
    """
    fields = record.opened()
    concerned = {
        value.partition(" ")[0] for name, value in fields.items() if name.startswith(FIELD)
    }
    found = standings(reader, acted=fields.get("org", ""), concerned=concerned)
    if not found:
        return None
    parts = frozenset().union(*(OPENS[standing] for standing in found))
    if not reader.names:
        parts -= {Part.NAME}
    return record.close(
        {
            item.field
            for item in record.fields
            if isinstance(item, Opening) and _part(item, reader.org) not in parts
        }
    )


def _part(item: Opening, org: OrgId) -> Part | None:
    """Return what a field tells; a field that is not known here is closed to all."""
    if item.field in NAMES:
        return Part.NAME
    if item.field.startswith(FIELD):
        return Part.OWN_NUMBER if item.value.startswith(f"{org} ") else Part.OTHER_NUMBER
    return Part.FACTS if item.field in FACTS else None
