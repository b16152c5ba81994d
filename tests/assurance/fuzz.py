"""Made-up input for every parser: mutations of all published vectors, and nothing unhandled.

A parser may return a value or raise an error of the tree with a stable code. Anything else, or one
input that takes longer than a second, is a fault and is printed in base64. Same seed, same inputs.
"""

import base64
import binascii
import contextlib
import json
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tests.support.error_codes import error_codes

from accord.hub.backups.manifest import LogState, Manifest, SavedFile, parse_manifest
from accord.hub.config import HubConfig, parse_config
from accord.hub.trail.erasure import Erasure, Place, format_erasure, parse_erasure
from accord.kernel import dsse
from accord.kernel.bundle.framing import parse_bundle, parse_trimmed
from accord.kernel.bundle.manifest import PAYLOAD_TYPE
from accord.kernel.correspondence.notice import parse_notice
from accord.kernel.correspondence.request import parse_request
from accord.kernel.correspondence.response import parse_response
from accord.kernel.correspondence.sighting import parse_sighting
from accord.kernel.directory.rootfile import parse_root, verify_root
from accord.kernel.directory.statements import parse_statement
from accord.kernel.encoding import parse_object
from accord.kernel.errors import AccordError
from accord.kernel.identifiers import OrgId, make_bundle_id
from accord.kernel.indicators import Kind, Network, Role, normalise, parse_line
from accord.kernel.policy.charter import parse_charter
from accord.kernel.statements.acknowledgement import (
    Acknowledgement,
    Item,
    Outcome,
    format_acknowledgement,
    parse_acknowledgement,
)
from accord.kernel.statements.tally import Cell, Tally, format_tally, month_end, parse_tally
from accord.kernel.tlog.leaf import parse_leaf, parse_record
from accord.kernel.tlog.notes import parse_note
from accord.kernel.tlog.policy import parse_policy
from accord.kernel.tlog.proof import parse_proof
from accord.kernel.tlog.submission import parse_submission
from accord.kernel.tlog.tilefiles import parse_entries, parse_tile_path
from accord.kernel.tlog.treehead import parse_checkpoint
from accord.protocol.problems import error_of

VECTORS = Path(__file__).resolve().parents[2] / "schemas" / "vectors"
SLOWEST = 1.0
"""Seconds that one input may take; a parser that takes longer can be made to hang."""

MAX_SEED = 20_000
_CODE = re.compile(r"[a-z][a-z0-9_]*")

Parser = Callable[[bytes], object]
Say = Callable[[str], None]


def _text(parse: Callable[[str], object]) -> Parser:
    return lambda data: parse(data.decode("utf-8", "surrogateescape"))


PARSERS: dict[str, Parser] = {
    "acknowledgement": parse_acknowledgement,
    "bundle": parse_bundle,
    "charter": parse_charter,
    "checkpoint": parse_checkpoint,
    "dsse": lambda data: dsse.parse(data, payload_type=PAYLOAD_TYPE, limit=32_768),
    "entries": parse_entries,
    "erasure": parse_erasure,
    "hub settings": _text(lambda text: parse_config(Path("home"), text)),
    "indicator": _text(normalise),
    "json": lambda data: parse_object(data, limit=1_000_000),
    "leaf": parse_leaf,
    "manifest of a backup": parse_manifest,
    "note": parse_note,
    "notice": parse_notice,
    "policy": _text(parse_policy),
    "problem": lambda data: error_of(400, data),
    "proof": parse_proof,
    "record line": parse_line,
    "record of an event": parse_record,
    "request": parse_request,
    "response": parse_response,
    "root": parse_root,
    "root file": verify_root,
    "sighting": parse_sighting,
    "statement": parse_statement,
    "submission": parse_submission,
    "tally": parse_tally,
    "tile path": _text(parse_tile_path),
    "trimmed bundle": parse_trimmed,
}


def corpus() -> list[bytes]:
    """Return every text of the published vectors, what it says in base64, and made samples."""
    found: set[bytes] = {b"", b"{}", b"[]", b"\n", *_samples()}
    for path in sorted(VECTORS.rglob("*.json")):
        _collect(json.loads(path.read_text("utf-8")), found)
    for one in tuple(found):
        found.update(_parts(one))
    return sorted(one for one in found if len(one) <= MAX_SEED)


def _parts(data: bytes) -> list[bytes]:
    """Return what stands within a bundle or a note and has a parser of its own."""
    parts = []
    with contextlib.suppress(AccordError):
        parts.append(parse_bundle(data).dsse)
    with contextlib.suppress(AccordError):
        parts.append(parse_note(data).body)
    return parts


def _samples() -> list[bytes]:
    """Return one valid input for each parser for which nothing is published."""
    org, bundle = OrgId("bank@hub.example"), make_bundle_id(1_795_600_000_000, bytes(10))
    item = Item(bundle=bundle, manifest=bytes(32), state=Outcome.RECEIVED, time=1_795_600_000)
    said = Acknowledgement(org=org, created=1_795_600_001, items=(item,))
    cell = Cell(kind=Kind.WALLET, network=Network.BTC, role=Role.PAYMENT, country="DE", records=2)
    month = "2026-10"
    tally = Tally(org=org, month=month, created=month_end(month), cells=(cell,))
    manifest = Manifest(
        backup_id="0" * 16,
        origin="hub.example",
        made=1_795_600_000,
        version="0",
        logs={"audit": LogState(size=1, root=bytes(32))},
        files=[SavedFile(name="hub.db", size=1, sha256=bytes(32))],
    )
    erased = Erasure(
        number=3,
        at=1_795_600_000,
        org=org,
        events=(Place(number=1, tag="0" * 16, fields=("person",)),),
        accounts=((1, 2),),
    )
    settings = HubConfig(home=Path("home"), origin="hub.example", instance="0a0b0c0d").settings()
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    return [
        format_acknowledgement(said),
        format_tally(tally),
        manifest.encode(),
        format_erasure(erased),
        "\n".join(lines).encode(),
    ]


def _collect(value: object, found: set[bytes]) -> None:
    if isinstance(value, dict):
        for inner in value.values():
            _collect(inner, found)
        found.add(json.dumps(value, separators=(",", ":")).encode())
    elif isinstance(value, list):
        for inner in value:
            _collect(inner, found)
    elif isinstance(value, str):
        found.add(value.encode("utf-8", "surrogatepass"))
        try:
            found.add(base64.b64decode(value, validate=True))
        except (binascii.Error, ValueError):
            return


def mutated(seed: bytes, other: bytes, chance: random.Random) -> bytes:
    """Return ``seed`` changed in one to four places; ``other`` lends pieces."""
    data = bytearray(seed)
    for _ in range(chance.randint(1, 4)):
        at = chance.randint(0, len(data))
        end = min(len(data), at + chance.choice((1, 1, 2, 8, 64)))
        match chance.randrange(8):
            case 0:
                data[at:end] = chance.randbytes(end - at)
            case 1:
                del data[at:end]
            case 2:
                data[at:at] = data[at:end] * chance.choice((1, 2, 50))
            case 3:
                data[at:end] = other[at : at + 64]
            case 4 if at < len(data):
                data[at] ^= 1 << chance.randrange(8)
            case 5:
                data[at:at] = chance.choice(_PIECES)
            case 6:
                _number(data, chance)
            case _:
                del data[at:]
    return bytes(data)


_PIECES = (
    *(
        b'"',
        b"{",
        b"[" * 200,
        b"}",
        b",",
        b"\\u0000",
        b"\\ud800",
        b"\x00",
        b"\xff",
        b"\xef\xbb\xbf",
    ),
    *(b"-1", b"1e999", b"9" * 400, b"NaN", b"null", b"true", b"\r\n", b"\n\n", "é".encode()),
    *("\u202e".encode(), "\u0660".encode(), b"%2e%2e/", b"http://[::1", b"xn--", b"." * 300),
)


def _number(data: bytearray, chance: random.Random) -> None:
    """Change a number that stands in the text."""
    found = list(re.finditer(rb"\d+", bytes(data)))
    if found:
        place = chance.choice(found)
        new = chance.choice((b"0", b"-1", b"00", b"4294967296", b"18446744073709551616"))
        data[place.start() : place.end()] = new


def accepted(parse: Parser, seeds: Sequence[bytes]) -> list[bytes]:
    """Return the seeds that ``parse`` takes: mutations of them come furthest."""
    taken = []
    for seed in seeds:
        try:
            parse(seed)
        except AccordError:
            continue
        taken.append(seed)
    return taken


def fuzz_one(
    parse: Parser, seeds: Sequence[bytes], *, count: int, chance: random.Random, known: set[str]
) -> dict[str, Any]:
    """Give ``parse`` ``count`` mutated inputs and return what came of them."""
    good = accepted(parse, seeds)
    codes: Counter[str] = Counter()
    faults: list[str] = []
    for _ in range(count):
        # Mostly from what it takes; the rest keeps the early refusals honest.
        pool = good if good and chance.random() < 0.8 else seeds
        data = mutated(chance.choice(pool), chance.choice(seeds), chance)
        start = time.perf_counter()
        try:
            parse(data)
            codes["taken"] += 1
        except AccordError as error:
            codes[error.code] += 1
            if _CODE.fullmatch(error.code) is None or error.code not in known:
                faults.append(f"code {error.code} is not in the list of codes")
        except Exception as error:  # noqa: BLE001 - this is what is looked for
            faults.append(f"{type(error).__name__}: {base64.b64encode(data).decode()[:2000]}")
        if time.perf_counter() - start > SLOWEST:
            faults.append(f"slow: {base64.b64encode(data).decode()[:2000]}")
    return {"seeds": len(good), "tried": count, "codes": dict(codes), "faults": faults[:20]}


def _fuzz_named(name: str, count: int, seed: int) -> dict[str, Any]:
    """Fuzz one parser in a process of its own."""
    chance = random.Random(f"{seed} {name}")
    known = set(error_codes())
    return fuzz_one(PARSERS[name], corpus(), count=count, chance=chance, known=known)


def run_fuzz(*, count: int, seed: int, say: Say) -> dict[str, Any]:
    """Give every parser ``count`` inputs, on all cores, and return the report."""
    started = time.monotonic()
    parsers = {}
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        waiting = {name: pool.submit(_fuzz_named, name, count, seed) for name in PARSERS}
        for name, future in waiting.items():
            parsers[name] = found = future.result()
            say(f"{name}: {found['tried']} tried, {len(found['faults'])} faults")
    return {
        "test": "fuzz",
        "ok": not any(found["faults"] for found in parsers.values()),
        "seed": seed,
        "tried": sum(found["tried"] for found in parsers.values()),
        "taken": sum(found["codes"].get("taken", 0) for found in parsers.values()),
        "unhandled": sum(len(found["faults"]) for found in parsers.values()),
        "parsers": parsers,
        "seconds": round(time.monotonic() - started, 1),
    }
