"""What a format is: a name, an ending, and how it writes the records of one export."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from accord.desk.export.selection import Selected
from accord.kernel.identifiers import OrgId


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What an export says of itself.

    Attributes:
        org: whose desk makes it.
        purpose, reason: as the person stated them.
        audience: for whom it is.
        now: unix seconds.
        previous: the folder of the list before, for a format that tells changes.
    """

    org: OrgId
    purpose: str
    reason: str
    audience: str
    now: int
    previous: Path | None = None


class Writer(Protocol):
    """Writes one export to ``target``, a path that does not exist yet, as a stream."""

    def __call__(self, target: Path, records: Iterable[Selected], occasion: Occasion) -> None:
        """Write everything; the caller moves a finished file into its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One format.

    Attributes:
        folder: it writes a folder of files instead of one file.
        empty: without any record it still says something.
    """

    name: str
    ending: str
    words: str
    write: Writer
    folder: bool = False
    empty: bool = False
