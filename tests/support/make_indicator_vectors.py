"""Make schemas/vectors/indicators: values and record lines, each with the answer of a strict reader.

``python -m tests.support.make_indicator_vectors DIRECTORY`` writes the files; the same bytes come
out every time (a test compares them with the published ones). A published file never changes: a new
case goes into a new file. Every key and name is made up from a seed.

``values.json``: ``input`` with what the caller told (``network``, ``kind``); ``expect`` is the
canonical form with all it says, or ``{"error": code}``. ``records.json``: ``line`` without LF;
``expect`` is ``ok`` or the code.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from accord.demo import sample_values as make
from accord.demo.samples import SOURCES
from accord.kernel.errors import Malformed
from accord.kernel.indicators import (
    CANON_VERSION,
    Basis,
    Kind,
    base58,
    encode_line,
    normalise,
    parse_lines,
    record_of,
)

TEST_NETWORKS = {
    "btc": (make.check58(b"\x6f"), make.witness("tb", 0, 20), make.witness("bcrt", 1, 32)),
    "ltc": (make.witness("tltc", 0, 20),),
    "dash": (make.check58(b"\x8c"),),
    "zec": (make.check58(b"\x1d\x25"),),
    "ada": (make.bech32_account("addr_test", b"\x00", 56),),
    "cosmos": (make.bech32_account("tbnb", b"", 20),),
}
TOLD = tuple[str, str | None, str | None]


def random() -> np.random.Generator:
    """The one source of keys; the same numbers every time."""
    return np.random.Generator(np.random.PCG64(20261125))


def values() -> Iterator[TOLD]:
    """Yield input, network told, kind told."""
    source = random()
    for kind, network, made in ((s.kind, s.network, s.maker(source, 2)) for s in SOURCES):
        one, two = made
        yield one, network, kind
        yield two, None, None
        yield f"\t{two}\u200b", network, None
        if kind in {Kind.WALLET, Kind.TRANSACTION}:
            yield one[:-5], network, kind
            yield one[:6] + "\u0430" + one[7:], network, None
            yield one[:9] + ("b" if one[9] != "b" else "c") + one[10:], network, kind
            yield one, "doge" if network != "doge" else "btc", kind
        else:
            yield one.replace(".", "[.]").replace("http", "hxxp"), None, None
            yield one.upper(), None, kind
    for network, makers in TEST_NETWORKS.items():
        for maker in makers:
            yield maker(source, 1)[0], network, None
    yield from _spellings(source)
    yield from _secrets()
    yield from _hosts()


def _spellings(source: np.random.Generator) -> Iterator[TOLD]:
    """Other spellings of one wallet, and texts that need their network."""
    legacy, script = make.check58(b"\0")(source, 1)[0], make.check58(b"\5")(source, 1)[0]
    for network in (None, "bch", "ltc"):
        yield legacy, network, None
        yield script, network, None
    cash = make.cash(source, 1)[0]
    yield cash.upper(), None, None
    yield cash.partition(":")[2], None, None
    witness = make.witness("bc", 0, 20)(source, 1)[0]
    yield witness.upper(), None, None
    yield "BC" + witness[2:], None, None
    yield f"bitcoin:{witness}?amount=0.5", None, None
    tron = make.check58(b"\x41")(source, 1)[0]
    payload = base58.decode_check(tron.encode(), 25)
    assert payload is not None
    yield payload.hex(), "trx", None
    ripple = make.check58(b"\0", ripple=True)(source, 1)[0]
    yield f"{ripple} tag 12345", None, None
    yield f"{ripple}?dt=99", None, None
    evm = make.eip55(source, 1)[0]
    yield evm.lower(), None, None
    yield evm.swapcase().replace("0X", "0x"), None, None
    yield evm, "eip155:137", None
    yield evm, "eip155:11155111", None
    yield evm[2:].lower(), "evm", None
    yield evm[2:].lower(), None, None
    yield "1.23E+31", None, None
    yield legacy[:6] + "..." + legacy[-4:], None, None
    yield base58.encode_check(b"\x26" + bytes(range(20))), None, None
    yield evm, "nonsense", None
    yield evm, None, "nonsense"


def _secrets() -> Iterator[TOLD]:
    key = bytes(range(1, 33))
    for text in (
        base58.encode_check(b"\x80" + key),
        base58.encode_check(b"\x80" + key + b"\1"),
        "S" + "A" * 55,
        "-----BEGIN PRIVATE KEY-----",
        " ".join(["abandon"] * 11 + ["about"]),
    ):
        yield text, None, None


def _hosts() -> Iterator[TOLD]:
    for text in (
        "Bücher.example",
        "xn--bcher-kva.example",
        "ex\u0430mple.com",
        "files.example.co.uk.",
        "*.example.com",
        "someone.github.io",
        "co.uk",
        "a..b",
        "192.0.2.7",
        "xn--a.example",
        "facebookcorewwwi.onion",
        "https://user:word@EXAMPLE.com:443/A/b?C=d#e",
        "hxxp://192[.]0[.]2[.]7/x",
        "ldap://example.com/",
        "",
        "nonsense",
    ):
        yield text, None, None


def expected(text: str, network: str | None, kind: str | None) -> dict[str, object]:
    """Return what a strict reader answers."""
    try:
        found = normalise(text, network=network, kind=kind)
    except Malformed as error:
        return {"error": error.code}
    fields = {
        "kind": found.kind,
        "network": found.network,
        "value": found.value,
        "checksum": found.checksum,
        "alias": list(found.aliases),
        "memo": found.memo,
        "flags": list(found.flags),
    }
    return {name: value for name, value in fields.items() if value not in (None, [])}


def lines() -> Iterator[str]:
    """Yield record lines: one of each source, one with every field, and wrong ones."""
    source = random()
    for sample in SOURCES:
        text = sample.maker(source, 1)[0]
        found = normalise(text, network=sample.network, kind=sample.kind)
        yield encode_line(record_of(found, confidence=70, basis=Basis.OBSERVED)).decode()
    tx, value = make.hexadecimal("", 32)(source, 1)[0], make.check58(b"\0")(source, 1)[0]
    full = (
        f'{{"kind":"wallet","network":"btc","value":"{value}","canon":1,'
        '"checksum":"strong","memo":"7","token":"USDT","roles":["payment","mixer"],'
        '"first":{"t":1700000000,"p":"day"},"last":{"t":1700000001,"p":"second"},'
        f'"moves":[{{"tx":"{tx}","dir":"in","amount":"0.5","asset":"BTC","t":1700000000}}],'
        '"confidence":80,"basis":"reported","countries":["NL","DE"],"vasp":"Coinharbour",'
        '"report":{"system":"CyberTipline","id":"1"},"note":"seen \u00e4 second time"}'
    )
    yield full
    for old, new in (
        ('"wallet"', '"image"'),
        ('"btc"', '"nonsense"'),
        ('"network":"btc",', ""),
        ("btc", "doge"),
        (value, value[:-1]),
        (value, " " + value),
        ('"canon":1', '"canon":2'),
        ('"canon":1,', ""),
        ('"canon":1', '"canon":1.0'),
        ('"canon":1', '"canon": 1'),
        ('"canon":1', '"canon":1,"canon":1'),
        ('"canon":1,', '"canon":1,"picture":"",'),
        ('"strong"', '"none"'),
        ('"memo":"7"', '"memo":null'),
        ('"memo":"7"', '"memo":" 7"'),
        ('"token":"USDT","roles":["payment","mixer"]', '"roles":["mixer"],"token":"USDT"'),
        ('"payment"', '"mixer"'),
        ('"t":1700000001', '"t":1'),
        ('"0.5"', '"0,5"'),
        ('"0.5"', "0.5"),
        (tx, tx.upper()),
        (":80,", ":101,"),
        ('"NL"', '"UK"'),
        ('"DE"', '"NL"'),
        ("\u00e4", "\\u00e4"),
        ("\u00e4", "\u202e"),
        ("seen", " ".join(["abandon"] * 11 + ["about"])),
        ("Coinharbour", base58.encode_check(b"\x80" + bytes(range(1, 33)))),
        ("}", "} "),
        ("{", ""),
    ):
        yield full.replace(old, new, 1) if old != "}" else full + new


def value_file() -> str:
    """Return values.json."""
    cases = []
    for text, network, kind in values():
        told = {name: what for name, what in (("network", network), ("kind", kind)) if what}
        cases.append({"input": text, **told, "expect": expected(text, network, kind)})
    return _text({"canon": CANON_VERSION, "cases": cases})


def record_file() -> str:
    """Return records.json."""
    texts = list(lines())
    outcomes = parse_lines([text.encode() for text in texts])
    codes = [found.code if isinstance(found, Malformed) else "ok" for found in outcomes]
    cases = [{"line": t, "expect": c} for t, c in zip(texts, codes, strict=True)]
    return _text({"canon": CANON_VERSION, "cases": cases})


def _text(content: dict[str, object]) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


FILES = {"values.json": value_file, "records.json": record_file}


def main(directory: Path) -> None:
    """Write both files."""
    for name, content in FILES.items():
        (directory / name).write_text(content(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
