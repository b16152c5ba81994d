"""Look 1 to 5,000 mixed texts up in the vault, with a stated reason.

Order of work, numbered in the code: (1) limits and reason, (2) the search is written down
durably, (3) each text becomes a question (questions.py), (4) index, (5) text compared exactly,
(6) end states, (7) how many were found is added to the journal. Results keep the order of the
texts, and each text has one, also when nothing was found or it is no valid value.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from accord.desk.indicators.questions import (
    WHOLE_VALUES,
    How,
    Manner,
    Match,
    Question,
    broad,
    questions,
)
from accord.desk.storage import StoredBundle, Vault, Way
from accord.desk.storage.bundles import (
    WHOLE,
    FoundRecord,
    Mark,
    find_noted,
    find_prefixed,
    find_records,
    marks_of,
)
from accord.desk.storage.hints import hints_of
from accord.desk.storage.journal import MAX_REASON, MIN_REASON, begin_search, finish_search
from accord.desk.storage.texts import without_head
from accord.kernel.errors import Malformed
from accord.kernel.identifiers import BundleId, OrgId
from accord.kernel.indicators import Basis, IndicatorRecord, Normalised

MAX_VALUES = 5000

MAX_READ = 100_000
"""Records that one search reads at most, shared among its values (never fewer than 20 each)."""

_SOME = 20
_MOST = 1000
# Lines in the vault were checked when they were opened; a later change of rules must not hide them.
decode_record = msgspec.json.Decoder(IndicatorRecord).decode


class EndState(StrEnum):
    """What became of a record; none of them stands for another. ``active``: none of them."""

    ACTIVE = "active"
    RETRACTED = "retracted"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    VISIBILITY_LOST = "visibility-lost"
    DISPUTED = "disputed"


_OVER = frozenset({EndState.RETRACTED, EndState.EXPIRED, EndState.SUPERSEDED})

SignatureState = Callable[[StoredBundle], str]
"""Says what the directory holds of a bundle's signer now: ``valid``, or a warning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One record that holds a sought value: who says it, when, how sure, and what became of it.

    Attributes:
        match: why it answers (``questions.Match``): ``value`` is the canonical value itself.
        states: every end state that holds, or only ``active``.
        signature: the signature was verified when the bundle was opened; what of the key now.
    """

    bundle: BundleId
    record: int
    org: OrgId
    way: Way
    created: int
    arrived: int
    expires: int
    tlp: str
    purpose: str
    match: str
    found: IndicatorRecord
    signature: str
    states: tuple[EndState, ...]

    @property
    def original(self) -> bool:
        """Its sender says it of its own knowledge, and does not pass on what a third party said."""
        return self.found.basis is not Basis.THIRD_PARTY

    @property
    def active(self) -> bool:
        """Whether it still stands: not taken back, not replaced, not past its date.

        A dispute is somebody's word beside it, and what is no longer delivered is still here:
        neither takes anything away, or a member could silence what others say.
        """
        return not is_over(self.states)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """The answer for one value: its canonical form or why it has none, and the hits.

    ``origins`` counts the organisations that say it themselves and have not taken it back.
    ``total`` is how many records there are: exactly, or about when not all were read.
    """

    sought: str
    value: Normalised | None
    error: Malformed | None
    hits: tuple[Hit, ...]
    total: int

    @property
    def origins(self) -> int:
        """Independent origins of active hits.

        Repeats count once; copies (what a sender passes on from a third party) count for nobody.
        """
        return len({hit.org for hit in self.hits if hit.active and hit.original})


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchReport:
    """One search: its number in the journal and one result for each value, in order."""

    no: int
    at: int
    results: tuple[SearchResult, ...]

    @property
    def found(self) -> int:
        """How many of the values had a hit."""
        return sum(1 for result in self.results if result.hits)


def search(
    vault: Vault,
    values: Sequence[str],
    *,
    person: str,
    reason: str,
    now: int,
    network: str | None = None,
    manner: Manner = WHOLE_VALUES,
    signature_state: SignatureState = lambda _bundle: "valid",
) -> SearchReport:
    """Search the vault; nothing is asked of anyone else.

    Args:
        vault: the open vault.
        values: 1 to 5,000 values as typed.
        person: who searches.
        reason: why; 3 to 500 characters, kept in the journal.
        now: unix seconds.
        network: network of all values, when it is known.
        manner: how to look.
        signature_state: what the directory says of a signer now.

    Raises:
        Malformed: ``search_empty``, ``search_many``, ``reason_missing``, ``reason_long``.
    """
    _check(values, reason)  # (1)
    number = begin_search(
        vault, person=person, reason=reason, values=values, manner=str(manner), now=now
    )  # (2)
    asked = questions(values, manner=manner, network=network)  # (3)
    results = _Reader(vault, now, signature_state).results(values, asked)
    report = SearchReport(no=number, at=now, results=results)
    finish_search(vault, number, found=report.found)  # (7)
    return report


def end_states(
    bundle: StoredBundle,
    record: int,
    marks: Sequence[Mark],
    *,
    now: int,
    told: Collection[EndState] = (),
) -> tuple[EndState, ...]:
    """Return every end state of a record (``WHOLE``: of the bundle), or only ``active``.

    Args:
        bundle: the bundle.
        record: which record, or ``WHOLE``.
        marks: what verified bundles did to it.
        now: unix seconds; the signed ``expires`` alone says what is expired.
        told: what the feed may tell by itself (``told_states``).
    """
    states = {EndState(mark.state.value) for mark in marks if mark.record in (WHOLE, record)}
    states.update(told)
    if bundle.expires <= now:
        states.add(EndState.EXPIRED)
    return tuple(sorted(states)) or (EndState.ACTIVE,)


def is_over(states: Collection[EndState]) -> bool:
    """Tell whether a record with these states stands no more (``Hit.active``)."""
    return not _OVER.isdisjoint(states)


def told_states(vault: Vault, bundle: StoredBundle) -> tuple[EndState, ...]:
    """Return what the feed alone told of a bundle and may: that it lost sight of it, no more."""
    events = {hint.event for hint in hints_of(vault, bundle.org, bundle.id)}
    lost = EndState.VISIBILITY_LOST
    return (lost,) if lost.value in events else ()


def _check(values: Sequence[str], reason: str) -> None:
    if not values:
        raise Malformed("search_empty", "There is no value to look for.")
    if len(values) > MAX_VALUES:
        raise Malformed(
            "search_many",
            f"One search takes at most {MAX_VALUES} values.",
            observed=str(len(values)),
            next_step="Split the list.",
        )
    check_reason(reason, "A search")


def check_reason(reason: str, act: str, *, most: int = MAX_REASON) -> None:
    """Refuse a reason that says nothing, is too long or hides something.

    Raises:
        Malformed: ``reason_missing``, ``reason_long``.
    """
    if len(reason.strip()) < MIN_REASON:
        raise Malformed(
            "reason_missing",
            f"{act} needs a stated reason.",
            next_step="Give --reason, for example a case number.",
        )
    if not reason.isprintable():
        raise Malformed("reason_missing", "A reason is one line of characters that can be seen.")
    if len(reason) > most:
        raise Malformed("reason_long", f"A reason has at most {most} characters.")


_Found = tuple[int, list[FoundRecord]]
"""How many records may hold a term, and those that were read."""


class HitReader:
    """Reads hits for one answer: marks and signer states are looked up once a bundle."""

    def __init__(self, vault: Vault, now: int, signature_state: SignatureState) -> None:
        """Read from ``vault`` as things stand at ``now``."""
        self._vault = vault
        self._now = now
        self._signature_state = signature_state
        self._marks: dict[int, list[Mark]] = {}
        self._told: dict[int, tuple[EndState, ...]] = {}
        self._signatures: dict[int, str] = {}

    def hit(self, one: FoundRecord, match: Match, record: IndicatorRecord | None = None) -> Hit:
        """Return a record that answers, with what became of it."""
        bundle = one.bundle
        marks = self._marks.get(bundle.no)
        if marks is None:
            marks = self._marks[bundle.no] = marks_of(self._vault, bundle.org, bundle.id)
            self._told[bundle.no] = told_states(self._vault, bundle)
            self._signatures[bundle.no] = self._signature_state(bundle)
        return Hit(
            bundle=bundle.id,
            record=one.record,
            org=bundle.org,
            way=bundle.way,
            created=bundle.created,
            arrived=bundle.arrived,
            expires=bundle.expires,
            tlp=bundle.tlp,
            purpose=bundle.purpose,
            match=match,
            found=decode_record(one.line) if record is None else record,
            signature=self._signatures[bundle.no],
            states=end_states(
                bundle, one.record, marks, now=self._now, told=self._told[bundle.no]
            ),  # (6)
        )


class _Reader:
    """One search's reads."""

    def __init__(self, vault: Vault, now: int, signature_state: SignatureState) -> None:
        self._vault = vault
        self._hits = HitReader(vault, now, signature_state)
        self._most = MAX_READ

    def results(self, values: Sequence[str], asked: Sequence[Question]) -> tuple[SearchResult, ...]:
        limit = min(_MOST, max(_SOME, MAX_READ // max(1, sum(len(one.terms) for one in asked))))
        self._most = max(_MOST, MAX_READ // max(1, len(asked)))
        whole = self._whole_values(asked, limit)
        return tuple(
            self._result(sought, question, found, limit)
            if question.error is None
            else _refused(sought, question.error)
            for sought, question, found in zip(values, asked, whole, strict=True)
        )

    def _whole_values(self, asked: Sequence[Question], limit: int) -> list[list[_Found]]:
        """Return what the index has for each question about a whole value, in one go."""
        texts = [text for one in asked if one.how is How.VALUES for text in one.terms]
        found = iter(find_records(self._vault, texts, limit=limit))  # (4)
        return [[next(found) for _ in one.terms] if one.how is How.VALUES else [] for one in asked]

    def _result(
        self, sought: str, question: Question, found: list[_Found], limit: int
    ) -> SearchResult:
        if question.how is How.NOTE:
            found = [find_noted(self._vault, question.terms, limit=limit)]
        elif question.how is How.PREFIX:
            for form in dict.fromkeys(
                text for one in question.terms for text in (one, without_head(one))
            ):
                some = find_prefixed(self._vault, form, most=self._most)
                if some is None:
                    return _refused(sought, broad())
                found.append(some)
        hits: dict[tuple[int, int], Hit] = {}
        for _, records in found:
            for one in records:
                place = (one.bundle.no, one.record)
                if place in hits:
                    continue
                record = decode_record(one.line)
                match = question.match(record)  # (5)
                if match is not None:
                    hits[place] = self._hits.hit(one, match, record)
        # The latest first; what still stands before what does not.
        ordered = sorted(hits.values(), key=lambda hit: (not hit.active, -hit.arrived))
        unread = [count for count, records in found if count > len(records) >= limit]
        total = max([len(ordered), *unread] if hits else [0])
        return SearchResult(
            sought=sought,
            value=question.value,
            error=None,
            hits=tuple(ordered[:_MOST]),
            total=total,
        )


def _refused(sought: str, error: Malformed) -> SearchResult:
    return SearchResult(sought=sought, value=None, error=error, hits=(), total=0)
