"""Put a value on watch, and hear of it when a later bundle brings it.

A hit is written in the transaction that stores its record, so it is told exactly once, whatever
is killed or sent again. What became of the record since (recalled, expired) is told with it.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from accord.desk.indicators.questions import Manner, Match, Question, questions
from accord.desk.indicators.search import Hit, HitReader, SignatureState, check_reason
from accord.desk.storage import StoredBundle, Vault
from accord.desk.storage.bundles import bundles_in, records_at
from accord.desk.storage.journal import Act, record_act_in
from accord.desk.storage.texts import terms_of
from accord.desk.storage.watches import (
    Watch,
    WatchHit,
    add_watch,
    add_watch_hits,
    remove_watch,
    standing_terms,
    watch_hits,
)
from accord.kernel.errors import Malformed
from accord.kernel.indicators import IndicatorRecord

DAY = 86_400
USUAL_DAYS = 90
MAX_DAYS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One hit of a watch; ``found`` is ``None`` once the record's plaintext was deleted."""

    hit: WatchHit
    bundle: StoredBundle
    found: Hit | None


def set_watch(
    vault: Vault,
    text: str,
    *,
    reason: str,
    person: str,
    now: int,
    expires: int,
    network: str | None = None,
    subdomains: bool = False,
) -> Watch:
    """Put one whole value on watch until ``expires`` (unix seconds).

    Raises:
        Malformed: ``reason_missing``, ``reason_long``, ``watch_period``, or why it is no value.
        Conflict: ``watch_exists``.
        Refused: ``watches_many``.
    """
    check_reason(reason, "A watch")
    if not now < expires <= now + MAX_DAYS * DAY:
        raise Malformed(
            "watch_period",
            f"A watch ends later than now, and after {MAX_DAYS} days at most.",
            next_step="Choose another --until.",
        )
    (question,) = questions([text], manner=Manner(subdomains=subdomains), network=network)
    if question.error is not None or question.value is None:
        raise question.error or Malformed("empty", "There is no value.")
    value = question.value
    new = Watch(
        no=0,
        sought=text,
        kind=value.kind.value,
        network=None if value.network is None else value.network.value,
        value=value.value,
        subdomains=question.below is not None,
        reason=reason.strip(),
        person=person,
        at=now,
        expires=expires,
    )
    return add_watch(vault, new, question.terms)


def end_watch(vault: Vault, no: int, *, person: str, reason: str, now: int) -> Watch:
    """Take a watch off; its hits stay.

    Raises:
        Malformed: ``reason_missing``, ``reason_long``.
        NotFound: ``watch_unknown``.
    """
    check_reason(reason, "Taking a watch off")
    return remove_watch(vault, no, person=person, reason=reason.strip(), now=now)


def note_watched(
    connection: sqlite3.Connection,
    bundle: int,
    label: str,
    records: Sequence[IndicatorRecord | None],
    *,
    now: int,
) -> int:
    """Write down which records of a new bundle are watched, in the transaction that stores it.

    Args:
        connection: inside that transaction.
        bundle: the row of the bundle.
        label: the bundle as the journal names it.
        records: its records; ``None`` cannot be found.
        now: unix seconds.
    """
    by_term = standing_terms(connection, now=now)
    if not by_term:
        return 0
    asked: dict[int, Question] = {}
    hits: list[WatchHit] = []
    counts: dict[int, tuple[Watch, int]] = {}
    for place, record in enumerate(records):
        if record is None:
            continue
        near = {one.no: one for term in terms_of(record) for one in by_term.get(term, ())}
        for watch in near.values():
            if watch.no not in asked:
                asked[watch.no] = question_of_watch(watch)
            match = asked[watch.no].match(record)
            if match is not None:
                hits.append(
                    WatchHit(
                        watch=watch.no, bundle=bundle, record=place, found_as=match.value, at=now
                    )
                )
                counts[watch.no] = watch, counts.get(watch.no, (watch, 0))[1] + 1
    add_watch_hits(connection, hits)
    for watch, count in counts.values():
        record_act_in(
            connection,
            person="desk",
            act=Act.WATCH_HIT,
            subject=f"{watch.no} {label} {count} records",
            reason=watch.reason,
            now=now,
        )
    return len(hits)


def question_of_watch(watch: Watch) -> Question:
    """Return what a watch asks; a value that the rules refuse by now asks nothing."""
    manner = Manner(subdomains=watch.subdomains)
    (question,) = questions([watch.sought], manner=manner, network=watch.network)
    return question


def alerts(
    vault: Vault,
    *,
    now: int,
    limit: int,
    watch: int | None = None,
    unseen: bool = False,
    signature_state: SignatureState = lambda _bundle: "valid",
) -> list[Alert]:
    """Return hits of watches with their records as they stand now, the latest first."""
    hits = watch_hits(vault, watch=watch, unseen=unseen, limit=limit)
    homes = bundles_in(vault, {one.bundle for one in hits})
    numbers = [homes[one.bundle].first + one.record for one in hits]
    stored = records_at(vault, numbers)
    reader = HitReader(vault, now, signature_state)
    return [
        Alert(
            hit=one,
            bundle=homes[one.bundle],
            found=None if number not in stored else reader.hit(stored[number], Match(one.found_as)),
        )
        for one, number in zip(hits, numbers, strict=True)
    ]
