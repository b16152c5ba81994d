"""Under which texts a record is found: the terms that the index keeps of it.

A plain term is the value, an alias, or the host of a link. A host is also kept under each domain
above it, marked so that it never answers for that domain itself; transactions and counterparties of
a wallet's moves likewise. Words of the note are folded; prefixes leave out what many values of
one kind have in common, so that the first characters of the key tell them apart.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final, NamedTuple

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
_WORD = re.compile(r"\w{2,}")
_DOMAIN, _URL = Kind.DOMAIN, Kind.URL


def host_of(record: IndicatorRecord) -> str | None:
    """Return the host of a domain or link, sub-domains included; ``None`` of other kinds."""
    if record.kind is _DOMAIN:
        return record.value
    if record.kind is not _URL:
        return None
    # A canonical link has neither user nor password; a bracketed address has no domain above.
    authority = record.value.split("/", 3)[2]
    return authority if authority.startswith("[") else authority.partition(":")[0]


def above(host: str) -> list[str]:
    """Return the domains above ``host`` of at least two labels, at most ``MAX_ABOVE``."""
    labels = host.split(".")
    return [".".join(labels[at:]) for at in range(1, len(labels) - 1)][-MAX_ABOVE:]


def terms_of(record: IndicatorRecord) -> list[str]:
    """Return every term of a record, each once."""
    if record.alias is None and record.network is not None and record.moves is None:
        return [record.value]  # the common case: a wallet
    texts = [record.value]
    host = host_of(record)
    # A host's own domain is above it: as a plain term, many hosts would hide the domain itself.
    texts += [
        BELOW + alias if host and host.endswith("." + alias) else alias
        for alias in record.alias or ()
    ]
    if host is not None:
        texts.append(host)
        texts += [BELOW + domain for domain in above(host)]
    for move in record.moves or ():
        texts.append(MOVED + move.tx)
        if move.peer is not None:
            texts.append(MOVED + move.peer)
    return list(dict.fromkeys(texts))


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
    for head in _HEADS:
        if text.startswith(head):
            return text[len(head) :]
    return text


def is_head(text: str) -> bool:
    """Tell whether ``text`` is no more than the beginning of such a head, or all of it."""
    return any(head.startswith(text) for head in _HEADS)


class Entries(NamedTuple):
    """Texts, and the place among the records of each."""

    texts: list[str]
    places: list[int]


def entries(
    records: Sequence[IndicatorRecord | None],
) -> tuple[Entries, Entries, Entries]:
    """Return texts and places of all records: values, words, prefixes."""
    terms, words, prefixes = Entries([], []), Entries([], []), Entries([], [])
    for place, record in enumerate(records):
        if record is None:
            continue
        for family, some in (
            (terms, terms_of(record)),
            (words, [] if record.note is None else words_of(record.note)),
            (prefixes, prefixes_of(record)),
        ):
            family.texts.extend(some)
            family.places.extend([place] * len(some))
    return terms, words, prefixes
