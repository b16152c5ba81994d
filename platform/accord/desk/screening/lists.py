"""The lists that a screening uses: what others have sent, record by record, and still stands.

A list is a bundle of indicators or of kind ``list``. Its fingerprint is SHA-256 over its standing
record lines, each with LF, so that two desks with the same list print the same number. TLP:RED is
for named people: it is used only when asked for by name.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from accord.desk.indicators.search import decode_record, end_states, is_over
from accord.desk.screening.matching import Terms, listed_terms
from accord.desk.storage import Mark, StoredBundle, Vault, Way
from accord.desk.storage.bundles import bundles_after, lines_of, marks_of, quarantined_of
from accord.kernel.markings import BundleKind, Tlp

CARRYING = frozenset({BundleKind.INDICATORS.value, BundleKind.LIST.value})


@dataclass(frozen=True, slots=True, kw_only=True)
class ListUsed:
    """One list: its bundle, how many of its records stand, and their fingerprint."""

    bundle: StoredBundle
    records: int
    sha256: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Everything that a screening compares with.

    Attributes:
        terms: term -> numbers of records (``StoredBundle.first`` + place).
        records: how many records stand.
        sha256: over the lists' names, counts and fingerprints, in order of arrival.
        withheld: code -> how many records were left out.
    """

    lists: tuple[ListUsed, ...]
    terms: Terms
    records: int
    sha256: bytes
    withheld: Counter[str] = field(default_factory=Counter)


def lists_in_force(vault: Vault, *, now: int, red: bool, only_lists: bool) -> Listed:
    """Read every list that stands at ``now``.

    Args:
        vault: the open vault.
        now: unix seconds.
        red: use TLP:RED too.
        only_lists: use bundles of kind ``list`` alone.
    """
    kinds = {BundleKind.LIST.value} if only_lists else CARRYING
    terms: dict[str, int | tuple[int, ...]] = {}
    used: list[ListUsed] = []
    withheld: Counter[str] = Counter()
    for bundle in bundles_after(vault, 0, way=Way.RECEIVED):
        if bundle.kind not in kinds or bundle.purged is not None:
            continue
        if bundle.tlp == Tlp.RED.value and not red:
            withheld["tlp_red"] += bundle.n
            continue
        one = _read(vault, bundle, terms, now)
        withheld["ended"] += bundle.n - one.records
        if one.records:
            used.append(one)
    digest = hashlib.sha256()
    for one in used:
        named = f"{one.bundle.org} {one.bundle.id} {one.records} {one.sha256.hex()}\n"
        digest.update(named.encode())
    return Listed(
        lists=tuple(used),
        terms=terms,
        records=sum(one.records for one in used),
        sha256=digest.digest(),
        withheld=+withheld,
    )


def _read(
    vault: Vault, bundle: StoredBundle, terms: dict[str, int | tuple[int, ...]], now: int
) -> ListUsed:
    """Put the standing records of one bundle into ``terms``."""
    marks = marks_of(vault, bundle.org, bundle.id)
    aside = {record for record, _ in quarantined_of(vault, bundle)}
    over = _over(bundle, marks, now)
    digest, count = hashlib.sha256(), 0
    if over is None:
        return ListUsed(bundle=bundle, records=0, sha256=digest.digest())
    for place, line in enumerate(lines_of(vault, bundle)):
        if place in aside or place in over:
            continue
        digest.update(line + b"\n")
        count += 1
        for term in listed_terms(decode_record(line)):
            number = bundle.first + place
            before = terms.get(term)
            if before is None:
                terms[term] = number
            else:
                terms[term] = (*((before,) if isinstance(before, int) else before), number)
    return ListUsed(bundle=bundle, records=count, sha256=digest.digest())


def _over(bundle: StoredBundle, marks: Sequence[Mark], now: int) -> frozenset[int] | None:
    """Return the records that stand no more; ``None`` for all of them."""
    if is_over(end_states(bundle, -1, marks, now=now)):
        return None
    named = {mark.record for mark in marks}
    return frozenset(
        record for record in named if is_over(end_states(bundle, record, marks, now=now))
    )
