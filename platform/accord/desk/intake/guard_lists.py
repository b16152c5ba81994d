"""Guard lists read from files: MISP warninglists (JSON) and CSV files of wallets or domains.

A list that cannot be used stops the run: a guard that is silently missing is worse than none.
Semantics of the types: https://github.com/MISP/misp-warninglists (hostname, string, substring,
cidr, regex).
"""

import csv
import hashlib
import ipaddress
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from accord.desk.intake.columns import Field, guess
from accord.desk.intake.guards import Guards, LoadedList
from accord.desk.intake.headers import find_header
from accord.desk.intake.patterns import compiled
from accord.desk.intake.tables import open_table
from accord.desk.intake.words import printable
from accord.kernel.errors import Conflict, Malformed, NotFound
from accord.kernel.indicators import Normalised, network_of_label, normalise_batch

MAX_LIST_BYTES = 64 << 20
MAX_LISTS = 1_000
MAX_ENTRIES = 2_000_000
_OURS: Final = frozenset(
    {"hostname", "domain", "domain|ip", "hostname|port", "url", "uri", "btc", "xmr", "dash"}
    | {"ip-dst", "ip-src", "text", "other"}
)
_CSV_WORD = "guard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """A list that must be there with exactly these bytes."""

    path: Path
    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadList:
    """A list as it was read, with its entries as they stand in it."""

    path: Path
    loaded: LoadedList
    entries: Sequence[str]


def load_guards(places: Sequence[Path], pinned: Sequence[Pinned] = ()) -> Guards:
    """Load the lists of each place: a JSON or CSV file, or a directory of them.

    In a directory every ``*.json`` warninglist counts, at any depth, and every CSV whose name holds
    the word "guard": other tables lie beside them. ``pinned`` lists are loaded first, and once.

    Raises:
        NotFound: ``guards_missing``, ``guard_list_missing``.
        Malformed: ``guard_list_invalid``, ``guard_list_slow``, ``guards_too_many``,
            ``guards_empty``.
        Conflict: ``guard_list_changed``.
    """
    guards = Guards()
    for one in pinned:
        _load_pinned(one, guards)
    known = {one.path.resolve() for one in pinned}
    for place in places:
        some = False
        for path in _paths(place):
            some = path in known or _load(path, guards, place) is not None or some
        _refuse_none(place, some)
    return guards


def read_lists(place: Path) -> Iterator[ReadList]:
    """Read the lists of one place as ``load_guards`` does, one at a time.

    Raises:
        As ``load_guards``.
    """
    some = False
    for path in _paths(place):
        read = _load(path, Guards(), place)
        some = some or read is not None
        if read is not None:
            yield read
    _refuse_none(place, some)


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a list's file.

    Raises:
        Malformed: ``guard_list_invalid``: it is too large or cannot be read.
    """
    return hashlib.sha256(_bytes(path)).hexdigest()


def _load_pinned(one: Pinned, guards: Guards) -> None:
    if not one.path.is_file():
        raise NotFound(
            "guard_list_missing",
            "A guard list that this desk goes by is not where it was.",
            observed=f"{one.name}: {one.path.name}",
            next_step="Bring it back, or run accord desk guards remove.",
        )
    found = digest_of(one.path)
    if found == one.sha256:
        read = _load(one.path, guards, one.path)
        found = "" if read is None else read.loaded.sha256
    if found != one.sha256:
        raise Conflict(
            "guard_list_changed",
            "A guard list is not what it was when this desk last read it.",
            observed=f"{one.name}: sha256 {found[:12]}, was {one.sha256[:12]}",
            next_step="Run accord desk guards update, and see what it adds and removes.",
        )


def _refuse_none(place: Path, some: bool) -> None:  # noqa: FBT001 - private
    if not some:
        raise Malformed(
            "guards_empty",
            "There is no guard list here.",
            observed=place.name,
            next_step="Name a directory with MISP warninglists or *guard*.csv, or one file.",
        )


def _load(path: Path, guards: Guards, place: Path) -> ReadList | None:
    """Add one list; ``None`` for a file that is none of ours."""
    data = _bytes(path)
    if path.suffix.lower() == ".json":
        answer = _load_warninglist(path, data, guards, strict=path == place.resolve())
    else:
        answer = path.stem, None, _load_table(path, guards)
        if _bytes(path) != data:
            raise _invalid(path, "it changed while it was read")
    if answer is None:
        return None
    name, version, entries = answer
    digest = hashlib.sha256(data).hexdigest()
    loaded = LoadedList(name=name, version=version, sha256=digest, entries=len(entries))
    guards.lists.append(loaded)
    return ReadList(path=path, loaded=loaded, entries=entries)


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as opened:
            data = opened.read(MAX_LIST_BYTES + 1)
    except OSError as error:
        raise _invalid(path, "it cannot be read") from error
    if len(data) > MAX_LIST_BYTES:
        raise _invalid(path, f"it has more than {MAX_LIST_BYTES} bytes")
    return data


def _paths(place: Path) -> Iterator[Path]:
    return (path.resolve() for path in _files(place))


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


def _load_warninglist(
    path: Path, data: bytes, guards: Guards, *, strict: bool
) -> tuple[str, str | None, list[str]] | None:
    """Add one MISP warninglist; another JSON file is passed over unless it was named itself."""
    # Each value of a document but the first stands behind a comma: bounds memory before parsing.
    if data.count(b",") > MAX_ENTRIES:
        raise _invalid(path, f"it has more than {MAX_ENTRIES} entries")
    try:
        content = json.loads(data, object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise _invalid(path, "it is not JSON, or says something twice") from error
    if not isinstance(content, Mapping) or not isinstance(content.get("list"), list):
        if strict:
            raise _invalid(path, "it is no MISP warninglist")
        return None
    name = printable(str(content.get("name") or path.stem))[:120]
    attributes = content.get("matching_attributes")
    if isinstance(attributes, list) and attributes and not _OURS.intersection(map(str, attributes)):
        return None
    entries = [entry.strip() for entry in content["list"] if isinstance(entry, str)]
    entries = list(filter(None, entries))
    try:
        _add_entries(guards, str(content.get("type", "string")), name, entries)
    except (ValueError, re.error, RecursionError, OverflowError) as error:
        raise _invalid(path, "an entry does not fit its type") from error
    version = content.get("version")
    told = printable(str(version))[:40] if isinstance(version, int | str) else None
    return name, told, entries


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _no_number(_word: str) -> None:
    raise ValueError


def _add_entries(guards: Guards, kind: str, name: str, entries: list[str]) -> None:
    if kind == "cidr":
        for entry in entries:
            guards.networks.append((ipaddress.ip_network(entry, strict=False), name))
    elif kind == "regex":
        for entry in entries:
            guards.patterns.append((_bounded(entry, name), name))
    elif kind == "substring" and entries:
        joined = "|".join(re.escape(entry) for entry in entries)
        guards.parts.append((re.compile(joined, re.IGNORECASE), name))
    else:
        for entry in entries:
            _add_name(guards, entry, name, below=kind == "hostname")


def _bounded(entry: str, name: str) -> re.Pattern[str]:
    ready = compiled(_bare_regex(entry))
    if ready is None:
        raise Malformed(
            "guard_list_slow",
            "A pattern of a guard list could take too long.",
            observed=f"{name}: {printable(entry)[:80]}",
            next_step="Write it without repeats inside repeats and with two free repeats at most.",
        )
    return ready


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


def _load_table(path: Path, guards: Guards) -> list[str]:
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
            if row is None:
                raise _invalid(path, "a row of it cannot be read")
            cells = [row[i].strip() for i in places if row and i < len(row) and row[i].strip()]
            labels = [network_of_label(row[i]) for i in networks if row and i < len(row)]
            values += cells
            if len(values) > MAX_ENTRIES:
                raise _invalid(path, f"it has more than {MAX_ENTRIES} entries")
            told += [next((str(label) for label in labels if label), None)] * len(cells)
    except (csv.Error, OSError) as error:
        raise _invalid(path, "it cannot be read") from error
    kept = []
    for value, answer in zip(values, normalise_batch(values, networks=told), strict=True):
        if isinstance(answer, Normalised):
            _add_found(guards, answer, path.stem)
            kept.append(value)
    if not kept:
        raise _invalid(path, "it holds no wallet or domain that can be read")
    return kept
