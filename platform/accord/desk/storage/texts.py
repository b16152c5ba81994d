"""Under which texts a record is found: the terms that the index keeps of it.

A plain term is the value, an alias, or the host of a link. A host is also kept under each domain
above it, marked so that it never answers for that domain itself; transactions and counterparties of
a wallet's moves likewise. Words of the note are folded; prefixes leave out what many values of
one kind have in common, so that the first characters of the key tell them apart.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from accord.desk.storage.terms import Family
from accord.kernel.indicators import IndicatorRecord, Kind

BELOW: Final = "."
"""Before a domain: hosts below it."""

MOVED: Final = "~"
"""Before a transaction or wallet: wallets whose moves name it."""

MAX_ABOVE = 16
"""Domains above a host that are kept, the shortest ones."""

MAX_WORDS = 100
"""Words of one note that are kept (a note has at most 500 characters)."""

_HEADS: Final = (
    *("https://", "http://", "ftp://", "bitcoincash:", "0x"),
    *("bc1q", "bc1p", "ltc1q", "addr1q", "cosmos1"),
)
_HEAD = re.compile("|".join(_HEADS)).match
_WORD = re.compile(r"\w{2,}")
_DOMAIN, _URL = Kind.DOMAIN, Kind.URL


def host_of(record: IndicatorRecord) -> str | None:
    """Return the host of a domain or link, sub-domains included; ``None`` of other kinds."""
    if record.kind is _DOMAIN:
        return record.value
    return host_of_link(record.value) if record.kind is _URL else None


def host_of_link(link: str) -> str:
    """Return the host of a canonical link; a bracketed address stays in its brackets."""
    # A canonical link has neither user nor password.
    authority = link.split("/", 3)[2]
    return authority if authority.startswith("[") else authority.partition(":")[0]


def above(host: str) -> list[str]:
    """Return the domains above ``host`` of at least two labels, at most ``MAX_ABOVE``."""
    labels = host.split(".")
    return [".".join(labels[at:]) for at in range(1, len(labels) - 1)][-MAX_ABOVE:]


def values_of(record: IndicatorRecord) -> list[str]:
    """Return the value, its aliases, a link's host and the domains above a host, each once."""
    if record.alias is None and record.network is not None:
        return [record.value]  # the common case: a wallet
    host = host_of(record)
    # A host's own domain is above it: as a plain term, many hosts would hide the domain itself.
    texts = [
        BELOW + alias if host and host.endswith("." + alias) else alias
        for alias in record.alias or ()
    ]
    if host is not None:
        texts.append(host)
        texts += [BELOW + domain for domain in above(host)]
    return list(dict.fromkeys((record.value, *texts)))


def moves_of(record: IndicatorRecord) -> list[str]:
    """Return the transactions and counterparties of a wallet's moves, marked, each once."""
    texts = [
        MOVED + text
        for move in record.moves or ()
        for text in (move.tx, move.peer)
        if text is not None
    ]
    return list(dict.fromkeys(texts))


def terms_of(record: IndicatorRecord) -> list[str]:
    """Return every term under which a whole value finds a record."""
    return values_of(record) if record.moves is None else [*values_of(record), *moves_of(record)]


def words_of(text: str) -> list[str]:
    """Return the folded words of a text, each once."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return list(dict.fromkeys(_WORD.findall(folded)))[:MAX_WORDS]


def prefixes_of(record: IndicatorRecord) -> list[str]:
    """Return the texts whose beginning finds a record, without their heads, each once."""
    own = (record.value,) if record.network is None else (record.value, *(record.alias or ()))
    return list(dict.fromkeys([without_head(text) for text in own]))


def without_head(text: str) -> str:
    """Return ``text`` without what many values of its kind begin with."""
    head = _HEAD(text)
    return text if head is None else text[head.end() :]


def is_head(text: str) -> bool:
    """Tell whether ``text`` is no more than the beginning of such a head, or all of it."""
    return any(head.startswith(text) for head in _HEADS)


class Entries(NamedTuple):
    """Texts, and the place among the records of each."""

    texts: list[str]
    places: list[int]

    def add_one(self, text: str, place: int) -> None:
        """Add one text of the record at ``place``."""
        self.texts.append(text)
        self.places.append(place)

    def add(self, texts: Sequence[str], place: int) -> None:
        """Add texts of the record at ``place``."""
        self.texts.extend(texts)
        self.places.extend([place] * len(texts))


def entries(
    records: Sequence[IndicatorRecord | None],
) -> Mapping[Family, Entries]:
    """Return the texts and places of all records for each family."""
    found = {family: Entries([], []) for family in Family}
    values, words, prefixes, moves = (found[family] for family in Family)
    noted: dict[str, list[str]] = {}  # notes repeat
    for place, record in enumerate(records):
        if record is None:
            continue
        if record.network is not None and record.alias is None:  # the common case, in line
            value = record.value
            head = _HEAD(value)
            values.add_one(value, place)
            prefixes.add_one(value if head is None else value[head.end() :], place)
        else:
            values.add(values_of(record), place)
            prefixes.add(prefixes_of(record), place)
        if record.note is not None:
            note = record.note
            if note not in noted:
                noted[note] = words_of(note)
            words.add(noted[note], place)
        if record.moves is not None:
            moves.add(moves_of(record), place)
    return found
