"""Which records an export takes: a stream over the vault, and a count of what stays behind."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from accord.desk.export.rules import Audience, withheld
from accord.desk.indicators.search import EndState, end_states
from accord.desk.storage import StoredBundle, Vault, Way
from accord.desk.storage.bundles import bundles_after, lines_of, marks_of, quarantined_of
from accord.kernel.indicators import IndicatorRecord, Kind, Network
from accord.kernel.markings import BundleKind, Onward, Tlp

CARRYING = frozenset({BundleKind.INDICATORS.value, BundleKind.LIST.value})
"""Kinds of bundle whose records are indicators."""

_decode = msgspec.json.Decoder(IndicatorRecord).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What is asked for. Empty sets mean all; times are unix seconds of arrival.

    Attributes:
        audience: for whom the export is.
        red: TLP:RED was asked for by name.
        ended: take also records that were retracted, replaced, disputed or have expired.
    """

    audience: Audience = Audience.OWN
    kinds: frozenset[Kind] = frozenset()
    networks: frozenset[Network] = frozenset()
    tlps: frozenset[Tlp] = frozenset()
    since: int = 0
    red: bool = False
    ended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """One record that goes."""

    bundle: StoredBundle
    record: int
    found: IndicatorRecord
    states: tuple[EndState, ...]


@dataclass(slots=True, kw_only=True)
class Tally:
    """What an export took and what it left, filled while it runs.

    Attributes:
        taken: row of a bundle -> numbers of its records that went.
        withheld: code -> how many records stayed.
    """

    taken: dict[int, list[int]] = field(default_factory=dict)
    withheld: Counter[str] = field(default_factory=Counter)

    @property
    def records(self) -> int:
        """How many records went."""
        return sum(len(numbers) for numbers in self.taken.values())


def select(vault: Vault, wanted: Selection, tally: Tally, *, now: int) -> Iterator[Selected]:
    """Yield the records that may go, the oldest bundle first, and count into ``tally``.

    Only what others sent is taken: our own records are in our own systems already.
    """
    for bundle in bundles_after(vault, 0, way=Way.RECEIVED):
        if bundle.kind not in CARRYING or bundle.purged or bundle.arrived < wanted.since:
            continue
        tlp, onward = Tlp(bundle.tlp), Onward(bundle.onward)
        if wanted.tlps and tlp not in wanted.tlps:
            continue
        code = withheld(tlp, onward, wanted.audience, red=wanted.red)
        if code is not None:
            tally.withheld[code] += bundle.n
            continue
        yield from _of_bundle(vault, bundle, wanted, tally, now)


def _of_bundle(
    vault: Vault, bundle: StoredBundle, wanted: Selection, tally: Tally, now: int
) -> Iterator[Selected]:
    marks = marks_of(vault, bundle.org, bundle.id)
    aside = {record for record, _ in quarantined_of(vault, bundle)}
    for number, line in enumerate(lines_of(vault, bundle)):
        if number in aside:
            continue
        found = _decode(line)
        if wanted.kinds and found.kind not in wanted.kinds:
            continue
        if wanted.networks and found.network not in wanted.networks:
            continue
        states = end_states(bundle, number, marks, now=now)
        if states != (EndState.ACTIVE,) and not wanted.ended:
            tally.withheld["ended"] += 1
            continue
        tally.taken.setdefault(bundle.no, []).append(number)
        yield Selected(bundle=bundle, record=number, found=found, states=states)
