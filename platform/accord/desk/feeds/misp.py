"""The MISP feed of this desk: a manifest and events, made from the vault when they are asked for.

An event's timestamp rises with every change, so that MISP fetches it again. What was taken back
stays as deleted attributes for ``GRACE_DAYS``, because MISP deletes nothing that is merely missing;
then the event is gone. Hashes of values are given only where the desk's people switched them on:
they tell values to anyone who can guess them.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from accord.desk.export.misp import MAX_ATTRIBUTES
from accord.desk.export.misp.events import event_of, event_uuid, manifest_entry
from accord.desk.export.rules import Audience, withheld
from accord.desk.export.selection import CARRYING, Selected
from accord.desk.feeds.objects import GRACE_DAYS
from accord.desk.indicators.search import end_states
from accord.desk.storage import StoredBundle, Vault, Way
from accord.desk.storage.bundles import (
    WHOLE,
    Mark,
    bundles_after,
    lines_of,
    marks_of,
    quarantined_of,
)
from accord.kernel.errors import NotFound
from accord.kernel.indicators import IndicatorRecord
from accord.kernel.markings import Onward, Tlp

_DAY = 86_400
_decode = msgspec.json.Decoder(IndicatorRecord).decode


@dataclass(frozen=True, slots=True)
class _Part:
    bundle: StoredBundle
    number: int
    marks: list[Mark]

    @property
    def uuid(self) -> str:
        return event_uuid(self.bundle.org, self.bundle.id, self.number)

    @property
    def stamp(self) -> int:
        """Unix second of the last change, plus one for each change: it rises with every one."""
        return max([self.bundle.arrived, *(mark.at for mark in self.marks)]) + len(self.marks)


@dataclass(frozen=True, slots=True)
class MispFeed:
    """Answers the files of one desk's MISP feed."""

    vault: Vault
    host: str

    def manifest(self, *, now: int) -> bytes:
        """Return ``manifest.json``: every event that is told now."""
        made = {part.uuid: manifest_entry(self._event(part, (), now)) for part in self._parts(now)}
        return msgspec.json.encode(made)

    def event(self, uuid: str, *, now: int) -> bytes:
        """Return the file of one event.

        Raises:
            NotFound: ``not_found``.
        """
        for part in self._parts(now):
            if part.uuid == uuid:
                return msgspec.json.encode({"Event": self._event(part, self._records(part), now)})
        raise NotFound("not_found", "There is no such event.")

    def hashes(self, *, now: int) -> Iterator[bytes]:
        """Yield the lines of ``hashes.csv``: MD5 of each value, and the event that holds it."""
        for part in self._parts(now):
            for _, found in self._records(part):
                digest = hashlib.md5(found.value.encode(), usedforsecurity=False).hexdigest()
                yield f"{digest},{part.uuid}\n".encode()

    def _parts(self, now: int) -> Iterator[_Part]:
        for bundle in bundles_after(self.vault, 0, way=Way.RECEIVED):
            if bundle.kind not in CARRYING or bundle.purged or bundle.expires <= now:
                continue
            tlp, onward = Tlp(bundle.tlp), Onward(bundle.onward)
            if withheld(tlp, onward, Audience.OWN, red=False) is not None:
                continue
            marks = marks_of(self.vault, bundle.org, bundle.id)
            whole = [mark.at for mark in marks if mark.record == WHOLE]
            if whole and min(whole) + GRACE_DAYS * _DAY < now:
                continue
            for number in range(-(-bundle.n // MAX_ATTRIBUTES)):
                yield _Part(bundle, number, marks)

    def _records(self, part: _Part) -> Iterator[tuple[int, IndicatorRecord]]:
        aside = {record for record, _ in quarantined_of(self.vault, part.bundle)}
        for number, line in enumerate(lines_of(self.vault, part.bundle)):
            if number // MAX_ATTRIBUTES == part.number and number not in aside:
                yield number, _decode(line)

    def _event(
        self, part: _Part, records: Iterator[tuple[int, IndicatorRecord]] | tuple[()], now: int
    ) -> dict[str, object]:
        selected = [
            Selected(
                bundle=part.bundle,
                record=number,
                found=found,
                states=end_states(part.bundle, number, part.marks, now=now),
            )
            for number, found in records
        ]
        return event_of(
            selected, bundle=part.bundle, number=part.number, host=self.host, stamp=part.stamp
        )
