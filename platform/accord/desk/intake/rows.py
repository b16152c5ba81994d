"""The judgement of rows, in blocks: value, network, guards, repeats, record line.

Order, for each row: (1) can it be read; (2) is there a value; (3) is the value canonical for its
kind and network, or a URL that stands for its host; (4) does a guard hold it; (5) did this file or
an earlier bundle hold it already; (6) its record line, with the context that the row gives.
"""

from collections.abc import Collection, Sequence

import msgspec

from accord.desk.intake.apart import AlreadySent
from accord.desk.intake.columns import Field, Meaning
from accord.desk.intake.context import Context, ContextReader
from accord.desk.intake.delimited import Fields, Guessed, Unended
from accord.desk.intake.guards import Guards
from accord.desk.intake.lines import Defaults, Line, RecordLines, value_key
from accord.desk.intake.results import Result, RowResult, Totals, words_of
from accord.desk.intake.seen import Seen
from accord.desk.intake.words import KINDS, TOTALS, fold
from accord.kernel.errors import Malformed
from accord.kernel.indicators import (
    Kind,
    Normalised,
    network_of_label,
    normalise,
    normalise_batch,
)
from accord.kernel.indicators.kinds import Outcome
from accord.kernel.indicators.normalise import WITH_MEMO

# Bound here because on Python 3.11 each ``Kind.WALLET`` is a call.
_URL, _WALLET, _ONION, _DOMAIN = Kind.URL, Kind.WALLET, Kind.ONION, Kind.DOMAIN
_READY, _CHANGED, _HELD = Result.READY, Result.CHANGED, Result.HELD
_DUPLICATE, _REFUSED, _BLANK = Result.DUPLICATE, Result.REFUSED, Result.BLANK
_RETRIED = frozenset({"unknown_format", "not_ascii_lookalike", "checksum_wrong"})
_WORDS = {
    "respelled": "Written in its one form.",
    "url_to_domain": "A link stands for its site; say --keep-url to send the link itself.",
    "released": "On a guard list; a person let it go, with a reason.",
    "note_masked": "The note was masked: it may identify a person.",
    "no_value": "There is no value in this row.",
    "blank_row": "The row is empty.",
    "total_row": "This is a row of totals.",
    "row_unreadable": "The row cannot be read: a quote or a cell never ends.",
    "row_cut": "The file ends within this row. Export it again; if the row is whole, end its line.",
    "columns_extra": "The row has more cells than the header; put cells with delimiters in quotes.",
    "two_values": "Two columns hold a value in this row; put each in a row of its own.",
}


class _Candidate(msgspec.Struct, gc=False):
    """A row with a canonical value, not yet compared with the others."""

    place: int
    row: int
    found: Normalised
    code: str | None
    context: Context | None


class Judge:
    """Gives each row its result; keeps what was seen over the whole file."""

    def __init__(  # noqa: PLR0913 - all that a row is judged by
        self,
        *,
        columns: Sequence[str],
        meaning: Meaning,
        context: ContextReader,
        guards: Guards,
        defaults: Defaults,
        keep_url: bool,
        already_sent: AlreadySent | None,
        totals: Totals,
        released: Collection[int] = (),
    ) -> None:
        """Prepare for one file; ``released`` are numbers of rows that no guard holds."""
        self._released = frozenset(released)
        self._width = len(columns)
        self._values = [i for i, column in enumerate(columns) if meaning[column] is Field.VALUE]
        self._networks = [i for i, name in enumerate(columns) if meaning[name] is Field.NETWORK]
        self._kinds = [i for i, name in enumerate(columns) if meaning[name] is Field.KIND]
        self._context = context
        self._guards = guards
        self._lines = RecordLines(defaults, totals.left_out)
        self._default_network = None if defaults.network is None else defaults.network.value
        self._keep_url = keep_url
        self._already_sent = already_sent
        self._totals = totals
        self._seen = Seen()
        self._labels: dict[str, str | None] = {}

    def ask(self, already_sent: AlreadySent) -> None:
        """Ask this one about values that were sent before."""
        self._already_sent = already_sent

    def judge(self, first_row: int, rows: Sequence[Fields | None]) -> list[RowResult]:
        """Return the results of a block whose first row has the number ``first_row``."""
        results: list[RowResult | None] = [None] * len(rows)
        places: list[int] = []
        values: list[str] = []
        networks: list[str | None] = []
        for place, row in enumerate(rows):
            value = self._value_of(row)
            if isinstance(value, RowResult):
                results[place] = msgspec.structs.replace(value, row=first_row + place)
                continue
            places.append(place)
            values.append(value)
            networks.append(self._network_of(row or []))
        kinds = self._kinds_of(rows, places)
        answers = normalise_batch(values, networks=networks, kinds=kinds)
        self._retry_hosts(values, networks, answers)
        candidates: list[_Candidate] = []
        for place, answer in zip(places, answers, strict=True):
            number = first_row + place
            if isinstance(answer, Malformed):
                results[place] = _refused(number, answer)
                continue
            candidate = self._candidate(place, number, answer, rows[place] or [])
            hit = self._guards.hit(candidate.found)
            if hit is None:
                candidates.append(candidate)
            elif number in self._released:
                candidate.code = candidate.code or "released"
                candidates.append(candidate)
            else:
                found = candidate.found
                results[place] = RowResult(
                    number, _HELD, found.kind, found.network, found.value, hit.code, hit.message
                )
        self._finish(candidates, results)
        finished = [result for result in results if result is not None]
        self._totals.count(finished)
        return finished

    def _value_of(self, row: Fields | None) -> str | RowResult:
        """Return the row's one value, or the result of a row without one (its number still 0)."""
        if row is None:
            return _plain(_REFUSED, "row_unreadable")
        width = len(row)
        if width > self._width and any(cell.strip() for cell in row[self._width :]):
            return _plain(_REFUSED, "columns_extra")
        if width < self._width and (fault := row_fault(row)):
            return _plain(_REFUSED, fault)
        chosen = ""
        for index in self._values:
            cell = row[index] if index < width else ""
            if cell and not cell.isspace():
                if chosen:
                    return _plain(_REFUSED, "two_values")
                chosen = cell
        if not chosen:
            empty = not any(cell.strip() for cell in row)
            return _plain(_BLANK, "blank_row" if empty else "no_value")
        if len(chosen) <= 20 and fold(chosen) in TOTALS:  # noqa: PLR2004 - no such word is longer
            return _plain(_BLANK, "total_row")
        return chosen

    def _network_of(self, row: Fields) -> str | None:
        """Return the network that the row's first telling label names, else the default."""
        labels = self._labels
        for index in self._networks:
            if index < len(row):
                label = row[index]
                known = labels.get(label, "")
                if known == "":
                    network = network_of_label(label)
                    known = None if network is None else network.value
                    if len(labels) < 10_000:  # noqa: PLR2004 - no file has that many networks
                        labels[label] = known
                if known is not None:
                    return known
        return self._default_network

    def _kinds_of(
        self, rows: Sequence[Fields | None], places: Sequence[int]
    ) -> list[str | None] | None:
        """Tell the kernel of transactions only: other kinds show by themselves, and people err."""
        if not self._kinds:
            return None
        index = self._kinds[0]
        told: list[str | None] = []
        for place in places:
            row = rows[place] or []
            cell = row[index] if index < len(row) else ""
            kind = KINDS.get(fold(cell)) if cell else None
            told.append(kind.value if kind is Kind.TRANSACTION else None)
        return told

    def _retry_hosts(
        self, values: Sequence[str], networks: Sequence[str | None], answers: list[Outcome]
    ) -> None:
        """Read again, as hosts, what was refused as an address: a site beside a coin's name."""
        again = [
            place
            for place, answer in enumerate(answers)
            if isinstance(answer, Malformed)
            and networks[place] is not None
            and answer.code in _RETRIED
        ]
        for place, answer in zip(
            again, normalise_batch([values[place] for place in again]), strict=True
        ):
            if isinstance(answer, Normalised) and answer.network is None:
                answers[place] = answer

    def _candidate(self, place: int, number: int, found: Normalised, row: Fields) -> _Candidate:
        code = "respelled" if found.changed else None
        if found.kind is _URL and not self._keep_url and found.aliases:
            host = normalise(found.aliases[0])
            found = msgspec.structs.replace(host, flags=tuple({*host.flags, *found.flags}))
            code = "url_to_domain"
        context = None if self._context.empty else self._context.read(row)
        if context is not None:
            if context.note_masked and code != "url_to_domain":
                code = "note_masked"
            if context.memo is not None and found.memo is None and found.network in WITH_MEMO:
                found = msgspec.structs.replace(found, memo=context.memo)
            strictest = self._totals.strictest_tlp
            if context.tlp and (strictest is None or context.tlp.rank > strictest.rank):
                self._totals.strictest_tlp = context.tlp
        return _Candidate(place, number, found, code, context)

    def _finish(self, candidates: Sequence[_Candidate], results: list[RowResult | None]) -> None:
        """Tell repeats from first rows, and give the first rows their record lines."""
        keys = [value_key(candidate.found) for candidate in candidates]
        first_rows = self._seen.first_rows(keys, [candidate.row for candidate in candidates])
        sent = [None] * len(keys) if self._already_sent is None else self._already_sent(keys)
        fresh: list[_Candidate] = []
        for candidate, first, before in zip(candidates, first_rows, sent, strict=True):
            if first == candidate.row and before is None:
                fresh.append(candidate)
                continue
            repeat = first != candidate.row
            code = "duplicate_in_file" if repeat else "already_sent"
            found = candidate.found
            results[candidate.place] = RowResult(
                candidate.row,
                _DUPLICATE,
                found.kind,
                found.network,
                found.value,
                code,
                f"The same as row {first}." if repeat else str(before),
            )
        lines = self._lines.lines([(one.found, one.context) for one in fresh])
        for candidate, line in zip(fresh, lines, strict=True):
            results[candidate.place] = _judged(candidate, line)


def row_fault(row: Fields) -> str | None:
    """Return why a row that lacks cells cannot be trusted, or ``None``: it simply is short."""
    if type(row) is Unended:
        return "row_cut"
    return "row_unreadable" if type(row) is Guessed else None


def _judged(candidate: _Candidate, line: Line | Malformed) -> RowResult:
    if isinstance(line, Malformed):
        return _refused(candidate.row, line)
    record, text, masked = line
    found = candidate.found
    code = "note_masked" if masked and candidate.code is None else candidate.code
    return RowResult(
        candidate.row,
        _READY if code is None else _CHANGED,
        found.kind,
        found.network,
        found.value,
        code,
        None if code is None else _WORDS[code],
        text,
        record,
    )


def _refused(number: int, error: Malformed) -> RowResult:
    return RowResult(number, _REFUSED, code=error.code, message=words_of(error))


def _plain(result: Result, code: str) -> RowResult:
    return RowResult(0, result, code=code, message=_WORDS[code])
