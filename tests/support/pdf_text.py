"""The words of a PDF that our own typesetter made, run by run: enough to compare its numbers.

Reads streams, fonts' ToUnicode tables and text runs; no general reader of PDF.
"""

import re
import zlib

_STREAM = re.compile(rb"(\d+) 0 obj(.*?)stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_FONT = re.compile(
    rb"(\d+) 0 obj\s*<<[^>]*?/Type/Font/Subtype/Type0.*?/ToUnicode (\d+) 0 R", re.DOTALL
)
_RUN = re.compile(rb"/(f\d+) [\d.]+ Tf|\[((?:\((?:\\.|[^\\)])*\)|[-\d. ])*)\]TJ|EMC", re.DOTALL)
_PART = re.compile(rb"\(((?:\\.|[^\\)])*)\)", re.DOTALL)
_ESCAPE = re.compile(rb"\\(\d{1,3}|.)", re.DOTALL)
_NAMED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def text_runs(pdf: bytes) -> list[str]:
    """Return the texts of all marked spans, in the order of the pages."""
    streams = {}
    for number, head, body in _STREAM.findall(pdf):
        streams[int(number)] = zlib.decompress(body) if b"FlateDecode" in head else body
    tables = {int(font): _table(streams[int(table)]) for font, table in _FONT.findall(pdf)}
    names: dict[bytes, dict[int, str]] = {}
    for name, font in re.findall(rb"/(f\d+) (\d+) 0 R", pdf):
        names[name] = tables[int(font)]
    found: list[str] = []
    for body in streams.values():
        if b"BT" in body and b"TJ" in body:
            found += _runs(body, names)
    return found


def _table(cmap: bytes) -> dict[int, str]:
    pairs = re.findall(rb"<([0-9A-Fa-f]{4})> <([0-9A-Fa-f]+)>", cmap)
    return {int(code, 16): bytes.fromhex(text.decode()).decode("utf-16-be") for code, text in pairs}


def _runs(body: bytes, names: dict[bytes, dict[int, str]]) -> list[str]:
    found, text, table = [], "", {}
    for match in _RUN.finditer(body):
        if match[1]:
            table = names[match[1]]
        elif match[2] is not None:
            codes = b"".join(_plain(part) for part in _PART.findall(match[2]))
            text += "".join(
                table.get(int.from_bytes(codes[at : at + 2], "big"), "?")
                for at in range(0, len(codes), 2)
            )
        elif text:
            found.append(text)
            text = ""
    return found


def _plain(part: bytes) -> bytes:
    return _ESCAPE.sub(
        lambda one: bytes([int(one[1], 8)]) if one[1].isdigit() else _NAMED.get(one[1], one[1]),
        part,
    )
