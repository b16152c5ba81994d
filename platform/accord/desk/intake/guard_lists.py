"""Guard lists read from files: MISP warninglists (JSON) and CSV files of wallets or domains.

A list that cannot be used stops the run: a guard that is silently missing is worse than none.
Semantics of the types: https://github.com/MISP/misp-warninglists (hostname, string, substring,
cidr, regex).
"""

import csv
import ipaddress
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from accord.desk.intake.columns import Field, guess
from accord.desk.intake.guards import Guards
from accord.desk.intake.headers import find_header
from accord.desk.intake.tables import open_table
from accord.desk.intake.words import printable
from accord.kernel.errors import Malformed, NotFound
from accord.kernel.indicators import Normalised, network_of_label, normalise_batch

MAX_LIST_BYTES = 64 << 20
MAX_LISTS = 1_000
_OURS: Final = frozenset(
    {"hostname", "domain", "domain|ip", "hostname|port", "url", "uri", "btc", "xmr", "dash"}
    | {"ip-dst", "ip-src", "text", "other"}
)
_CSV_WORD = "guard"


def load_guards(places: Sequence[Path]) -> Guards:
    """Load the lists of each place: a JSON or CSV file, or a directory of them.

    In a directory every ``*.json`` warninglist counts, at any depth, and every CSV whose name holds
    the word "guard": other tables lie beside them.

    Raises:
        NotFound: ``guards_missing``.
        Malformed: ``guard_list_invalid``, ``guards_too_many``, ``guards_empty``.
    """
    guards = Guards()
    for place in places:
        before = len(guards.names)
        for path in _files(place):
            if path.suffix.lower() == ".json":
                _load_warninglist(path, guards, strict=path == place)
            else:
                _load_table(path, guards)
        if len(guards.names) == before:
            raise Malformed(
                "guards_empty",
                "There is no guard list here.",
                observed=place.name,
                next_step="Name a directory with MISP warninglists or *guard*.csv, or one file.",
            )
    return guards


def _files(place: Path) -> Iterator[Path]:
    if place.is_file():
        yield place
        return
    if not place.is_dir():
        raise NotFound(
            "guards_missing", "There is no such guard list or directory.", observed=place.name
        )
    found = sorted(
        path
        for path in place.rglob("*")
        if path.suffix.lower() == ".json"
        or (path.suffix.lower() == ".csv" and _CSV_WORD in path.name.lower())
    )
    if len(found) > MAX_LISTS:
        raise Malformed(
            "guards_too_many", f"At most {MAX_LISTS} lists are loaded.", observed=str(len(found))
        )
    yield from (path for path in found if path.is_file())


def _invalid(path: Path, why: str) -> Malformed:
    return Malformed(
        "guard_list_invalid",
        f"A guard list cannot be used: {why}.",
        observed=path.name,
        next_step="Mend or remove it.",
    )


def _load_warninglist(path: Path, guards: Guards, *, strict: bool) -> None:
    """Add one MISP warninglist; another JSON file is passed over unless it was named itself."""
    if path.stat().st_size > MAX_LIST_BYTES:
        raise _invalid(path, f"it has more than {MAX_LIST_BYTES} bytes")
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise _invalid(path, "it is not JSON") from error
    if not isinstance(content, Mapping) or not isinstance(content.get("list"), list):
        if strict:
            raise _invalid(path, "it is no MISP warninglist")
        return
    name = printable(str(content.get("name") or path.stem))[:120]
    attributes = content.get("matching_attributes")
    if isinstance(attributes, list) and attributes and not _OURS.intersection(map(str, attributes)):
        return
    entries = [entry.strip() for entry in content["list"] if isinstance(entry, str)]
    try:
        _add_entries(guards, str(content.get("type", "string")), name, list(filter(None, entries)))
    except (ValueError, re.error) as error:
        raise _invalid(path, "an entry does not fit its type") from error
    guards.names.append(name)


def _add_entries(guards: Guards, kind: str, name: str, entries: list[str]) -> None:
    if kind == "cidr":
        for entry in entries:
            guards.networks.append((ipaddress.ip_network(entry, strict=False), name))
    elif kind == "regex":
        guards.parts += [(re.compile(_bare_regex(entry), re.IGNORECASE), name) for entry in entries]
    elif kind == "substring" and entries:
        joined = "|".join(re.escape(entry) for entry in entries)
        guards.parts.append((re.compile(joined, re.IGNORECASE), name))
    else:
        for entry in entries:
            _add_name(guards, entry, name, below=kind == "hostname")


def _bare_regex(entry: str) -> str:
    """Return the pattern between PHP's slashes, if there are any."""
    found = re.fullmatch(r"/(.*)/[a-z]*", entry, re.DOTALL)
    return found[1] if found else entry


def _add_name(guards: Guards, entry: str, name: str, *, below: bool) -> None:
    folded = entry.casefold()
    if folded.startswith("."):
        folded, below = folded[1:], True
    target = guards.below if below else guards.exact
    target.setdefault(folded.rstrip("."), name)
    if "://" not in folded and "." not in folded and len(entry) > 20:  # noqa: PLR2004 - longer than a top-level domain
        answer = normalise_batch([entry])[0]
        if isinstance(answer, Normalised):
            _add_found(guards, answer, name)


def _add_found(guards: Guards, found: Normalised, name: str) -> None:
    if found.network is not None:
        guards.wallets.setdefault((found.network._value_, found.value), name)
    else:
        guards.below.setdefault(found.value, name)


def _load_table(path: Path, guards: Guards) -> None:
    """Add the values of a CSV: wallets exactly, domains with everything below them."""
    try:
        table = open_table(path, find_header)
        meaning = guess(table.columns, table.sample)
        places = [i for i, column in enumerate(table.columns) if meaning[column] is Field.VALUE]
        networks = [i for i, column in enumerate(table.columns) if meaning[column] is Field.NETWORK]
        if not places:
            raise _invalid(path, "no column holds wallets or domains")
        values: list[str] = []
        told: list[str | None] = []
        for row in table.rows:
            cells = [row[i].strip() for i in places if row and i < len(row) and row[i].strip()]
            labels = [network_of_label(row[i]) for i in networks if row and i < len(row)]
            values += cells
            told += [next((str(label) for label in labels if label), None)] * len(cells)
    except (csv.Error, OSError) as error:
        raise _invalid(path, "it cannot be read") from error
    for answer in normalise_batch(values, networks=told):
        if isinstance(answer, Normalised):
            _add_found(guards, answer, path.stem)
    guards.names.append(path.stem)
