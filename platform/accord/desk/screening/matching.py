"""Does a cell of ours name what a record names? The rule, and the fast way to its candidates.

``via`` is the rule. ``row_terms`` and ``listed_terms`` meet wherever ``via`` says yes (a property
test shows it), so one look in a dictionary a term finds every candidate.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from accord.desk.indicators.questions import transaction_forms, wider
from accord.desk.storage.texts import host_of_link
from accord.kernel.errors import Malformed
from accord.kernel.indicators import IndicatorRecord, Kind, Normalised, Outcome, normalise_batch

Terms = Mapping[str, int | tuple[int, ...]]
"""Term -> the numbers of the records that have it."""

_DOMAIN, _ONION, _URL, _TRANSACTION = Kind.DOMAIN, Kind.ONION, Kind.URL, Kind.TRANSACTION
_LISTED_HOSTS = frozenset({Kind.DOMAIN, Kind.ONION})


class Via(StrEnum):
    """Why a cell matches a listed record."""

    VALUE = "value"
    ALIAS = "alias"
    HOST = "host"
    SUBDOMAIN = "subdomain"


def via(row: Normalised, record: IndicatorRecord) -> Via | None:
    """Tell why the cell ``row`` matches ``record``, or ``None``.

    A listed domain stands for its links and for what lies below it, a listed link for itself. Where
    both name a destination tag, another tag is another owner. A transaction without a network
    (``network`` absent) is compared in every form.
    """
    if row.memo is not None and record.memo is not None and row.memo != record.memo:
        return None
    if row.kind is _TRANSACTION and row.network is None:
        forms = (row.value, *row.aliases)
        return Via.VALUE if record.kind is _TRANSACTION and record.value in forms else None
    if record.kind is row.kind and record.value == row.value:
        return Via.VALUE if record.network is row.network else Via.ALIAS
    if row.network is not None:
        listed = listed_terms(record) if record.network is not None else ()
        return Via.ALIAS if set(listed) & {row.value, *row.aliases} else None
    if record.kind not in _LISTED_HOSTS:
        return None
    host = _host(row)
    if host is not None and host == record.value:
        return Via.HOST
    if host is not None and host.endswith("." + record.value):
        return Via.SUBDOMAIN
    return Via.ALIAS if record.kind is _ONION and record.value in row.aliases else None


def listed_terms(record: IndicatorRecord) -> tuple[str, ...]:
    """Return the texts under which a listed record is matched."""
    if record.network is None or record.alias is None:
        return (record.value,)
    return (record.value, *record.alias)


def row_terms(row: Normalised) -> tuple[str, ...]:
    """Return the texts under which a cell is looked up."""
    if row.network is not None:
        return (row.value, *wider(row)) if row.aliases else (row.value,)
    if row.kind is _TRANSACTION:
        return (row.value, *row.aliases)
    host = _host(row)
    if host is None:
        return (row.value, *row.aliases)
    labels = host.split(".")
    above = (".".join(labels[at:]) for at in range(len(labels) - 1))
    return (row.value, *above, *row.aliases)


def judge_cells(
    texts: Sequence[str], networks: Sequence[str | None], kinds: Sequence[str | None]
) -> list[Outcome]:
    """Return what each cell names, or why it names nothing.

    A network beside the cell helps where it fits; where the cell is of another network, or a site,
    it is read as it stands: a column of networks is often about something else. A transaction
    without a network is a value here, with all its forms as aliases. ``networks`` and ``kinds`` are
    empty when nothing is told of any cell.
    """
    outcomes = normalise_batch(texts, networks=networks or None, kinds=kinds or None)
    bad = [place for place, one in enumerate(outcomes) if isinstance(one, Malformed)]
    again = [
        place
        for place in bad
        if (networks and networks[place] is not None) or (kinds and kinds[place] is not None)
    ]
    if again:
        plain = normalise_batch([texts[place] for place in again])
        for place, one in zip(again, plain, strict=True):
            if isinstance(one, Normalised) or one.code == "network_needed":
                outcomes[place] = one
    for place in bad:
        one = outcomes[place]
        if isinstance(one, Malformed) and one.code == "network_needed":
            forms = sorted(transaction_forms(texts[place]))
            if forms:
                outcomes[place] = Normalised(_TRANSACTION, None, forms[0], aliases=tuple(forms[1:]))
    return outcomes


def candidates(terms: Terms, row: Normalised) -> tuple[int, ...]:
    """Return the numbers of the records that may match, rising, each once."""
    if row.network is not None and not row.aliases:  # the common case: a wallet
        numbers = terms.get(row.value)
        return () if numbers is None else (numbers,) if isinstance(numbers, int) else numbers
    found: set[int] = set()
    for term in row_terms(row):
        numbers = terms.get(term)
        if numbers is not None:
            found.update((numbers,) if isinstance(numbers, int) else numbers)
    return tuple(sorted(found)) if found else ()


def _host(row: Normalised) -> str | None:
    if row.kind is _DOMAIN:
        return row.value
    return host_of_link(row.value) if row.kind is _URL else None
