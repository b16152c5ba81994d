"""What a typed text asks of the vault, and whether a record answers it.

Three manners: whole values, the beginning of a value, words of a note. Each text becomes one
``Question``: the terms to look up, and the judgement of a record's own text, because the index
knows hashes and first characters only. A text that asks nothing has an error instead.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from accord.desk.storage.texts import (
    BELOW,
    MOVED,
    host_of,
    is_head,
    terms_of,
    without_head,
    words_of,
)
from accord.kernel.errors import Malformed
from accord.kernel.indicators import (
    IndicatorRecord,
    Kind,
    Network,
    Normalised,
    Outcome,
    normalise_batch,
)
from accord.kernel.indicators.cleaning import INVISIBLE, refang
from accord.kernel.indicators.kinds import MAX_VALUE
from accord.kernel.indicators.transactions import read_transaction

MIN_PREFIX = 4
"""Characters after what all values of a kind begin with."""

_HOSTS = frozenset({Kind.DOMAIN, Kind.ONION})


class How(StrEnum):
    """How typed texts are looked up."""

    VALUES = "values"
    PREFIX = "prefix"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a search looks: ``subdomains`` also finds what lies below a sought host."""

    how: How = How.VALUES
    subdomains: bool = False

    def __str__(self) -> str:
        """Return one word for the journal."""
        return f"{self.how.value}+subdomains" if self.subdomains else self.how.value


WHOLE_VALUES = Manner()


class Match(StrEnum):
    """Why a record answers."""

    VALUE = "value"
    ALIAS = "alias"
    SUBDOMAIN = "subdomain"
    MOVE = "move"
    PREFIX = "prefix"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One typed text.

    Attributes:
        value: its canonical form, where it stands for a whole value.
        error: why it asks nothing.
        how: which family of terms ``terms`` belongs to.
        terms: any of them (values), all of them (note), the one (beginning).
        below: the host below which records answer too.
        also: the forms of a transaction whose network nobody told.
    """

    how: How
    terms: tuple[str, ...] = ()
    value: Normalised | None = None
    error: Malformed | None = None
    below: str | None = None
    also: frozenset[str] = frozenset()

    def match(self, record: IndicatorRecord) -> Match | None:
        """Tell why ``record`` answers, or ``None``."""
        if self.how is How.NOTE:
            return Match.NOTE if set(self.terms) <= set(words_of(record.note or "")) else None
        if self.how is How.PREFIX:
            return Match.PREFIX if _begins(record, self.terms) else None
        if self.value is None:
            return None
        if self.also:
            return _match_transaction(record, self.also)
        return match_value(self.value, record, below=self.below)


def questions(values: Sequence[str], *, manner: Manner, network: str | None) -> list[Question]:
    """Return one question for each typed text, in order."""
    if manner.how is How.NOTE:
        return [_noted(text) for text in values]
    if manner.how is How.PREFIX:
        return [_prefix(text) for text in values]
    networks = None if network is None else [network] * len(values)
    outcomes = normalise_batch(values, networks=networks)
    return [
        question_of(text, outcome, subdomains=manner.subdomains)
        for text, outcome in zip(values, outcomes, strict=True)
    ]


def question_of(text: str, outcome: Outcome, *, subdomains: bool) -> Question:
    """Return the question that a whole value asks."""
    if isinstance(outcome, Malformed):
        forms = transaction_forms(text) if outcome.code == "network_needed" else frozenset()
        if not forms:
            return Question(how=How.VALUES, error=outcome)
        terms = (*forms, *(MOVED + form for form in forms))
        return Question(
            how=How.VALUES,
            terms=terms,
            value=Normalised(Kind.TRANSACTION, None, min(forms)),
            also=forms,
        )
    terms = (outcome.value, *wider(outcome))
    below = outcome.value if subdomains and outcome.kind in _HOSTS else None
    if below is not None:
        terms = (*terms, BELOW + below)
    elif outcome.network is not None:
        terms = (*terms, MOVED + outcome.value)
    return Question(how=How.VALUES, terms=terms, value=outcome, below=below)


def transaction_forms(text: str) -> frozenset[str]:
    """Return every form that ``text`` has as a transaction of some network.

    Sharing one needs its network; looking here for one that others have shared does not.
    """
    bare = INVISIBLE.sub("", text)
    if not bare.isascii():
        return frozenset()
    found = (read_transaction(bare, network, asked=False) for network in Network)
    return frozenset(one.value for one in found if one is not None)


def wider(value: Normalised) -> tuple[str, ...]:
    """Aliases under which a wallet may be known; a host's parent domain is not the host."""
    return value.aliases if value.network is not None else ()


def match_value(
    value: Normalised, record: IndicatorRecord, *, below: str | None = None
) -> Match | None:
    """Tell why ``record`` answers a search for ``value``; ``below`` is the host of that name."""
    if record.value == value.value and record.kind is value.kind:
        return Match.VALUE if record.network is value.network else Match.ALIAS
    host = host_of(record)
    if value.kind in _HOSTS and host is not None and host != value.value:
        if host.endswith(BELOW + value.value):
            return Match.SUBDOMAIN if below == value.value else None
    elif host == value.value:
        return Match.ALIAS
    if {record.value, *(record.alias or ())} & {value.value, *wider(value)}:
        return Match.ALIAS
    if value.network is not None and MOVED + value.value in terms_of(record):
        return Match.MOVE
    return None


def _match_transaction(record: IndicatorRecord, forms: frozenset[str]) -> Match | None:
    if record.kind is Kind.TRANSACTION and record.value in forms:
        return Match.VALUE
    return Match.MOVE if any(move.tx in forms for move in record.moves or ()) else None


def _noted(text: str) -> Question:
    words = tuple(words_of(text))
    if not words:
        error = Malformed(
            "words_missing",
            "There is no word to look for in notes.",
            next_step="Give at least one word of two letters or digits.",
        )
        return Question(how=How.NOTE, error=error)
    return Question(how=How.NOTE, terms=words)


def _prefix(text: str) -> Question:
    bare = INVISIBLE.sub("", refang(text))
    if not bare.isascii() or len(bare) > MAX_VALUE:
        return Question(how=How.PREFIX, error=_short())
    forms = tuple(dict.fromkeys((bare, bare.lower())))
    if any(is_head(form) or len(without_head(form)) < MIN_PREFIX for form in forms):
        return Question(how=How.PREFIX, error=_short())
    return Question(how=How.PREFIX, terms=forms)


def _short() -> Malformed:
    return Malformed(
        "prefix_short",
        f"A beginning has at least {MIN_PREFIX} plain characters beyond what all values of "
        "its kind begin with (0x, bc1q, https://).",
        next_step="Give more characters.",
    )


def broad() -> Malformed:
    """Return the refusal of a beginning that too many values have."""
    return Malformed(
        "prefix_broad",
        "Too many values begin so.",
        next_step="Give more characters.",
    )


def _begins(record: IndicatorRecord, forms: Sequence[str]) -> bool:
    own = (record.value,) if record.network is None else (record.value, *(record.alias or ()))
    return any(
        text.startswith(form) or without_head(text).startswith(form)
        for text in own
        for form in forms
    )
