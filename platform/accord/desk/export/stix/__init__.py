"""STIX 2.1: records as indicators, with their observables; as one bundle or object by object."""

import hashlib
import uuid
from collections.abc import Iterable
from pathlib import Path

from accord.desk.export.form import Format, Occasion
from accord.desk.export.selection import Selected
from accord.desk.export.stix.objects import (
    NAMESPACE,
    Ended,
    StixObject,
    objects_of,
    surroundings_of,
)

__all__ = ["STIX", "Ended", "StixObject", "objects_of", "surroundings_of"]


def write(target: Path, records: Iterable[Selected], occasion: Occasion) -> None:
    """Write one STIX bundle as a stream: each identity and marking before what refers to it."""
    number = hashlib.sha256(f"{occasion.org} {occasion.now} {occasion.reason}".encode()).hexdigest()
    name = f"bundle--{uuid.uuid5(NAMESPACE, number)}"
    told: set[str] = set()
    with target.open("xb") as file:
        file.write(b'{"type":"bundle","id":"%s","objects":[' % name.encode())
        first = True
        bundle = None
        for one in records:
            objects = [*surroundings_of(one.bundle)] if one.bundle.no != bundle else []
            bundle = one.bundle.no
            for each in [*objects, *objects_of(one)]:
                if each.id in told:
                    continue
                if not each.id.startswith(("indicator--", "relationship--")):
                    told.add(each.id)
                file.write((b"" if first else b",\n") + each.data)
                first = False
        file.write(b"]}\n")


STIX = Format(
    name="stix",
    ending=".json",
    words="A STIX 2.1 bundle for threat-intelligence tools.",
    write=write,
)
