"""What became of a bundle that this desk sent: who said what of it, when, and who acts next.

``facts_of`` reads what the vault holds; ``timeline_of`` derives everything else from it, without
clock or database. Each event carries whose word it is: a recipient counts as having opened, seen or
applied something by its own signature alone. What stands in the hub's log under its witnesses, and
what the hub merely says, are told as such and count for nothing else.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from accord.desk.exchange.confirmations import Standing, confirmations
from accord.desk.exchange.recalls import Recall, recalls
from accord.desk.exchange.standing import Next, RequestView, view_of
from accord.desk.storage import Mark, MarkState, StoredBundle, Vault, Way
from accord.desk.storage.acknowledgements import Said, said_of
from accord.desk.storage.bundles import WHOLE, find_bundle, has_bundle, marks_of
from accord.desk.storage.hints import Hint, hints_of
from accord.desk.storage.outbox import HELD, OutboxRow, OutboxState, outbox_row
from accord.desk.storage.own_events import OwnEventRow, own_events_of
from accord.desk.storage.requests import (
    AnswerRow,
    RequestRow,
    SightingRow,
    answers_to,
    list_requests,
    sightings_of,
)
from accord.kernel.bundle.model import parse_header
from accord.kernel.correspondence.sighting import Saw
from accord.kernel.identifiers import BundleId, OrgId
from accord.kernel.markings import BundleKind
from accord.kernel.statements.acknowledgement import Outcome

DELIVERED = "bundle.delivered"
"""The hub's event of handing a bundle to a recipient."""


class Word(StrEnum):
    """Whose word an event is: ours, an organisation's signed one, the hub's log's, the hub's."""

    OURS = "ours"
    SIGNED = "signed"
    LOG = "log"
    HUB = "hub"


class What(StrEnum):
    """What happened."""

    SEALED = "sealed"
    STORED = "stored"
    HELD = "held"
    NOT_TAKEN = "not-taken"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    RECEIVED = "received"
    OPENED = "opened"
    REFUSED = "refused"
    SIGHTED = "sighted"
    ASKED = "asked"
    ANSWERED = "answered"
    CLOSED = "closed"
    DISPUTED = "disputed"
    RETRACTED = "retracted"
    APPLIED = "applied"
    SUPERSEDED = "superseded"
    VISIBILITY_LOST = "visibility-lost"
    TOLD = "told"
    EXPIRED = "expired"
    PURGED = "purged"


class Actor(StrEnum):
    """Who acts next."""

    YOU = "you"
    DESK = "desk"
    THEM = "them"
    HUB = "hub"
    WITNESSES = "witnesses"
    NOBODY = "nobody"


class Step(StrEnum):
    """What is to be done next."""

    MEND = "mend"
    RELEASE = "release"
    SEND = "send"
    WITNESS = "witness"
    CALL = "call"
    ANSWER = "answer"
    CHECK = "check"
    RESEND = "resend"
    APPLY = "apply"
    OPEN = "open"
    COMPARE = "compare"
    NOTHING = "nothing"


ACTORS: Mapping[Step, Actor] = {
    Step.MEND: Actor.YOU,
    Step.RELEASE: Actor.HUB,
    Step.SEND: Actor.DESK,
    Step.WITNESS: Actor.WITNESSES,
    Step.CALL: Actor.YOU,
    Step.ANSWER: Actor.YOU,
    Step.CHECK: Actor.YOU,
    Step.RESEND: Actor.YOU,
    Step.APPLY: Actor.THEM,
    Step.OPEN: Actor.THEM,
    Step.COMPARE: Actor.THEM,
    Step.NOTHING: Actor.NOBODY,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened.

    Attributes:
        at: unix seconds, as whoever says so has them (of a request: when it arrived); ``None``
            where nobody told a time.
        org: who did it, when it was not us.
        code: a refusal's or reason's code, what was seen, asked or answered.
        records: how many records it is about; 0 is the whole bundle.
        record: the number of the one record that it is about.
        count: how often it was seen, in the steps of a sighting; ``period`` over which time.
        by: the bundle that says so.
        by_org: whose bundle that is.
        index: number of the entry in the hub's audit log.
    """

    what: What
    word: Word
    at: int | None = None
    org: OrgId | None = None
    code: str | None = None
    note: str | None = None
    records: int = 0
    record: int | None = None
    count: str | None = None
    period: str | None = None
    by: BundleId | None = None
    by_org: OrgId | None = None
    index: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that the vault holds of one sent bundle."""

    bundle: StoredBundle
    outbox: OutboxRow
    said: Mapping[OrgId, Sequence[Said]]
    standings: Mapping[OrgId, Standing]
    marks: Sequence[Mark]
    sightings: Sequence[SightingRow]
    requests: Sequence[tuple[RequestView, Sequence[AnswerRow]]]
    recalls: Sequence[Recall]
    hints: Sequence[Hint]
    logged: Sequence[OwnEventRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The counts, each of organisations, and who acts next (``orgs``: whose turn it is).

    Attributes:
        opened: by their own signature; ``applied`` likewise, of a retraction.
        refused: could not open it.
        silent: have said nothing.
        matched: have seen a record of it; ``unmatched`` looked and saw none of it.
        wrong: say that a record of it is wrong.
        requests: about it; ``waiting`` are those of them that wait for our word.
        recalled: how many recalls of it, or of records of it, were sent.
    """

    recipients: int
    opened: int
    applied: int
    refused: int
    silent: int
    matched: int
    unmatched: int
    wrong: int
    outdated: int
    helpful: int
    requests: int
    waiting: int
    recalled: int
    step: Step
    orgs: tuple[OrgId, ...]

    @property
    def actor(self) -> Actor:
        """Who acts next."""
        return ACTORS[self.step]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Everything that happened, the oldest first, and what it comes to."""

    events: tuple[Event, ...]
    progress: Progress


About = Mapping[BundleId, Sequence[RequestRow]]
"""Requests by the bundle that they name."""


def requests_about(vault: Vault) -> About:
    """Return the requests that others sent to us, by each bundle that their headers name.

    The header outlives the plaintext. Who asks need not have got the bundle from us.
    """
    found: defaultdict[BundleId, list[RequestRow]] = defaultdict(list)
    for row in list_requests(vault, way=Way.RECEIVED):
        if has_bundle(vault, row.org, row.id):
            for ref in parse_header(find_bundle(vault, row.id, row.org).header).refs:
                found[ref].append(row)
    return found


def facts_of(vault: Vault, bundle: StoredBundle, about: About, *, now: int) -> Facts | None:
    """Return what the vault holds of a bundle; ``None`` when it was not sent from here."""
    outbox = outbox_row(vault, bundle.id) if bundle.way is Way.SENT else None
    if outbox is None:
        return None
    own = recalls(vault, bundle.org, now=now, retraction=bundle.id, limit=1)
    standings = own[0].recipients if own else confirmations(vault, bundle.id, now=now)
    return Facts(
        bundle=bundle,
        outbox=outbox,
        said=said_of(vault, bundle.id),
        standings={one.org: one.standing for one in standings},
        marks=marks_of(vault, bundle.org, bundle.id),
        sightings=sightings_of(vault, bundle.org, bundle.id),
        requests=[
            (view_of(vault, row, bundle.org, now=now), answers_to(vault, row))
            for row in about.get(bundle.id, ())
        ],
        recalls=recalls(vault, bundle.org, now=now, original=bundle.id),
        hints=hints_of(vault, bundle.org, bundle.id),
        logged=own_events_of(vault, bundle.org, bundle.id),
    )


def timeline_here(vault: Vault, bundle: StoredBundle, *, now: int) -> Timeline | None:
    """Return what became of a bundle, or ``None`` when it was not sent from here."""
    facts = facts_of(vault, bundle, requests_about(vault), now=now)
    return None if facts is None else timeline_of(facts, now=now)


def progress_of(
    vault: Vault, bundles: Sequence[StoredBundle], *, now: int
) -> Mapping[BundleId, Progress]:
    """Return how far each of ``bundles`` that was sent from here came."""
    about = requests_about(vault)
    found = {one.id: facts_of(vault, one, about, now=now) for one in bundles}
    return {name: timeline_of(facts, now=now).progress for name, facts in found.items() if facts}


def timeline_of(facts: Facts, *, now: int) -> Timeline:
    """Return what happened to a sent bundle; a pure function of ``facts`` and ``now``."""
    events = [
        *_at_the_hub(facts.outbox),
        *_delivered(facts),
        *_by_recipients(facts),
        *_sighted(facts.sightings),
        *_asked(facts),
        *_marked(facts),
        *_ended(facts, now),
    ]
    # What has no time of its own stands behind its sealing, where it came about.
    events.sort(key=lambda event: facts.outbox.created if event.at is None else event.at)
    return Timeline(events=tuple(events), progress=_progress(facts, now))


def _at_the_hub(row: OutboxRow) -> Iterable[Event]:
    yield Event(what=What.SEALED, word=Word.OURS, at=row.created)
    if row.state is OutboxState.REFUSED:
        yield Event(what=What.NOT_TAKEN, word=Word.HUB, code=row.code, note=row.message)
    elif row.state is OutboxState.RECEIPTED:
        yield Event(what=What.ACCEPTED, word=Word.LOG, at=row.receipted, index=row.log_index)
    elif row.state is OutboxState.STORED:
        held = row.code == HELD
        what = What.HELD if held else What.STORED
        yield Event(what=what, word=Word.HUB, index=row.log_index, note=row.message)


def _delivered(facts: Facts) -> Iterable[Event]:
    """Yield what our part of the hub's log, verified and under its witnesses, says of it."""
    for row in facts.logged:
        if row.what == DELIVERED and row.actor in facts.outbox.recipients:
            org = OrgId(row.actor)
            yield Event(what=What.DELIVERED, word=Word.LOG, at=row.at, org=org, index=row.number)


_SAID = {
    Outcome.RECEIVED.value: What.RECEIVED,
    Outcome.OPENED.value: What.OPENED,
    Outcome.REFUSED.value: What.REFUSED,
    Outcome.RECALL_APPLIED.value: What.APPLIED,
}


def _by_recipients(facts: Facts) -> Iterable[Event]:
    for org, words in facts.said.items():
        for word in words:
            yield Event(
                what=_SAID[word.state], word=Word.SIGNED, at=word.at, org=org, code=word.code
            )


def _sighted(rows: Sequence[SightingRow]) -> Iterable[Event]:
    grouped: defaultdict[tuple[OrgId, BundleId, str], list[SightingRow]] = defaultdict(list)
    for row in rows:
        grouped[row.by_org, row.by_id, row.saw].append(row)
    for (org, by, saw), some in grouped.items():
        whole = any(row.record == WHOLE for row in some)
        counts, periods = {row.count for row in some}, {row.period for row in some}
        yield Event(
            what=What.SIGHTED,
            word=Word.SIGNED,
            at=some[0].at,
            org=org,
            code=saw,
            records=0 if whole else len(some),
            record=some[0].record if len(some) == 1 and not whole else None,
            count=counts.pop() if len(counts) == 1 else None,
            period=periods.pop() if len(periods) == 1 else None,
            by=by,
            by_org=org,
        )


def _asked(facts: Facts) -> Iterable[Event]:
    own = facts.bundle.org
    for view, answers in facts.requests:
        row = view.row
        asked = Event(
            what=What.ASKED,
            word=Word.SIGNED,
            at=row.arrived,
            org=row.org,
            code=row.ask,
            by=row.id,
            by_org=row.org,
        )
        yield asked
        for one in answers:
            yield Event(
                what=What.ANSWERED,
                word=Word.OURS if one.org == own else Word.SIGNED,
                at=one.at,
                org=None if one.org == own else one.org,
                code=one.outcome,
                by=one.id,
                by_org=one.org,
            )
        if row.closed is not None:
            yield replace(asked, what=What.CLOSED, at=row.closed, code=row.close)


_MARKED = {
    MarkState.RETRACTED: What.RETRACTED,
    MarkState.SUPERSEDED: What.SUPERSEDED,
    MarkState.DISPUTED: What.DISPUTED,
    MarkState.VISIBILITY_LOST: What.VISIBILITY_LOST,
}


def _marked(facts: Facts) -> Iterable[Event]:
    own = facts.bundle.org
    grouped: defaultdict[tuple[OrgId, BundleId, MarkState], list[Mark]] = defaultdict(list)
    for mark in facts.marks:
        grouped[mark.by_org, mark.by_id, mark.state].append(mark)
    for (org, by, state), some in grouped.items():
        whole = any(mark.record == WHOLE for mark in some)
        yield Event(
            what=_MARKED[state],
            word=Word.OURS if org == own else Word.SIGNED,
            at=some[0].at,
            org=None if org == own else org,
            code=some[0].code,
            note=some[0].note,
            records=0 if whole else len(some),
            record=some[0].record if len(some) == 1 and not whole else None,
            by=by,
            by_org=org,
        )
    for recall in facts.recalls:
        for one in recall.recipients:
            if one.standing is Standing.CONFIRMED:
                yield Event(
                    what=What.APPLIED,
                    word=Word.SIGNED,
                    at=one.at,
                    org=one.org,
                    records=recall.records,
                    by=recall.id,
                    by_org=own,
                )


_MARKS = frozenset(state.value for state in MarkState)


def _ended(facts: Facts, now: int) -> Iterable[Event]:
    marked = {mark.state.value for mark in facts.marks}
    for hint in facts.hints:
        # What a signed bundle here says already needs no word of the hub.
        if hint.event in _MARKS - marked:
            yield Event(what=What.TOLD, word=Word.HUB, at=hint.at, code=hint.event)
    if facts.bundle.expires <= now:
        yield Event(what=What.EXPIRED, word=Word.OURS, at=facts.bundle.expires)
    if facts.bundle.purged is not None:
        yield Event(what=What.PURGED, word=Word.OURS, at=facts.bundle.purged)


def _progress(facts: Facts, now: int) -> Progress:
    said = {org: {word.state for word in words} for org, words in facts.said.items()}
    saw: defaultdict[str, set[OrgId]] = defaultdict(set)
    for row in facts.sightings:
        saw[row.saw].add(row.by_org)
    step, orgs = _next(facts, now)
    standings = list(facts.standings.values())
    return Progress(
        recipients=len(facts.outbox.recipients),
        opened=sum(Outcome.OPENED.value in words for words in said.values()),
        applied=sum(Outcome.RECALL_APPLIED.value in words for words in said.values()),
        refused=standings.count(Standing.REFUSED),
        silent=sum(not said.get(org) for org in facts.outbox.recipients),
        matched=len(saw[Saw.SEEN]),
        unmatched=len(saw[Saw.NOT_SEEN] - saw[Saw.SEEN]),
        wrong=len(saw[Saw.FALSE_POSITIVE]),
        outdated=len(saw[Saw.OUTDATED]),
        helpful=len(saw[Saw.HELPFUL]),
        requests=len(facts.requests),
        waiting=len(_waiting(facts)),
        recalled=len(facts.recalls),
        step=step,
        orgs=orgs,
    )


_OUTBOX = {
    OutboxState.REFUSED: Step.MEND,
    OutboxState.SEALED: Step.SEND,
    OutboxState.STORED: Step.WITNESS,
}


def _next(facts: Facts, now: int) -> tuple[Step, tuple[OrgId, ...]]:
    """Return the most urgent step, and whose turn it is; what we can do comes first."""
    if facts.outbox.state in _OUTBOX:
        held = facts.outbox.state is OutboxState.STORED and facts.outbox.code == HELD
        return (Step.RELEASE if held else _OUTBOX[facts.outbox.state]), ()
    running = facts.bundle.expires > now
    late = [one.org for recall in facts.recalls for one in recall.recipients if _late(one.standing)]
    late += [org for org, standing in facts.standings.items() if _late(standing)]
    all_back = any(recall.records == 0 for recall in facts.recalls)
    doubted = [] if all_back else _undecided(facts)
    refused = _standing(facts.standings, Standing.REFUSED)
    open_recalls = [
        one.org
        for recall in facts.recalls
        for one in recall.recipients
        if one.standing is Standing.PENDING
    ]
    pending = _standing(facts.standings, Standing.PENDING)
    recall = facts.bundle.kind == BundleKind.RETRACTION.value
    told = {row.by_org for row in facts.sightings}
    quiet = [org for org in facts.outbox.recipients if org not in told]
    carries = facts.bundle.kind in {BundleKind.INDICATORS.value, BundleKind.LIST.value}
    steps: tuple[tuple[Step, Sequence[OrgId], bool], ...] = (
        (Step.CALL, late, True),
        (Step.ANSWER, _waiting(facts), True),
        (Step.CHECK, doubted, True),
        (Step.RESEND, refused, running and not all_back),
        (Step.APPLY, open_recalls or pending, bool(open_recalls) or recall),
        (Step.OPEN, pending, running and not all_back),
        (Step.COMPARE, quiet, running and not all_back and carries),
    )
    for step, orgs, counts in steps:
        if orgs and counts:
            return step, tuple(dict.fromkeys(orgs))
    return Step.NOTHING, ()


def _late(standing: Standing) -> bool:
    return standing is Standing.OVERDUE


def _standing(standings: Mapping[OrgId, Standing], wanted: Standing) -> list[OrgId]:
    return [org for org, standing in standings.items() if standing is wanted]


def _waiting(facts: Facts) -> list[OrgId]:
    """Return who waits for our word on a request about it."""
    return [view.row.org for view, _ in facts.requests if view.next is Next.YOU]


def _undecided(facts: Facts) -> list[OrgId]:
    """Return who disputes a record that we have not taken back."""
    back = {mark.record for mark in facts.marks if mark.state is MarkState.RETRACTED}
    return [
        mark.by_org
        for mark in facts.marks
        if mark.state is MarkState.DISPUTED
        and mark.by_org != facts.bundle.org
        and mark.record not in back
    ]
